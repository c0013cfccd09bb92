"""The graph of one namespace in memory: walked for a search, and looked at around one entity.

A search is a personalised PageRank between entities and memories. The memories in between are folded away: a matrix
says how much flows from one entity to another through all memories that both stand in, so that a step costs as much as
there are pairs of entities, and not as there are memories. Only the last step looks at every memory. Memories that were
added since the last folding, and the few with very many names, take part unfolded.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from hybridmem.core.text.mentions import Mentions, named
from hybridmem.stores.index.base import Neighbourhood
from hybridmem.stores.index.mention_graph import DAMPING

TOLERANCE = 1e-10
WIDE = 24
"""A memory with more names than this is not folded: its pairs would outnumber what folding saves."""
FOLD_AGAIN = 0.1
"""The share of memories that may be unfolded before all are folded anew."""
_FOLD_FROM = 2_000

Numbers = NDArray[np.intp]
Masses = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Folded:
    """What flows between entities through the memories with a row below `rows`, except the wide ones."""

    rows: int
    to: Numbers
    frm: Numbers
    share: Masses


_NOTHING = _Folded(0, np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), np.zeros(0))


class Walk:
    """Memories and the entities in them, by the rule of `links.edges`; `add` makes it grow."""

    def __init__(self, memories: Mapping[str, Mentions]) -> None:
        self._memories: list[str] = []
        self._names: dict[str, int] = {}
        self._parts: dict[str, set[str]] = {}
        self._waiting: dict[str, list[int]] = {}
        """Rows of memories that may mean a name which no memory is sure of yet."""
        self._edge_rows, self._edge_names = array("q"), array("q")
        self._folded = _NOTHING
        self.add(memories)

    def add(self, memories: Mapping[str, Mentions]) -> None:
        """Take in memories that were not there."""
        for mention in memories.values():
            for name in mention.names:
                self._make_known(name)
        for id, mention in memories.items():
            row = len(self._memories)
            self._memories.append(id)
            for name in sorted(mention.names | mention.maybe):
                number = self._names.get(name)
                if number is None:
                    self._waiting.setdefault(name, []).append(row)
                else:
                    self._edge_rows.append(row)
                    self._edge_names.append(number)

    def from_text(self, text: str, limit: int) -> list[tuple[str, float]]:
        """(memory, its probability) of those that a walk from the entities in `text` reaches, best first."""
        seeds = named(text, self._names, self._parts)
        if not seeds or limit <= 0:
            return []
        mass = self._pagerank([self._names[name] for name in seeds])
        least = TOLERANCE
        if limit < len(mass):
            # All that are as good as the last one in: their ids decide.
            least = max(least, float(np.partition(mass, -limit)[-limit]))
        reached = np.flatnonzero((mass >= least) & (mass > TOLERANCE))
        best = sorted((-float(mass[row]), self._memories[row]) for row in reached)
        return [(id, -score) for score, id in best[:limit]]

    def matching(self, text: str, limit: int) -> list[tuple[str, int]]:
        """Entities whose name contains `text`, and how many memories each stands in; the most mentioned first."""
        degrees = self._degrees()
        found = ((int(degrees[number]), name) for name, number in self._names.items() if text in name)
        return _most(((name, count) for count, name in found), limit)

    def mentioning(self, entity: str, limit: int) -> list[str]:
        """Memories with `entity`, the highest id first."""
        number = self._names.get(entity)
        if number is None:
            return []
        rows, names = self._edges()
        return nlargest(limit, (self._memories[row] for row in rows[names == number]))

    def neighbourhood(self, entity: str | None, limit: int) -> Neighbourhood:
        """See `stores.index.base.GraphIndex.neighbourhood`."""
        rows, names = self._edges()
        degrees = self._degrees()
        if entity is None:
            chosen = [number for number, _ in self._ranked(degrees, limit)]
        elif entity not in self._names:
            return Neighbourhood()
        else:
            centre = self._names[entity]
            with_it = np.zeros(len(self._memories), dtype=bool)
            with_it[rows[names == centre]] = True
            shared = np.bincount(names[with_it[rows]], minlength=len(self._names))
            shared[centre] = 0
            chosen = [centre, *(number for number, _ in self._ranked(shared, limit - 1))]
        spoken = list(self._names)
        return Neighbourhood(
            entities=tuple((spoken[number], int(degrees[number])) for number in chosen),
            links=tuple((spoken[chosen[a]], spoken[chosen[b]], count) for a, b, count in _pairs(rows, names, chosen)),
        )

    def _make_known(self, name: str) -> None:
        if name in self._names:
            return
        number = self._names[name] = len(self._names)
        words = name.split()
        if len(words) > 1:
            for word in words:
                self._parts.setdefault(word, set()).add(name)
        for row in self._waiting.pop(name, ()):
            self._edge_rows.append(row)
            self._edge_names.append(number)
            if row < self._folded.rows:
                self._folded = _NOTHING

    def _edges(self) -> tuple[Numbers, Numbers]:
        """The row of the memory, and the number of the entity, at the ends of each edge."""
        return np.array(self._edge_rows, dtype=np.intp), np.array(self._edge_names, dtype=np.intp)

    def _degrees(self) -> Numbers:
        return np.bincount(np.array(self._edge_names, dtype=np.intp), minlength=len(self._names))

    def _ranked(self, counts: Numbers, limit: int) -> list[tuple[int, int]]:
        """(number, count) of the entities that count most, without those that count nothing."""
        spoken = list(self._names)
        best = _most(((spoken[number], int(counts[number])) for number in np.flatnonzero(counts)), limit)
        return [(self._names[name], count) for name, count in best]

    def _pagerank(self, seeds: Sequence[int]) -> Masses:
        """The stationary probability of every memory."""
        rows, names = self._edges()
        degrees = self._degrees()
        sizes = np.bincount(rows, minlength=len(self._memories))
        folded = self._fold(rows, names, sizes)
        apart = (rows >= folded.rows) | (sizes[rows] > WIDE)
        rows_apart, names_apart, share_apart = rows[apart], names[apart], 1.0 / sizes[rows[apart]]
        restart = np.zeros(len(self._names))
        restart[list(seeds)] = 1.0 / degrees[list(seeds)]
        restart /= restart.sum()
        at_entities: Masses = restart
        change = 1.0
        while change > TOLERANCE:
            sent = at_entities / degrees
            moved: Masses = np.asarray(
                np.bincount(folded.to, folded.share * sent[folded.frm], len(self._names)), dtype=np.float64
            )
            if len(rows_apart):
                held = np.bincount(rows_apart, sent[names_apart], len(self._memories))
                moved = moved + np.bincount(names_apart, held[rows_apart] * share_apart, len(self._names))
            moved = np.asarray(DAMPING**2 * moved + (1 - DAMPING) * restart)
            change = float(np.abs(moved - at_entities).sum())
            at_entities = moved
        received = np.bincount(rows, (at_entities / degrees)[names], len(self._memories))
        return np.asarray(DAMPING * received)

    def _fold(self, rows: Numbers, names: Numbers, sizes: Numbers) -> _Folded:
        """The present folding, made anew where too much was added since."""
        behind = len(self._memories) - self._folded.rows
        if behind > max(_FOLD_FROM, FOLD_AGAIN * len(self._memories)):
            self._folded = _folding(rows, names, sizes)
        return self._folded


def _folding(rows: Numbers, names: Numbers, sizes: Numbers) -> _Folded:
    narrow = sizes[rows] <= WIDE
    rows, names = rows[narrow], names[narrow]
    count = int(names.max(initial=0)) + 1
    codes, shares = [names * count + names], [1.0 / sizes[rows]]
    for here, there, row in _together(rows, names):
        codes += [here * count + there, there * count + here]
        shares += [1.0 / sizes[row]] * 2
    pairs, place = np.unique(np.concatenate(codes), return_inverse=True)
    share = np.asarray(np.bincount(place, np.concatenate(shares), len(pairs)), dtype=np.float64)
    return _Folded(len(sizes), pairs // count, pairs % count, share)


def _pairs(rows: Numbers, names: Numbers, chosen: Sequence[int]) -> list[tuple[int, int, int]]:
    """(place in `chosen`, place, memories with both) of the pairs that share any, the most first."""
    if len(chosen) < 2:
        return []
    place = np.full(int(names.max()) + 1, -1)
    place[list(chosen)] = np.arange(len(chosen))
    within = place[names] >= 0
    both = np.zeros(len(chosen) ** 2, dtype=np.intp)
    for here, there, _ in _together(rows[within], place[names[within]]):
        both += np.bincount(np.minimum(here, there) * len(chosen) + np.maximum(here, there), minlength=len(both))
    found = [(int(code) // len(chosen), int(code) % len(chosen), int(both[code])) for code in np.flatnonzero(both)]
    return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))


def _together(rows: Numbers, names: Numbers) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """(name, another one, the row) of every two names that stand in one row, in batches."""
    order = np.argsort(rows, kind="stable")
    rows, names = rows[order], names[order]
    step = 1
    while (same := rows[:-step] == rows[step:]).any():
        yield names[:-step][same], names[step:][same], rows[step:][same]
        step += 1


def _most(counted: Iterable[tuple[str, int]], limit: int) -> list[tuple[str, int]]:
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))[: max(limit, 0)]
