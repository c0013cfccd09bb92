"""A chunk that was read: what it said, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from hybridmem.running.chunks import Piece
from hybridmem.running.events import Event
from hybridmem.running.reader import OpenReading
from hybridmem.running.storage import KeyValues


@dataclass(slots=True)
class Chunk:
    """Messages, or pieces of them, that were read behind one opening."""

    pieces: list[Piece]
    surprise: list[float]
    """By token: nats, when it was read first."""
    events: list[Event]
    """In the order of the keys, each of which belongs to one."""
    kept: KeyValues
    hidden: Tensor | None = None
    """bfloat16 (tokens, width): the state behind each token, for an output memory."""
    convolutions: tuple[Tensor, ...] = ()
    """State of each convolution at its end, (1, channels, taps); empty for a model that has none."""
    is_read: bool = True
    """Whether the keys are there; not where a message was erased from it since."""
    compacted: bool = False
    """Whether its events have fewer keys than tokens."""
    open: OpenReading | None = None
    """The reading that goes on here; None for a chunk that is full."""

    @property
    def tokens(self) -> int:
        """How many it was read as."""
        return sum(len(piece.ids) for piece in self.pieces)

    @property
    def ids(self) -> list[int]:
        return [id for piece in self.pieces for id in piece.ids]

    @property
    def messages(self) -> set[str]:
        """Ids of the messages that it has words of."""
        return {piece.message for piece in self.pieces}

    @property
    def nbytes(self) -> int:
        """Of its tensors."""
        cache = self.open.cache.layers if self.open else ()
        opened: int = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache if hasattr(layer, "keys"))
        hidden = 0 if self.hidden is None else self.hidden.nbytes
        return self.kept.nbytes + hidden + opened + sum(each.nbytes for each in self.convolutions)
