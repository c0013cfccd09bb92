"""Skills from agents' sessions, by themselves: when a session is over, a process of its own reads what was called.

A session is over when the agent says so, or when its log has stood still for a while: not every agent says so, and a
killed one cannot. The hook only looks whether there is such a session. The process that it starts outlives it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.coding_agents.hook_settings import HookSettings
from hybridmem.coding_agents.registry import agent_named
from hybridmem.coding_agents.sessions import Session, Sessions
from hybridmem.core.errors import HybridMemError
from hybridmem.core.records import Episode
from hybridmem.memory import HybridMemory
from hybridmem.skills.calls import Call, Result
from hybridmem.skills.learning import LearnedSkills, learn_logged, learn_traced
from hybridmem.skills.outcome import Verdict
from hybridmem.skills.runs import Said
from hybridmem.skills.session_logs import logged

NICENESS = 10
"""Of the process that learns."""
FORGOTTEN = "[forgotten]"
"""In place of a request that was erased: the calls behind it belong to no other."""


@dataclass(frozen=True, slots=True)
class LearnedSessions:
    """What the sessions that are over added to the skills."""

    sessions: int
    """Those that were read."""
    runs: int
    facts: tuple[str, ...]
    """Ids of the memories that keep the procedures."""
    broken: tuple[str, ...]
    """Why a session could not be read, one line each; it is not read again until it goes on."""


def learn_from_sessions(memory: HybridMemory) -> LearnedSessions:
    """Take the procedures, with an outcome that something says, from every session that is over and was not read."""
    sessions = Sessions(memory.folder)
    read = runs = 0
    facts: dict[str, None] = {}
    broken = []
    for session, source in list(sessions.over()):
        size = source.stat().st_size  # before the reading: what is written meanwhile is read the next time
        requests: tuple[str, ...] = ()
        try:
            learned = _learn(memory.at(session.namespace), session, source)
        except (HybridMemError, OSError) as error:
            broken.append(f"{session.agent}: {error}")
        else:
            read += 1
            runs += learned.runs
            requests = learned.requests
            facts.update(dict.fromkeys(learned.facts))
        sessions.learned(session, size, requests)
    return LearnedSessions(read, runs, tuple(facts), tuple(broken))


def start(settings: HookSettings, log: Path) -> None:
    """Have a process of its own learn from the sessions that are over. It complains into the `log`, if at all."""
    words = ["--memory", str(settings.memory), "--redact", settings.redact, "skill", "learn"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as complaints:
        learner = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "hybridmem.cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            cwd=settings.memory,
            start_new_session=True,
        )
    if sys.platform != "win32":
        os.setpriority(os.PRIO_PROCESS, learner.pid, NICENESS)


def _learn(memory: HybridMemory, session: Session, source: Path) -> LearnedSkills:
    format = agent_named(session.agent).format
    if format is not None:
        memory.add_from(source, format=format)
        return learn_logged(memory.workspace, logged(source), judged=True, but=session.taken)
    noted = list(_lines(source))
    asked = [each["request"] for each in noted if "request" in each]
    requests = memory.ledger.get_many(memory.namespace, asked)
    events: list[Said | Call | Result] = []
    episodes: dict[int, Episode] = {}
    for turn, each in enumerate(noted):
        if "request" not in each:
            events += _called(each)
        elif isinstance(request := requests.get(each["request"]), Episode):
            episodes[turn] = request
            events.append(Said(request.text, turn))
        else:
            events.append(Said(FORGOTTEN, turn))
    return learn_traced(memory.workspace, events, episodes)


def _lines(trace: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a trace, as `traces.note` writes them; one that is half written is passed over."""
    for line in trace.read_text("utf-8", "replace").splitlines():
        with suppress(ValueError):
            yield json.loads(line)


def _called(noted: Mapping[str, Any]) -> tuple[Call, Result]:
    """A call and how it ended."""
    verdict = Verdict(noted["outcome"], noted["known_by"]) if "outcome" in noted else None
    return Call("", noted["tool"], noted["arguments"]), Result("", verdict)
