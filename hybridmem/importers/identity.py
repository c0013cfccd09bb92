"""What makes the same import twice add nothing: every turn gets a key that later exports of the same chat give it too.

The key is the source's own id of the message where there is one; else a digest of session, time, role, speaker and
text. A turn whose time the file does not say is told from its equals by their order in the file.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from hybridmem.core.namespace import Namespace
from hybridmem.importers.base import Entry, ImportedTurn

DATED_BY = "dated_by"
"""The entry of a turn's metadata that says where its time comes from, where the file does not say it: `neighbour`,
`conversation` or `file`."""

DIGEST = "import_digest"
"""The entry of an imported episode's metadata that tells whether its message was edited since."""

_COPY = re.compile(r" ?\(\d{1,3}\)$")


class Keys:
    """Gives the turns of one file their keys, in order."""

    def __init__(self) -> None:
        self._digests: dict[str, bytes] = {}
        self._times: Counter[bytes] = Counter()

    def keyed(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """`entries`, with a key for every turn."""
        for entry in entries:
            yield replace(entry, key=self._key(entry)) if isinstance(entry, ImportedTurn) else entry

    def _key(self, turn: ImportedTurn) -> str:
        if turn.key is not None:
            digest = text_digest(turn.text)
            if self._digests.setdefault(turn.key, digest) == digest:
                return turn.key
            # an id that stands for several texts is none: the later ones get their words into their keys
            return f"{turn.key}/{digest.hex()}"
        at = turn.at.isoformat() if turn.at is not None and DATED_BY not in turn.metadata else ""
        said = _digest(turn.session or "", at, turn.role, turn.speaker or "", turn.text)
        self._times[said] += 1
        times = self._times[said]
        return f"{said.hex()}/{times}" if times > 1 else said.hex()


def episode_id(namespace: Namespace, turn: ImportedTurn) -> str:
    """The id of the episode that is made of `turn`, the same at every import into `namespace`."""
    return message_id(namespace, turn.source, turn.key or "")


def message_id(namespace: Namespace, source: str, key: str) -> str:
    """The id of the episode that is made of the message that `source` knows by `key`."""
    return f"ep_{_digest(*namespace, '', source, key).hex()}"


def fact_id(namespace: Namespace, *parts: str) -> str:
    """The id of an imported fact, the same at every import into `namespace`."""
    return f"fa_{_digest(*namespace, '', *parts).hex()}"


def text_digest(text: str) -> bytes:
    """Eight bytes that tell a text from what it was before it was edited."""
    return _digest(text)[:8]


def text_mark(text: str) -> str:
    """`text_digest` as metadata keeps it: never digits alone, which might be a card's number."""
    return f"x{text_digest(text).hex()}"


def own_key(session: str | None, id: object) -> str | None:
    """The key of a message that its source calls `id`: short ids are unique in their session alone, and without one
    they tell nothing: None."""
    if isinstance(id, bool) or not isinstance(id, (str, int)) or id == "":
        return None
    if len(str(id)) >= 16:
        return str(id)
    return f"{session}/{id}" if session else None


def file_name(stem: str) -> str:
    """A session's name from a file's, without the number that browsers add to a second download.

    >>> file_name("_chat (2)")
    '_chat'
    """
    return _COPY.sub("", stem) or stem


def _digest(*parts: str) -> bytes:
    hashed = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return hashed.digest()[:16]
