"""What hybridmem asks of an embedding model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray


class Embedder(Protocol):
    """Texts to unit vectors. One that reads another number of tokens than 256 says so in an attribute `max_tokens`;
    longer memories are embedded in parts."""

    @property
    def name(self) -> str:
        """Recorded with the index; another name is refused at open until `hybridmem reindex`."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> NDArray[Any]:
        """float32 of shape (len(texts), dimension), each row of unit length."""
        ...
