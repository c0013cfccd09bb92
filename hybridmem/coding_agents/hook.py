"""One event of a coding agent: what was said is stored, and what the agent is to know is the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from hybridmem.coding_agents.agent import Agent
from hybridmem.coding_agents.hook_event import parsed
from hybridmem.coding_agents.hook_settings import HookSettings
from hybridmem.coding_agents.opt_out import opted_out
from hybridmem.coding_agents.project import namespace_of
from hybridmem.coding_agents.recalling import context, recall
from hybridmem.coding_agents.remembering import read_unfinished, remember
from hybridmem.coding_agents.sessions import Sessions
from hybridmem.core.namespace import checked_namespace
from hybridmem.memory import HybridMemory
from hybridmem.workspace import Redact


def answered(agent: Agent, raw: bytes, settings: HookSettings, environ: Mapping[str, str]) -> str:
    """What the hook prints for the event `raw`, as the agent reads it; "" where there is nothing to add.

    Raises `InvalidInput` for what is no event, and what `HybridMemory` does."""
    event = agent.event(parsed(raw))
    if event.kind == "other" or opted_out(event.cwd, environ):
        return ""
    namespace = checked_namespace(settings.namespace)
    if settings.by == "project":
        namespace = namespace_of(namespace, event.cwd)
    redact = cast("Redact", settings.redact)
    with HybridMemory.open(settings.memory, namespace=namespace, redact=redact) as memory:
        sessions = Sessions(memory.folder)
        session = sessions.get(agent.name, event.session, memory.namespace)
        if event.kind == "start":
            read_unfinished(memory, agent, sessions, event.session)
            session = session.anew() if event.fresh else session
        lines = recall(memory, event, session, settings) if event.kind in ("start", "prompt") else []
        session = remember(memory, agent, event, session)
        sessions.put(session.with_given(tuple(id for line in lines for id in line.ids)))
    return json.dumps(agent.answer(event, context(lines, event.prompt))) if lines else ""
