"""One event of a coding agent: what was said is stored, and what the agent is to know is the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, cast

from hybridmem.coding_agents import traces
from hybridmem.coding_agents.agent import Agent
from hybridmem.coding_agents.hook_event import HookEvent, parsed
from hybridmem.coding_agents.hook_settings import HookSettings
from hybridmem.coding_agents.opt_out import opted_out
from hybridmem.coding_agents.sessions import Sessions
from hybridmem.core.folder import MemoryFolder


class Answer(NamedTuple):
    """What an event comes to."""

    text: str = ""
    """What the hook prints, as the agent reads it; "" where there is nothing to add."""
    sessions_over: bool = False
    """Whether there are sessions that are over, and that skills are to be learned from."""


def answered(agent: Agent, raw: bytes, settings: HookSettings, environ: Mapping[str, str]) -> Answer:
    """The answer to the event `raw`. Raises `InvalidInput` for what is no event, and what `HybridMemory` does."""
    event = agent.event(parsed(raw))
    if event.kind == "other" or opted_out(event.cwd, environ):
        return Answer()
    if event.kind == "call":
        # Between two steps of the agent: no memory is opened.
        sessions = Sessions(MemoryFolder(settings.memory))
        if settings.skills == "learn" and sessions.folder.sessions.is_dir():
            traces.note(sessions.trace(agent.name, event.session), (), event.calls)
        return Answer()
    return _answered(agent, event, settings)


def _answered(agent: Agent, event: HookEvent, settings: HookSettings) -> Answer:
    from hybridmem.coding_agents.project import namespace_of
    from hybridmem.coding_agents.recalling import context, recall
    from hybridmem.coding_agents.remembering import read_unfinished, remember
    from hybridmem.core.namespace import checked_namespace
    from hybridmem.memory import HybridMemory
    from hybridmem.workspace import Redact

    namespace = checked_namespace(settings.namespace)
    if settings.by == "project":
        namespace = namespace_of(namespace, event.cwd)
    redact = cast("Redact", settings.redact)
    with HybridMemory.open(settings.memory, namespace=namespace, redact=redact) as memory:
        sessions = Sessions(memory.folder)
        session = sessions.get(agent.name, event.session, memory.namespace).heard_of(
            event.cwd, ended=event.kind == "end", skills=settings.skills == "learn"
        )
        if event.kind == "start":
            read_unfinished(memory, agent, sessions, event.session)
            session = session.anew() if event.fresh else session
        lines = recall(memory, event, session, settings) if event.kind in ("start", "prompt") else []
        session = remember(memory, agent, event, session, sessions.trace(agent.name, event.session))
        sessions.put(session.with_given(tuple(id for line in lines for id in line.ids)))
        over = event.kind in ("start", "end") and any(sessions.over())
    return Answer(json.dumps(agent.answer(event, context(lines, event.prompt))) if lines else "", over)
