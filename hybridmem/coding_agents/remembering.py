"""Storing what was said in a session, under the keys that an import of the agent's log gives it.

Where the agent keeps a log that an importer reads, that is what is stored: the events lack the ids that tell one
message from another, and a later import would store everything twice. The log may lag behind the event (Claude Code
says so of its own); what it lacks is read at the next event, and what a killed session left, when the next one starts.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

from hybridmem.coding_agents import traces
from hybridmem.coding_agents.agent import Agent
from hybridmem.coding_agents.hook_event import HookEvent
from hybridmem.coding_agents.opt_out import opted_out
from hybridmem.coding_agents.sessions import Session, Sessions
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.core.text.injected import without_injected
from hybridmem.importers import ImportedTurn
from hybridmem.importers.identity import episode_id
from hybridmem.maintenance.imports import add_entries
from hybridmem.memory import HybridMemory

AT_START = 5
"""Logs of earlier sessions that are read on at the start of one."""


def remember(memory: HybridMemory, agent: Agent, event: HookEvent, session: Session, trace: Path) -> Session:
    """Store what `event` and the session's log hold that is not there yet; returns the session as it is known then.

    Of an agent without a log, what was called is noted in the session's `trace`."""
    log = event.transcript if agent.format is not None else None
    if log is None:
        turns = _turns(agent, event)
        add_entries(memory.workspace, turns)
        if agent.format is None and session.skills:
            asked = [episode_id(memory.namespace, turn) for turn in turns if turn.role == "user"]
            trace.parent.mkdir(exist_ok=True)
            traces.note(trace, asked, event.calls)
        return session
    session = replace(session, transcript=str(log))
    if event.kind in ("reply", "end"):
        return read_on(memory, agent, session)
    return session


def read_on(memory: HybridMemory, agent: Agent, session: Session) -> Session:
    """Store what the session's log holds by now. A log that is not there yet is looked at again later."""
    if not session.has_more or session.transcript is None or agent.format is None:
        return session
    # Before the reading: what is written meanwhile is read the next time.
    size = Path(session.transcript).stat().st_size
    memory.at(session.namespace).add_from(Path(session.transcript), format=agent.format)
    return replace(session, size=size)


def read_unfinished(memory: HybridMemory, agent: Agent, sessions: Sessions, but: str) -> None:
    """Read on in the logs of sessions that ended without a word, all `but` the one of that id, and not in those of
    folders that have opted out since."""
    others = (each for each in sessions.unfinished(agent.name) if each.id != but)
    for session in islice(others, AT_START):
        if not opted_out(Path(session.cwd), {}):
            sessions.put(read_on(memory, agent, session))


def _turns(agent: Agent, event: HookEvent) -> list[ImportedTurn]:
    """What the event itself says, without what programs put into it."""
    turns = []
    for said in event.said:
        text = without_injected(said.text)
        if text:
            key = f"{event.session}/{said.key}"
            place = {"cwd": str(event.cwd)}
            turns.append(
                ImportedTurn(
                    checked_text(text),
                    said.role,
                    None,
                    event.session,
                    None,
                    agent.source,
                    trust_of(said.role),
                    place,
                    key,
                )
            )
    return turns
