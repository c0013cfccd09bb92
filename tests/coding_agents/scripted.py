"""Agents as scripts: what each sends to its hooks in a session, and what it writes into its own log."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybridmem.coding_agents import jsonc
from hybridmem.coding_agents.agent import Agent
from tests.coding_agents.worlds import World

Event = dict[str, Any]
Call = tuple[str, dict[str, Any], str, bool]
"""A tool, its arguments, what it said, and whether that went well."""


@dataclass
class Session:
    """One session of a scripted agent: `say` is a prompt and its answer, and returns what the hooks gave."""

    world: World
    agent: Agent
    id: str
    cwd: Path | None = None
    lags: bool = False
    """Whether the log lacks the last answer when the hook runs."""
    turns: int = 0
    waiting: list[Event] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.world.root / "logs" / f"{self.agent.name}-{self.id}.jsonl"

    @property
    def common(self) -> Event:
        return {
            "session_id": self.id,
            "transcript_path": str(self.log),
            "cwd": str(self.cwd or self.world.project),
            "timestamp": "2026-11-29T12:00:00Z",
            "permission_mode": "default",
        }

    def start(self, source: str = "startup") -> str:
        return self.tell({"hook_event_name": "SessionStart", "source": source, **self.common})

    def end(self) -> str:
        self.flush()
        return self.tell({"hook_event_name": "SessionEnd", "reason": "exit", **self.common})

    def say(self, prompt: str, reply: str, *calls: Call) -> str:
        raise NotImplementedError

    def age(self) -> None:
        """Let half an hour go by in which the session writes nothing."""
        before = time.time() - 1801
        for file in (self.log, *self.world.memory.glob("sessions/*.trace")):
            if file.exists():
                os.utime(file, (before, before))

    def tell(self, event: Event) -> str:
        """Run the hook that is installed for this event; returns the context that it gave."""
        name = event["hook_event_name"]
        groups = jsonc.parse(self.settings.read_text("utf-8"))["hooks"].get(name)
        if groups is None:
            return ""
        (hook,) = groups[0]["hooks"]
        answer = self.world.hook(hook["command"], event)
        return self.context(answer, name) if answer is not None else ""

    @property
    def settings(self) -> Path:
        return self.agent.files(self.world.place())[0].path

    @staticmethod
    def context(answer: Any, name: str) -> str:
        assert set(answer) == {"hookSpecificOutput"}
        assert set(answer["hookSpecificOutput"]) == {"hookEventName", "additionalContext"}
        assert answer["hookSpecificOutput"]["hookEventName"] == name
        context: str = answer["hookSpecificOutput"]["additionalContext"]
        return context

    def write(self, *lines: Mapping[str, Any]) -> None:
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)

    def answered(self, line: Event) -> None:
        """Write the answer into the log, or with a log that lags, later."""
        if self.lags:
            self.waiting.append(line)
        else:
            self.write(line)

    def flush(self) -> None:
        if self.waiting:
            self.write(*self.waiting)
            self.waiting.clear()


class ClaudeCodeSession(Session):
    def say(self, prompt: str, reply: str, *calls: Call) -> str:
        self.turns += 1
        self.flush()
        given = self.tell({"hook_event_name": "UserPromptSubmit", "prompt": prompt, **self.common})
        self.write(self.line("user", prompt), self.tool())
        for number, (tool, arguments, output, ok) in enumerate(calls):
            id = f"toolu_{self.turns}_{number}"
            call = {"type": "tool_use", "id": id, "name": tool, "input": arguments}
            result = {"type": "tool_result", "tool_use_id": id, "content": output, "is_error": not ok}
            self.write(self.line("assistant", [call]), self.line("user", [result]))
        self.answered(self.line("assistant", [{"type": "text", "text": reply}]))
        stop = {"hook_event_name": "Stop", "stop_hook_active": False, "last_assistant_message": reply}
        assert self.tell({**stop, **self.common}) == ""
        return given

    def line(self, role: str, content: Any) -> Event:
        return {
            "type": role,
            "uuid": f"{self.id}-{role}-{self.turns:0>20}",
            "sessionId": self.id,
            "cwd": str(self.cwd or self.world.project),
            "timestamp": f"2026-11-29T12:{self.turns:02}:00Z",
            "message": {"role": role, "content": content},
        }

    def tool(self) -> Event:
        result = {"type": "tool_result", "tool_use_id": "t1", "content": "3 files"}
        return self.line("user", [result])


class CodexSession(Session):
    def say(self, prompt: str, reply: str, *calls: Call) -> str:
        if not self.turns:
            self.write({"type": "session_meta", "payload": {"id": self.id}, "timestamp": "2026-11-29T12:00:00Z"})
        self.turns += 1
        self.flush()
        turn = {"turn_id": f"turn-{self.turns}", "model": "o", **self.common}
        given = self.tell({"hook_event_name": "UserPromptSubmit", "prompt": prompt, **turn})
        self.write(self.line("user", "input_text", prompt))
        for number, (tool, arguments, output, ok) in enumerate(calls):
            id = f"call_{self.turns}_{number}"
            call = {"type": "function_call", "call_id": id, "name": tool, "arguments": json.dumps(arguments)}
            said = json.dumps({"output": output, "metadata": {"exit_code": int(not ok)}})
            self.write(self.item(call), self.item({"type": "function_call_output", "call_id": id, "output": said}))
        self.answered(self.line("assistant", "output_text", reply))
        stop = {"hook_event_name": "Stop", "stop_hook_active": False, "last_assistant_message": reply}
        assert self.tell({**stop, **turn}) == ""
        return given

    def line(self, role: str, kind: str, text: str) -> Event:
        return self.item({"type": "message", "role": role, "content": [{"type": kind, "text": text}]})

    def item(self, payload: Event) -> Event:
        return {"timestamp": f"2026-11-29T12:{self.turns:02}:00Z", "type": "response_item", "payload": payload}


class GeminiSession(Session):
    def say(self, prompt: str, reply: str, *calls: Call) -> str:
        if not self.turns:
            self.write({"type": "session_metadata", "sessionId": self.id})
        self.turns += 1
        self.flush()
        given = self.tell({"hook_event_name": "BeforeAgent", "prompt": prompt, **self.common})
        self.write(self.line("user", prompt))
        if calls:
            done = [self.call(number, *each) for number, each in enumerate(calls)]
            asks = {**self.line("gemini", ""), "id": f"calls{self.turns}"}
            running = {**done[-1], "status": "executing", "result": None}
            # as the calls end, the message is written anew
            self.write({**asks, "toolCalls": [*done[:-1], running]}, {**asks, "toolCalls": done})
        self.answered(self.line("gemini", reply))
        after = {"hook_event_name": "AfterAgent", "prompt": prompt, "prompt_response": reply, "stop_hook_active": False}
        assert self.tell({**after, **self.common}) == ""
        return given

    def line(self, kind: str, text: str) -> Event:
        at = f"2026-11-29T12:{self.turns:02}:00Z"
        return {"type": kind, "id": f"{kind}{self.turns}", "timestamp": at, "content": [{"text": text}]}

    def call(self, number: int, tool: str, arguments: dict[str, Any], output: str, ok: bool) -> Event:
        id = f"{tool}-{self.turns}-{number}"
        response = {"functionResponse": {"id": id, "name": tool, "response": {"output" if ok else "error": output}}}
        return {
            "id": id,
            "name": tool,
            "args": arguments,
            "status": "success" if ok else "error",
            "result": [response],
            "timestamp": "2026-11-29T12:00:00Z",
        }


class CursorSession(Session):
    def start(self, source: str = "startup") -> str:
        return self.tell({"hook_event_name": "sessionStart", "session_id": self.id, **self.base(0)})

    def end(self) -> str:
        return self.tell({"hook_event_name": "sessionEnd", "reason": "completed", **self.base(self.turns)})

    def say(self, prompt: str, reply: str, *calls: Call) -> str:
        self.turns += 1
        base = self.base(self.turns)
        given = self.tell({"hook_event_name": "beforeSubmitPrompt", "prompt": prompt, "attachments": [], **base})
        for number, (tool, arguments, output, ok) in enumerate(calls):
            common = {"tool_name": tool, "tool_input": arguments, "tool_use_id": f"t{number}", "duration": 5, **base}
            name, told = "postToolUse", {"tool_output": json.dumps({"exitCode": 0, "stdout": output})}
            if not ok:
                name, told = "postToolUseFailure", {"error_message": output, "failure_type": "error"}
            assert self.tell({"hook_event_name": name, **told, **common}) == ""
        for _ in range(2):  # it may be told twice
            assert self.tell({"hook_event_name": "afterAgentResponse", "text": reply, **base}) == ""
        return given

    def base(self, turn: int) -> Event:
        roots = [str(self.cwd or self.world.project)]
        return {
            "conversation_id": self.id,
            "generation_id": f"g{turn}",
            "workspace_roots": roots,
            "cursor_version": "3",
        }

    def tell(self, event: Event) -> str:
        name = event["hook_event_name"]
        entries = jsonc.parse(self.settings.read_text("utf-8"))["hooks"].get(name, [])
        answers = [self.world.hook(entry["command"], event) for entry in entries]
        for answer in answers:
            if answer is not None:
                assert set(answer) <= {"continue", "additional_context"}
                assert answer.get("continue", True) is True
                context: str = answer["additional_context"]
                return context
        return ""


class OpenCodeSession(Session):
    """What the plugin hands to the hook; the plugin itself is run in `test_opencode_plugin`."""

    def start(self, source: str = "startup") -> str:
        return self.tell({"event": "start", **self.base})

    def end(self) -> str:
        return ""

    def say(self, prompt: str, reply: str, *calls: Call) -> str:
        self.turns += 1
        given = self.tell({"event": "prompt", "message": f"msg_u{self.turns}", "prompt": prompt, **self.base})
        replies = [{"message": f"msg_a{self.turns}/0", "text": reply}]
        done = [{"tool": tool, "input": arguments, "output": output, "ok": ok} for tool, arguments, output, ok in calls]
        assert self.tell({"event": "reply", "replies": replies, "calls": done, **self.base}) == ""
        return given

    @property
    def base(self) -> Event:
        return {"session": self.id, "cwd": str(self.cwd or self.world.project)}

    def tell(self, event: Event) -> str:
        source = self.settings.read_text("utf-8")
        words = json.loads(source.split("const COMMAND = ", 1)[1].split("\n", 1)[0])
        answer = self.world.hook(shlex.join(words), event)
        return "" if answer is None else str(answer["context"])


SESSIONS: Mapping[str, Callable[..., Session]] = {
    "claude-code": ClaudeCodeSession,
    "codex": CodexSession,
    "cursor": CursorSession,
    "gemini-cli": GeminiSession,
    "opencode": OpenCodeSession,
}
