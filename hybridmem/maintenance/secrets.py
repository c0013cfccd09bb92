"""Which memories hold secrets, told without the secrets."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hybridmem.core.namespace import Namespace
from hybridmem.core.plain_json import texts_in
from hybridmem.core.records import Episode, Fact, Kind
from hybridmem.importers.identity import DIGEST
from hybridmem.redaction import find
from hybridmem.stores.ledger.base import Ledger

PAGE = 500
EVERY_SECONDS = 600.0
"""Between two counts for metrics."""
KEPT = 100_000
"""Texts whose kinds are remembered, by their digests: a text that was erased must not live on here."""


@dataclass(frozen=True, slots=True)
class SecretReport:
    """One memory that holds secrets."""

    id: str
    kind: Kind
    found: tuple[str, ...]
    """What each looks like, in the order of the text: ``password``, ``PIN``, ``key``, ``private key``, ``card number``.
    """


def secrets_in(record: Episode | Fact) -> tuple[str, ...]:
    """The kinds of the secrets in one memory, in the order of its text."""
    if isinstance(record, Episode):
        return (*_kinds(record.text), *_in_metadata(record))
    return tuple(dict.fromkeys(_kinds("\n".join((record.text, record.claim)))))


def secrets(ledger: Ledger, namespace: Namespace) -> list[SecretReport]:
    """The episodes, and the facts that are believed, of `namespace` that hold a secret, in the order of the ledger."""
    reports: list[tuple[int, SecretReport]] = []
    after = 0
    while page := ledger.episodes(namespace, after=after, limit=PAGE):
        for episode in page:
            if kinds := secrets_in(episode):
                reports.append((episode.position, SecretReport(episode.id, "episode", kinds)))
        after = page[-1].position
    for fact in ledger.facts(namespace):
        if kinds := secrets_in(fact):
            reports.append((fact.position, SecretReport(fact.id, "fact", kinds)))
    return [report for _, report in sorted(reports, key=lambda each: each[0])]


class SecretCounts:
    """How many memories of a namespace hold a secret, by its kind, for whoever asks again and again: counted anew once
    in `every` seconds, since a count reads every memory. Threads may share it."""

    def __init__(self, every: float = EVERY_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = every, clock
        self._counted: dict[Namespace, tuple[float, Mapping[str, int]]] = {}

    def __call__(self, ledger: Ledger, namespace: Namespace) -> Mapping[str, int]:
        counted, found = self._counted.get(namespace, (float("-inf"), {}))
        if self._clock() - counted >= self._every:
            found = Counter(kind for report in secrets(ledger, namespace) for kind in set(report.found))
            self._counted[namespace] = (self._clock(), found)
        return found


class _Kinds:
    """The kinds of secrets in the last texts: a server counts the same ones again and again. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[bytes, tuple[str, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, text: str) -> tuple[str, ...]:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            known = self._found.get(digest)
            if known is not None:
                self._found.move_to_end(digest)
                return known
        kinds = tuple(finding.kind for finding in find(text))
        with self._lock:
            self._found[digest] = kinds
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return kinds


_kinds = _Kinds(KEPT)


def _in_metadata(episode: Episode) -> tuple[str, ...]:
    told = {name: value for name, value in episode.metadata.items() if name != DIGEST}
    return tuple(kind for text in texts_in(told) for kind in _kinds(text))
