"""Step 1, by propositions: what was said to what is believed. Free text is never pressed into a triple first.

Each episode is split into self-contained propositions with their moods; only what is asserted or planned goes on. A
proposition becomes a fact by a question that it answers, checked by reading; the question is the fact's slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from hybridmem.core.records import TRAINABLE_TRUST, Episode, outlasts
from hybridmem.dreaming.reading import questions as asking
from hybridmem.dreaming.reading.aboutness import nearest
from hybridmem.dreaming.reading.propositions import split
from hybridmem.dreaming.reading.settings import ReadingSettings
from hybridmem.dreaming.reading.settling import Find, settle
from hybridmem.dreaming.reading.source import TURNS_BEFORE, Source, only_name, sources
from hybridmem.dreaming.steps.extract import Extraction
from hybridmem.models.reader import Reader
from hybridmem.stores.ledger.base import Ledger

SAME_DAY = 24
"""Earlier messages of the same day that are looked through for neighbours."""


def read_propositions(
    reader: Reader,
    ledger: Ledger,
    episodes: Sequence[Episode],
    settings: ReadingSettings,
    seed: int,
    find: Find | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Extraction:
    """Facts of `episodes` (one namespace), in the order of time; nothing is written. No model reads text from tools or
    the web. It counts the propositions, believed or not, and what was left out, by the reason. `find` gives the ids of
    the memories most like a text, where there is a search."""
    trusted = [e for e in episodes if e.trust in TRAINABLE_TRUST and not e.quarantined]
    done = tuple(e.id for e in episodes if not e.quarantined)
    if not trusted:
        return Extraction((), done, 0, 0, counts={"propositions": 0, "ended": 0})
    namespace = trusted[0].namespace
    user = only_name(ledger.speakers(namespace))
    around = ledger.around(namespace, [e.id for e in trusted], distance=TURNS_BEFORE)
    given = [
        source
        for episode in trusted
        for source in sources(
            episode,
            [
                t
                for t in around.get(episode.id, ())
                if t.position < episode.position and t.trust in TRAINABLE_TRUST and outlasts(t, episode)
            ],
            user,
        )
    ]
    said = split(reader, given)
    progress(1, 3)
    written = asking.write(reader, said.believed, settings, seed)
    checked = asking.check(reader, written.kept, _Around(ledger, settings.neighbours, find))
    progress(2, 3)
    standing = ledger.facts(namespace)
    settled = settle(reader, said.believed, said.denied, checked.kept, standing, settings, find)
    progress(3, 3)
    left_out: Counter[str] = said.left_out + written.left_out + checked.left_out + settled.left_out
    if said.denied:
        left_out["denied"] += len(said.denied)
    unread = sum(count for reason, count in said.left_out.items() if reason.startswith("reply_"))
    propositions = len(said.believed) + len(said.denied) + sum(said.left_out.values()) - unread
    return Extraction(
        facts=tuple(settled.facts),
        read=done,
        unsupported=sum(left_out.values()),
        tokens=said.tokens + written.tokens + checked.tokens + settled.tokens,
        ended=settled.ended,
        counts={
            "propositions": propositions,
            "ended": len(settled.ended),
            **{f"left_out_{reason}": count for reason, count in left_out.items()},
        },
    )


class _Around:
    """Other messages of a message's day, and those like it, that were said no later; asked for once a message."""

    def __init__(self, ledger: Ledger, limit: int, find: Find | None) -> None:
        self._ledger, self._limit, self._find = ledger, limit, find
        self._known: dict[tuple[str, str], list[Episode]] = {}

    def __call__(self, source: Source) -> list[Episode]:
        key = source.episode.id, source.text
        if key not in self._known:
            self._known[key] = self._looked_up(source)
        return self._known[key]

    def _looked_up(self, source: Source) -> list[Episode]:
        own = source.episode
        before = self._ledger.latest(own.namespace, before=(own.at, own.position), limit=SAME_DAY)
        that_day = [each for each in before if each.at.date() == own.at.date()]
        ids = self._find(source.text, 2 * self._limit) if self._find else ()
        found = self._ledger.get_many(own.namespace, list(ids)).values()
        like = [each for each in found if isinstance(each, Episode) and each.at <= own.at]
        usable = {
            each.id: each
            for each in (*like, *that_day, *before)
            if each.id != own.id and each.trust in TRAINABLE_TRUST and not each.quarantined and outlasts(each, own)
        }
        near = nearest(source.text, [(each, each.text) for each in usable.values()], self._limit)
        chosen = list({each.id: each for each in (*near, *that_day)}.values())[: self._limit]
        return sorted(chosen, key=lambda each: (each.at, each.position))
