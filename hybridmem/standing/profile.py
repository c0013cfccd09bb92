"""What is known of the user and of the current work, ready without a question and without a model.

The order is made at night and follows the ledger by day (`candidates`). The ledger is asked each time what has changed,
and every fact that has is read anew, so that what was deleted, replaced, set aside or has expired is never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from hybridmem.stores.ledger.redacted import without_secrets
from hybridmem.workspace import Workspace

MOST_FACTS = 200
"""Facts of one section at most, whatever the budget."""
AT_ONCE = 40
"""Facts that are read together."""
SAVED_AFTER = 200
"""Positions of the ledger that are followed before the candidates are stored anew: a start follows no more."""
MOST_KEPT = 2_000
"""Facts that a process keeps of one namespace between two profiles."""
NAMESPACES_KEPT = 64
"""Namespaces of which a process keeps anything."""
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
                parts += [HEADINGS[section], *(f"- {line.text}" for line in lines)]
        return "\n".join(parts)

    @property
    def tokens(self) -> int:
        """About how many `text` takes in a prompt, at four characters each; at most the budget."""
        return estimated_tokens(self.text)


class _TooFew(Exception):
    """The candidates end before the profile does, and there are facts behind them."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The lines of one budget, and as long as they are right if nothing changes."""

    budget: int
    lines: tuple[ProfileLine, ...]
    at: datetime
    until: datetime | None
    """The next day of a fact that was looked at: it begins, ends or expires. None for no such day."""

    def is_right(self, budget: int, now: datetime) -> bool:
        return budget == self.budget and self.at <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class _Known:
    """A fact that was read, and how it is written."""

    fact: Fact
    words: str
    """Its text, normalised: facts in the same words are one line."""
    text: str
    tokens: int

    @classmethod
    def of(cls, fact: Fact) -> _Known:
        text = one_line(fact.text)
        return cls(fact, normalised(text), text, estimated_tokens(f"- {text}\n"))

    def may_be_shown(self, now: datetime) -> bool:
        return is_known(self.fact) and holds(self.fact, now) and not has_expired(self.fact, now)

    def line(self, section: Section) -> ProfileLine:
        fact = self.fact
        return ProfileLine(self.text, section, (fact.id,), fact.sources, fact.valid_from, fact.evidence, self.tokens)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a process keeps of a namespace between two profiles. Everything in it is dropped once the ledger says that
    it has changed, which is asked each time."""

    candidates: Candidates
    stored_at: int
    """The position of the candidates that the ledger has."""
    facts: Mapping[str, _Known]
    """Those that were read, by id."""
    shown: _Shown | None = None

    def after(self, candidates: Candidates, changed: Mapping[str, Fact | None]) -> _Kept:
        """The same once `candidates` have followed everything that `changed` (as `candidates.followed` has it)."""
        if changed.keys().isdisjoint(self.facts) and candidates.sections == self.candidates.sections:
            return replace(self, candidates=candidates)
        facts = {id: fact for id, fact in self.facts.items() if id not in changed}
        facts |= {id: _Known.of(without_secrets(fact)) for id, fact in changed.items() if fact is not None}
        return _Kept(candidates, self.stored_at, facts)


def profile(workspace: Workspace, budget: int) -> Profile:
    """The profile as it is now, of at most `budget` tokens."""
    ledger, namespace, now = workspace.ledger, workspace.namespace, workspace.clock()
    ledger.expire_due(namespace, now)
    kept, making = _current(workspace, now)
    shown = kept.shown
    while shown is None or not shown.is_right(budget, now):
        facts = {} if len(kept.facts) > MOST_KEPT else dict(kept.facts)
        try:
            shown = _shown(workspace, kept.candidates, facts, budget, now)
        except _TooFew:
            kept, making = make(workspace, now)
        else:
            kept = replace(kept, facts=facts, shown=shown)
    _keep(workspace, kept)
    return Profile(namespace, shown.lines, budget, now, making.at)


def make(workspace: Workspace, now: datetime, *, night_from: int | None = None) -> tuple[_Kept, Making]:
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
    return _Kept(candidates, candidates.position, {}), making


def forget(workspace: Workspace, ids: Iterable[str]) -> None:
    """Keep no words of facts `ids` in this process: they were erased, or what they quoted was."""
    kept = workspace.resources.derived.get((Candidates.KEY, workspace.namespace))
    if isinstance(kept, _Kept):
        gone = set(ids)
        facts = {id: fact for id, fact in kept.facts.items() if id not in gone}
        _keep(workspace, replace(kept, facts=facts, shown=None))


def position(workspace: Workspace) -> int:
    """The ledger's position now, for `night_from`."""
    return last_change(workspace.ledger, workspace.namespace)


def _current(workspace: Workspace, now: datetime) -> tuple[_Kept, Making]:
    """What is kept, after what has changed since."""
    ledger, namespace = workspace.ledger, workspace.namespace
    making = ledger.get_state(namespace, Making)
    kept = workspace.resources.derived.get((Candidates.KEY, namespace))
    if making is None and workspace.folder.read_only and isinstance(kept, _Kept):
        making = Making(kept.candidates.made, now)
    if not isinstance(kept, _Kept) or making is None or kept.candidates.made != making.made:
        stored = ledger.get_state(namespace, Candidates)
        if stored is None or making is None or stored.made != making.made:
            return make(workspace, now)
        kept = _Kept(stored, stored.position, {})
    kept = kept.after(*followed(kept.candidates, ledger, namespace))
    if kept.candidates.position - kept.stored_at >= SAVED_AFTER and not workspace.folder.read_only:
        ledger.put_state(namespace, kept.candidates)
        kept = replace(kept, stored_at=kept.candidates.position)
    return kept, making


def _keep(workspace: Workspace, kept: _Kept) -> None:
    derived = workspace.resources.derived
    derived[Candidates.KEY, workspace.namespace] = kept
    if len(derived) > NAMESPACES_KEPT:
        # What was kept first is read anew when it is asked for.
        derived.popitem(last=False)


def _shown(
    workspace: Workspace, candidates: Candidates, facts: dict[str, _Known], budget: int, now: datetime
) -> _Shown:
    """The lines within `budget`: half of it is the user's first, the work has what is left, and the user what the work
    does not need. What is read is added to `facts`. Raises `_TooFew`."""
    # Passwords and keys do not belong in front of every conversation.
    ledger = workspace.without_secrets().ledger
    known = {
        name: _Facts(ledger, workspace.namespace, candidates.sections[name], candidates.whole[name], now, facts)
        for name in SECTIONS
    }
    lines: dict[str, ProfileLine] = {}
    spent = 0
    turns: tuple[tuple[Section, int], ...] = (("user", budget // 2), ("work", budget), ("user", budget))
    for section, bound in turns:
        spent = _fill(lines, known[section], section, spent, bound, budget)
    days = [
        day
        for known_fact in facts.values()
        for day in (known_fact.fact.valid_from, known_fact.fact.valid_to, known_fact.fact.expires_at)
        if day is not None and day > now
    ]
    ordered = tuple(sorted(lines.values(), key=lambda line: SECTIONS.index(line.about)))
    return _Shown(budget, ordered, now, min(days, default=None))


@dataclass
class _Facts:
    """The facts of one section that may be shown now, best first, read as they are needed."""

    ledger: Ledger
    namespace: Namespace
    places: tuple[Ranked, ...]
    whole: bool
    now: datetime
    facts: dict[str, _Known]
    """What was read, here and before."""
    waiting: _Known | None = None
    """The next one, which did not fit before."""
    given: int = 0
    _reading: Iterator[_Known] | None = field(default=None, repr=False)

    def next(self) -> _Known | None:
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

    def _read(self) -> Iterator[_Known]:
        for start in range(0, len(self.places), AT_ONCE):
            ids = [place.id for place in self.places[start : start + AT_ONCE]]
            if any(id not in self.facts for id in ids):
                # A few more than are shown: when one of these goes, the next is here already.
                ahead = self.places[start : start + 2 * AT_ONCE]
                found = self.ledger.get_many(self.namespace, [each.id for each in ahead if each.id not in self.facts])
                self.facts.update((id, _Known.of(fact)) for id, fact in found.items() if isinstance(fact, Fact))
            for id in ids:
                fact = self.facts.get(id)
                if fact is not None and fact.may_be_shown(self.now):
                    yield fact


def _fill(lines: dict[str, ProfileLine], facts: _Facts, section: Section, spent: int, bound: int, budget: int) -> int:
    """Add lines of `section` until `bound` tokens are spent; returns how many are then. A fact in the words of a line
    that is there joins it. One that is longer than the whole budget is passed over."""
    # A section's first line brings its heading along.
    begun = any(line.about == section for line in lines.values())
    heading = estimated_tokens(HEADINGS[section] + "\n")
    while (fact := facts.next()) is not None:
        if fact.words in lines:
            lines[fact.words] = _joined(lines[fact.words], fact.fact)
            continue
        cost = fact.tokens if begun else fact.tokens + heading
        if cost > budget:
            continue
        if spent + cost > bound:
            facts.waiting = fact
            break
        lines[fact.words], begun = fact.line(section), True
        spent += cost
    return spent


def _joined(line: ProfileLine, fact: Fact) -> ProfileLine:
    return replace(
        line,
        facts=(*line.facts, fact.id),
        episodes=tuple(dict.fromkeys((*line.episodes, *fact.sources))),
        since=min(line.since, fact.valid_from),
        evidence=max(line.evidence, fact.evidence),
    )
