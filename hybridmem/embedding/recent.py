"""The vectors of the last texts: what people search for, they search for again."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class RecentVectors:
    """At most `size` vectors, under digests of their texts: an erased text must not live on in a cache.

    Threads may use it at once, and one that finds its vector waits for nobody who makes another.

    >>> recent = RecentVectors(2)
    >>> made = [recent.of(text, lambda text: np.float32([len(text)])) for text in ("a", "bb", "a")]
    >>> len(recent)
    2
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def of(self, text: str, make: Callable[[str], Vector]) -> Vector:
        """The vector of `text`, by `make` where it is not among the last."""
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            found = self._vectors.get(key)
            if found is not None:
                self._vectors.move_to_end(key)
                return found
        made = make(text)
        with self._lock:
            self._vectors[key] = made
            self._vectors.move_to_end(key)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return made
