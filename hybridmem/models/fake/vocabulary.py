"""Token ids for the fake model: a number for each word and each run of white space, in the order of their first use."""

from __future__ import annotations

import re
from collections.abc import Sequence


class Vocabulary:
    """Reversible, and private to one model: ids mean nothing in another process."""

    end = 0
    """The token that ends a turn."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {"": self.end}
        self._words = [""]

    def encode(self, text: str) -> list[int]:
        found = []
        for word in re.findall(r"\S+|\s+", text):
            if word not in self._ids:
                self._ids[word] = len(self._words)
                self._words.append(word)
            found.append(self._ids[word])
        return found

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self._words[id] for id in ids)
