"""The form of hooks that Claude Code began and Codex and Gemini CLI took over: in the settings, groups of commands for
each event; on standard input, one object that names the event; and `additionalContext` in the answer."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from hybridmem.coding_agents import hook_entries
from hybridmem.coding_agents.agent import Commands
from hybridmem.coding_agents.hook_event import HookEvent, Kind, path_of, said, session_of, text_of


class GroupedHooks:
    """What those agents share."""

    name: ClassVar[str]
    events: ClassVar[Mapping[str, Kind]]
    """The events that hybridmem listens to, as the agent calls them."""
    wait: ClassVar[int]
    """How long the agent waits for a hook, in its own unit."""
    turn: ClassVar[str] = ""
    """The member with the id of the turn, if there is one."""
    reply: ClassVar[str] = "last_assistant_message"
    """The member with what the agent said last, in the event after its answer."""

    def event(self, given: Mapping[str, Any]) -> HookEvent:
        """What the object on the hook's standard input tells. Raises `InvalidInput`."""
        name = text_of(given, "hook_event_name")
        kind = self.events.get(name, "other")
        turn = text_of(given, self.turn)
        prompt = text_of(given, "prompt") if kind == "prompt" else ""
        reply = text_of(given, self.reply) if kind == "reply" else ""
        return HookEvent(
            kind,
            name,
            session_of(given, "session_id"),
            path_of(given, "cwd") or Path.cwd(),
            prompt,
            (*said("user", prompt, turn), *said("assistant", reply, turn)),
            transcript=path_of(given, "transcript_path"),
            fresh=given.get("source") != "resume",
        )

    def answer(self, event: HookEvent, context: str) -> dict[str, Any]:
        """What the hook prints, so that the agent's model reads `context`."""
        return {"hookSpecificOutput": {"hookEventName": event.name, "additionalContext": context}}

    def with_hooks(self, text: str, commands: Commands) -> str:
        """The settings in `text` with hybridmem's hooks. Raises `InvalidInput`."""
        hook = {"type": "command", "command": shlex.join(commands.hook), "timeout": self.wait}
        return hook_entries.with_hooks(text, {event: {"hooks": [hook]} for event in self.events}, self.name)

    def without_hooks(self, text: str) -> str:
        """The settings in `text` without them. Raises `InvalidInput`."""
        return hook_entries.without_hooks(text, self.name)
