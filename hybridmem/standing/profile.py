"""What is known of the user and of the current work, ready without a question and without a model.

The order is made at night and follows the ledger by day (`candidates`); every line is read from the ledger at the
moment when it is shown, so that what was deleted, replaced, set aside or has expired is never in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Fact, has_expired
from hybridmem.core.text.tokens import normalised
from hybridmem.models.prompts import one_line
from hybridmem.retrieval.shortlist import estimated_tokens
from hybridmem.standing.candidates import Candidates, Making, followed, last_change, made
from hybridmem.standing.ranking import SECTIONS, Ranked, Section, is_known
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.fact_timeline import holds
from hybridmem.workspace import Workspace

BUDGET = 800
"""Tokens of a profile, unless the caller says otherwise."""
MOST_FACTS = 200
"""Facts of one section at most, whatever the budget."""
AT_ONCE = 40
"""Facts that are read together."""
SAVED_AFTER = 200
"""Positions of the ledger that are followed before the candidates are stored anew: a start follows no more."""
HEADINGS = {"user": "What is known of the user:", "work": "What else is known, the latest first:"}


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """One thing that is known, and what it rests on."""

    text: str
    about: Section
    facts: tuple[str, ...]
    """Ids of the facts that say it in these words."""
    episodes: tuple[str, ...]
    """Ids of the episodes in which they were said; empty where a person stated the facts themselves."""
    since: datetime
    """From when on it holds: the first of the facts' days."""
    evidence: int
    """How often it was said."""
    tokens: int
    """About how many it takes in a prompt."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of the user and the current work, best first in each section, within a budget of tokens."""

    namespace: Namespace
    lines: tuple[ProfileLine, ...]
    budget: int
    at: datetime
    """The moment at which it is true."""
    made_at: datetime
    """When its order was last made of everything: at night, or when it was first asked for."""

    @property
    def text(self) -> str:
        """The profile for a prompt: each section under its heading, one line a thing that is known; "" for none."""
        parts = []
        for section in SECTIONS:
            lines = [line for line in self.lines if line.about == section]
            if lines:
                parts += [HEADINGS[section], *map(_written, lines)]
        return "\n".join(parts)

    @property
    def tokens(self) -> int:
        """About how many `text` takes in a prompt, at four characters each; at most the budget."""
        return estimated_tokens(self.text)


class _TooFew(Exception):
    """The candidates end before the profile does, and there are facts behind them."""


def profile(workspace: Workspace, budget: int) -> Profile:
    """The profile as it is now, of at most `budget` tokens."""
    ledger, namespace, now = workspace.ledger, workspace.namespace, workspace.clock()
    ledger.expire_due(namespace, now)
    candidates, making = _current(workspace, now)
    # Passwords and keys do not belong in front of every conversation.
    reading = workspace.without_secrets().ledger
    while True:
        try:
            lines = _chosen(reading, namespace, candidates, budget, now)
        except _TooFew:
            candidates, making = make(workspace, now)
            continue
        return Profile(namespace, lines, budget, now, making.at)


def make(workspace: Workspace, now: datetime, *, night_from: int | None = None) -> tuple[Candidates, Making]:
    """Make the order anew from every fact and its uses, and store it. `night_from`: the ledger's position before the
    night that has just ended, if one has."""
    ledger, namespace = workspace.ledger, workspace.namespace
    before = ledger.get_state(namespace, Making)
    night = night_from if night_from is not None or before is None else before.night_from
    candidates = made(ledger, namespace, now)
    making = Making(candidates.made, now, night)
    if not workspace.folder.read_only:
        ledger.put_state(namespace, candidates)
        ledger.put_state(namespace, making)
    _keep(workspace, _Kept(candidates, candidates.position))
    return candidates, making


def position(workspace: Workspace) -> int:
    """The ledger's position now, for `night_from`."""
    return last_change(workspace.ledger, workspace.namespace)


def _current(workspace: Workspace, now: datetime) -> tuple[Candidates, Making]:
    """The stored order, after what has changed since."""
    ledger, namespace = workspace.ledger, workspace.namespace
    making = ledger.get_state(namespace, Making)
    kept = workspace.resources.derived.get((Candidates.KEY, namespace))
    if making is None and workspace.folder.read_only and isinstance(kept, _Kept):
        making = Making(kept.candidates.made, now)
    if not isinstance(kept, _Kept) or making is None or kept.candidates.made != making.position:
        stored = ledger.get_state(namespace, Candidates)
        if stored is None or making is None or stored.made != making.position:
            return make(workspace, now)
        kept = _Kept(stored, stored.position)
    candidates, stored_at = followed(kept.candidates, ledger, namespace), kept.stored_at
    if candidates.position - stored_at >= SAVED_AFTER and not workspace.folder.read_only:
        ledger.put_state(namespace, candidates)
        stored_at = candidates.position
    _keep(workspace, _Kept(candidates, stored_at))
    return candidates, making


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a process keeps of a namespace between two profiles."""

    candidates: Candidates
    stored_at: int
    """The position of those that the ledger has."""


def _keep(workspace: Workspace, kept: _Kept) -> None:
    workspace.resources.derived[Candidates.KEY, workspace.namespace] = kept


@dataclass
class _Facts:
    """The facts of one section that may be shown now, best first, read as they are needed."""

    ledger: Ledger
    namespace: Namespace
    places: tuple[Ranked, ...]
    whole: bool
    now: datetime
    waiting: Fact | None = None
    """The next one, which did not fit before."""
    given: int = 0
    _reading: Iterator[Fact] | None = field(default=None, repr=False)

    def next(self) -> Fact | None:
        """None at the end. Raises `_TooFew`."""
        if self.waiting is not None:
            waiting, self.waiting = self.waiting, None
            return waiting
        if self.given == MOST_FACTS:
            return None
        self._reading = self._reading or self._read()
        fact = next(self._reading, None)
        if fact is None and not self.whole:
            raise _TooFew
        self.given += fact is not None
        return fact

    def _read(self) -> Iterator[Fact]:
        for start in range(0, len(self.places), AT_ONCE):
            ids = [place.id for place in self.places[start : start + AT_ONCE]]
            found = self.ledger.get_many(self.namespace, ids)
            for id in ids:
                fact = found.get(id)
                if (
                    isinstance(fact, Fact)
                    and is_known(fact)
                    and holds(fact, self.now)
                    and not has_expired(fact, self.now)
                ):
                    yield fact


def _chosen(
    ledger: Ledger, namespace: Namespace, candidates: Candidates, budget: int, now: datetime
) -> tuple[ProfileLine, ...]:
    """The lines within `budget`: half of it is the user's first, the work has what is left, and the user what the work
    does not need."""
    facts = {
        name: _Facts(ledger, namespace, candidates.sections[name], candidates.whole[name], now) for name in SECTIONS
    }
    lines: dict[str, ProfileLine] = {}
    spent = 0
    turns: tuple[tuple[Section, int], ...] = (("user", budget // 2), ("work", budget), ("user", budget))
    for section, bound in turns:
        spent = _fill(lines, facts[section], section, spent, bound, budget)
    return tuple(sorted(lines.values(), key=lambda line: SECTIONS.index(line.about)))


def _fill(lines: dict[str, ProfileLine], facts: _Facts, section: Section, spent: int, bound: int, budget: int) -> int:
    """Add lines of `section` until `bound` tokens are spent; returns how many are then. A fact in the words of a line
    that is there joins it. One that is longer than the whole budget is passed over."""
    while (fact := facts.next()) is not None:
        words = normalised(fact.text)
        if words in lines:
            lines[words] = _joined(lines[words], fact)
            continue
        line = _line(fact, section)
        # A section's first line brings its heading along.
        begins = all(each.about != section for each in lines.values())
        cost = line.tokens + (estimated_tokens(HEADINGS[section] + "\n") if begins else 0)
        if cost > budget:
            continue
        if spent + cost > bound:
            facts.waiting = fact
            break
        lines[words] = line
        spent += cost
    return spent


def _line(fact: Fact, section: Section) -> ProfileLine:
    text = one_line(fact.text)
    line = ProfileLine(text, section, (fact.id,), fact.sources, fact.valid_from, fact.evidence, 0)
    return replace(line, tokens=estimated_tokens(_written(line) + "\n"))


def _joined(line: ProfileLine, fact: Fact) -> ProfileLine:
    return replace(
        line,
        facts=(*line.facts, fact.id),
        episodes=tuple(dict.fromkeys((*line.episodes, *fact.sources))),
        since=min(line.since, fact.valid_from),
        evidence=max(line.evidence, fact.evidence),
    )


def _written(line: ProfileLine) -> str:
    return f"- {line.text}"
