"""The skills: procedures from the agent's own sessions, with how often they worked and where they come from."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from hybridmem.core.errors import NotFound
from hybridmem.core.skills import Skill
from hybridmem.inspector.site import Fields, Visit
from hybridmem.maintenance.erasure import erase_many
from hybridmem.memory import HybridMemory
from hybridmem.skills import recall

MOST = 200
"""Skills on the page; a search finds the others."""
FOUND = 20


def page(visit: Visit) -> Response:
    """Every skill, or with ``?q=`` those for a task."""
    task = visit.asked("q")
    workspace = visit.memory.workspace
    every = recall.skills(workspace, failed=True)
    shown = recall.skills_for(workspace, task, limit=FOUND, failed=True) if task else every[:MOST]
    return visit.page(
        "skills",
        title="Skills",
        here="skills",
        q=task,
        skills=shown,
        is_empty=not every,
        more=0 if task else max(0, len(every) - MOST),
        done=visit.asked("done") == "deleted",
    )


def asked_to_delete(visit: Visit) -> Response:
    """Show the skill before it is deleted."""
    return visit.page("skill_delete", title="Delete", here="skills", skill=_named(visit.memory, visit.asked("id")))


def delete(visit: Visit, fields: Fields) -> Response:
    erase_many(visit.memory.workspace, _named(visit.memory, fields.get("id", "")).facts)
    return RedirectResponse(visit.link("/skills", done="deleted"), status_code=303)


def _named(memory: HybridMemory, fact: str) -> Skill:
    """The skill that is kept in the memory `fact`. Raises `NotFound`."""
    every = recall.skills(memory.workspace, failed=True)
    found = next((each for each in every if fact in each.facts), None)
    if found is None:
        raise NotFound(f"there is no skill {fact!r} any more: the page Skills names those there are")
    return found
