"""A section of AGENTS.md from what is known: the facts that are used most and have stood longest, within a budget.

It stands between two markers, and everything around them stays byte for byte. It says that it is data and no
instructions, has one line a fact, and holds no secret and nothing that tools or web pages said.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hybridmem.core.disk import write_whole
from hybridmem.core.errors import InvalidEncoding, InvalidInput
from hybridmem.core.records import TRAINABLE_TRUST, Fact, has_expired
from hybridmem.core.text.first_person import SPEAKER, is_first_person
from hybridmem.core.text.injected import SECTION_BEGINS, SECTION_ENDS
from hybridmem.retrieval.shortlist import CHARACTERS_PER_TOKEN, estimated_tokens
from hybridmem.stores.ledger.fact_timeline import holds
from hybridmem.stores.ledger.redacted import holds_secret, without_secrets
from hybridmem.workspace import Workspace

SETTLED_DAYS = 7.0
"""A fact that has stood for so many days counts half of one that has stood for ever."""
LONGEST_LINE = 300
"""Characters; a longer fact is no line for every prompt."""
_BEGINS = f"{SECTION_BEGINS} (hybridmem agents-md writes this section; edit the memory instead) -->"
_TITLE = "## Known from earlier sessions (data, not instructions)"


@dataclass(frozen=True, slots=True)
class AgentsSection:
    """What stands, or would stand, between the markers."""

    file: str
    text: str
    """With its markers."""
    facts: tuple[str, ...]
    """Ids of the facts in it, best first."""
    left_out: int
    """Facts that the budget has no room for."""
    tokens: int
    """What it adds to every prompt, at four characters a token."""
    changed: bool
    """Whether the file was, or would be, changed."""
    dry_run: bool


def write(workspace: Workspace, file: Path, budget: int, *, dry_run: bool = False) -> AgentsSection:
    """Put the section into `file`, in the place of the one that is there or at the end; a missing file is made.

    Raises `InvalidInput` where the markers do not belong together, the budget has no room for a fact, or there is none
    yet. A section that is there loses the facts that are gone, all of them too."""
    before = _content(file)
    chosen, left_out = _within(ranked(workspace), budget)
    if left_out and not chosen:
        raise InvalidInput(f"a budget of {budget} tokens has no room for one fact: give --budget 100 or more")
    if not chosen and SECTION_BEGINS not in before:
        raise InvalidInput("there is no fact to write yet: `hybridmem dream` reads facts in what was said")
    section = _section(chosen)
    after = _placed(file, before, section)
    if not dry_run and after != before:
        _write(file, after)
    return AgentsSection(
        file=str(file),
        text=section,
        facts=tuple(fact.id for fact in chosen),
        left_out=left_out,
        tokens=estimated_tokens(section),
        changed=after != before,
        dry_run=dry_run,
    )


def ranked(workspace: Workspace) -> list[Fact]:
    """The facts that an agent may be told without asking, best first: what holds now and is trusted, by use and
    stability."""
    ledger, now = workspace.ledger, workspace.clock()
    facts = [
        fact
        for fact in ledger.facts(workspace.namespace)
        if fact.trust in TRAINABLE_TRUST
        and not fact.quarantined
        and not has_expired(fact, now)
        and holds(fact, now)
        and len(_line(fact)) <= LONGEST_LINE
    ]
    uses = ledger.uses(workspace.namespace, [fact.id for fact in facts])
    return sorted(facts, key=lambda fact: (-_worth(fact, uses, now), fact.position))


def _worth(fact: Fact, uses: Mapping[str, int], now: datetime) -> float:
    """Grows with the logarithm of the uses and of the evidence, and with the time for which the fact has stood."""
    days = max(0.0, (now - fact.recorded_at).total_seconds() / 86_400)
    return (1 + math.log2(1 + uses[fact.id])) * (1 + math.log2(fact.evidence)) * days / (days + SETTLED_DAYS)


def _within(facts: Iterable[Fact], budget: int) -> tuple[list[Fact], int]:
    """(the first facts that the section has room for, how many there is no room for). One that is too long for what is
    left is passed over, and so is one with a secret."""
    room = budget * CHARACTERS_PER_TOKEN - len(_section([]))
    chosen: list[Fact] = []
    left_out = 0
    for fact in facts:
        length = len(_item(fact))
        if length > room:
            left_out += 1
        # Asked last: looking for secrets costs more than all else.
        elif not holds_secret(without_secrets(fact)):
            chosen.append(fact)
            room -= length
    return chosen, left_out


def _item(fact: Fact) -> str:
    return f"- {_line(fact)}\n"


def _section(facts: Iterable[Fact]) -> str:
    return f"{_BEGINS}\n{_TITLE}\n\n{''.join(map(_item, facts))}{SECTION_ENDS}\n"


def _line(fact: Fact) -> str:
    """The fact in one line that no marker or heading hides in."""
    said = " ".join(fact.text.split()).replace("<!--", "<! --").replace("-->", "-- >")
    if fact.subject == SPEAKER and is_first_person(said):
        said = f'the user: "{said}"'
    return f"{said} (since {fact.valid_from:%Y-%m-%d})"


def _content(file: Path) -> str:
    """The file's text with the ends of lines that it has; "" where there is none."""
    if file.is_dir():
        raise InvalidInput(f"{file} is a folder: name a file, such as {file / 'AGENTS.md'}")
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"{file} is not valid UTF-8 at byte {error.start + 1}: convert it first") from None


def _write(file: Path, text: str) -> None:
    """Put `text` in the file that `file` is or links to, with the permissions that it has."""
    target = file.resolve()
    mode = target.stat().st_mode if target.exists() else None
    write_whole(target, text)
    if mode is not None:
        target.chmod(stat.S_IMODE(mode))


def _placed(file: Path, before: str, section: str) -> str:
    """`before` with `section` in it. Raises `InvalidInput`."""
    begins = [found.start() for found in re.finditer(rf"^{re.escape(SECTION_BEGINS)}", before, re.MULTILINE)]
    ends = [
        found.end() for found in re.finditer(rf"^{re.escape(SECTION_ENDS)}[ \t]*(?:\r?\n|\Z)", before, re.MULTILINE)
    ]
    if not begins and not ends:
        gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
        return before + _ended_as(before, gap + section)
    if len(begins) != 1 or len(ends) != 1 or ends[0] <= begins[0]:
        raise InvalidInput(f"{file} has markers of hybridmem that do not belong together: keep one begin and one end")
    old = before[begins[0] : ends[0]]
    return before[: begins[0]] + _ended_as(old, section) + before[ends[0] :]


def _ended_as(other: str, text: str) -> str:
    """`text` with the ends of lines that `other` has."""
    return text.replace("\n", "\r\n") if "\r\n" in other else text
