"""How a procedure is kept: as facts of relations of their own, one for each way in which it ended.

The subject is the task, the object the steps, and each source is the request of one run. So the ledger counts: an equal
run is one source more, and an erased request one less. All else holds as for every fact: history, expiry with the last
source, quarantine with it, export and import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from hybridmem.core.filters.nodes import Filter
from hybridmem.core.filters.parse import parse
from hybridmem.core.records import Fact
from hybridmem.core.skills import KnownBy, Outcome, SkillStep
from hybridmem.skills.outcome import Ending

STEPS = "skill_steps"
"""The key of the metadata that has the steps."""
_VERBS: Mapping[Outcome, str] = {"success": "worked", "failure": "failed", "unknown": "was tried"}
_ENDINGS = (
    *(Ending(outcome, known_by) for outcome in ("success", "failure") for known_by in get_args(KnownBy)),
    Ending("unknown", None),
)


def relation(ending: Ending) -> str:
    """The relation of the fact that keeps runs which ended so.

    >>> relation(Ending("failure", "the exit code"))
    'failed by the exit code with the steps'
    """
    told = f" by {ending.known_by}" if ending.known_by else ""
    return f"{_VERBS[ending.outcome]}{told} with the steps"


ENDINGS: Mapping[str, Ending] = {relation(ending): ending for ending in _ENDINGS}
"""What each relation of a skill says of its runs."""
RELATIONS: tuple[str, ...] = tuple(ENDINGS)


def admitted(*, successes: bool = False, subjects: Sequence[str] = ()) -> Filter:
    """The filter that admits the facts of skills: with `successes` those that worked, with `subjects` those of these
    tasks."""
    names = [name for name in RELATIONS if not successes or ENDINGS[name].outcome == "success"]
    return parse({"relation": names, **({"subject": list(subjects)} if subjects else {})})


def steps_text(steps: Sequence[SkillStep]) -> str:
    """The steps in one line, and a mark that tells steps apart which differ in their case alone."""
    joined = "; ".join(each.text for each in steps)
    return f"{joined} #{hashlib.sha256(joined.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def sentence(task: str, ending: Ending, steps: Sequence[SkillStep]) -> str:
    """What the fact says, for a search and for people."""
    numbered = " ".join(f"{number}. {each.text}" for number, each in enumerate(steps, 1))
    if ending.outcome == "unknown":
        return f'Steps that an agent tried for "{task}" (nothing says how they ended): {numbered}'
    return f'Steps that {_VERBS[ending.outcome]} for "{task}" (known by {ending.known_by}): {numbered}'


def to_metadata(steps: Sequence[SkillStep]) -> dict[str, Any]:
    """The steps as a fact's metadata keeps them."""
    return {STEPS: [{"tool": each.tool, "arguments": dict(each.arguments)} for each in steps]}


def steps_of(fact: Fact) -> tuple[SkillStep, ...]:
    """The steps of a skill's fact; none for any other, and for one that somebody has edited since."""
    held = fact.metadata.get(STEPS)
    if fact.relation not in ENDINGS or not isinstance(held, list | tuple):
        return ()
    found = tuple(
        SkillStep(each["tool"], each["arguments"])
        for each in held
        if isinstance(each, Mapping)
        and isinstance(each.get("tool"), str)
        and isinstance(each.get("arguments"), Mapping)
    )
    return found if steps_text(found) == fact.object else ()
