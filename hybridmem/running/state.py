"""The running state of one session: the keys and values of what was read, by event, within a bound on their bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import torch

from hybridmem.core.errors import InvalidInput
from hybridmem.running import frame, storage
from hybridmem.running.chunk import Chunk
from hybridmem.running.chunks import Piece, SessionMessage, packed, pieces
from hybridmem.running.compaction import compact
from hybridmem.running.events import Event, events
from hybridmem.running.prefix import SessionPrefix
from hybridmem.running.reader import SessionReader
from hybridmem.running.settings import SessionSettings


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What `SessionState.forget` took."""

    events: int
    """That are gone."""
    chunks: int
    """Of which a rest is to be read again."""


class SessionState:
    """What a model read, as it can be asked about it.

    Whoever calls it holds the model, under the adapter that `reader` was made with (`SessionReader`)."""

    def __init__(self, reader: SessionReader, settings: SessionSettings) -> None:
        self.reader = reader
        self.settings = settings
        self.chunks: list[Chunk] = []
        self.dropped = 0
        """Events that had to go for the bound on bytes, so far."""
        least = self.bytes_of(settings.chunk, open_tokens=settings.chunk)
        if settings.max_bytes < least:
            raise InvalidInput(
                f"max_bytes is {settings.max_bytes:,}, and a chunk of {settings.chunk} tokens of this model takes "
                f"{least:,}: pass at least that, or a smaller chunk"
            )

    @property
    def tokens(self) -> int:
        """How many were read and are still kept, compacted or not."""
        return sum(event.tokens for event in self.events)

    @property
    def events(self) -> list[Event]:
        """All events, in the order of the session."""
        return [event for chunk in self.chunks for event in chunk.events]

    @property
    def nbytes(self) -> int:
        """Of all tensors."""
        return sum(chunk.nbytes for chunk in self.chunks)

    def bytes_of(self, tokens: int, *, open_tokens: int) -> int:
        """What `nbytes` is of a chunk of so many tokens, `open_tokens` of them in one that is still read into."""
        layers, (heads, _, size) = len(self.reader.layers), self.reader.heads
        kept = storage.bytes_of(tokens, layers, heads, size, int8=self.settings.int8)
        width = self.reader.module.config.get_text_config().hidden_size
        hidden = 2 * tokens * width if self.settings.output_memory else 0
        item = self.reader.model.dtype.itemsize
        opened = 2 * layers * heads * size * item * (open_tokens + len(self.reader.opening)) if open_tokens else 0
        return kept + hidden + opened

    def read(self, messages: Iterable[SessionMessage]) -> None:
        """Go on with `messages`."""
        most = self.settings.chunk
        found = [each for message in messages for each in pieces(message, self.reader.model.encode_text, most)]
        last = self.chunks[-1] if self.chunks and self.chunks[-1].open is not None else None
        for number, group in enumerate(packed(found, most - last.tokens if last else 0, most)):
            if number:
                if last is not None:
                    last.open = None
                last = self._unread([])
                last.open, last.is_read = self.reader.begin(), True
                self.chunks.append(last)
            if group and last is not None:
                self._extend(last, group)
                self._keep_within_bytes()

    def forget(self, messages: Collection[str]) -> Forgotten:
        """Let go of every chunk that has words of the messages with these ids: their rest is read again by `settle`.

        What a chunk's other messages left depends on the erased one, which they saw. It needs no model."""
        gone = [event for event in self.events if event.message in messages]
        kept: list[Chunk] = []
        unread = 0
        for chunk in self.chunks:
            if chunk.messages.isdisjoint(messages):
                kept.append(chunk)
            elif rest := [piece for piece in chunk.pieces if piece.message not in messages]:
                kept.append(self._unread(rest))
                unread += 1
        self.chunks = kept
        return Forgotten(len(gone), unread)

    def settle(self) -> None:
        """Read again what `forget` left unread. To be called before anything is read or asked."""
        for chunk in self.chunks:
            if not chunk.is_read:
                chunk.open = self.reader.begin()
                pieces, chunk.pieces = chunk.pieces, []
                self._extend(chunk, pieces)
                chunk.is_read = True
                if chunk is not self.chunks[-1]:
                    chunk.open = None
        self._keep_within_bytes()

    def prefix(self, question: str, ids: Sequence[int], room: int | None = None) -> SessionPrefix:
        """What `question`, whose prompt ends with `ids`, is to be read behind, in at most `room` keys. Raises
        `InvalidInput` where nothing was read."""
        if not self.events:
            raise InvalidInput("nothing was read yet: read messages before you ask")
        budget = self.settings.budget if room is None else min(self.settings.budget, room)
        return SessionPrefix(self.reader, self.chunks, budget, ids, frame.words(self.reader.model, question))

    def note(self, prefix: SessionPrefix) -> None:
        """Remember what a question attended to."""
        for event, mass in zip(self.events, prefix.mass, strict=False):
            event.attended += mass
        read = set(prefix.events)
        for number, event in enumerate(self.events):
            event.answers += number in read

    def _unread(self, found: list[Piece]) -> Chunk:
        layers, (heads, _, size) = len(self.reader.layers), self.reader.heads
        nothing = torch.zeros(layers, heads, 0, size, device=self.reader.device)
        return Chunk(found, [], [], storage.KeyValues(nothing, nothing), is_read=False)

    def _extend(self, chunk: Chunk, group: Sequence[Piece]) -> None:
        """Read `group` into the open `chunk`."""
        opened = chunk.open
        assert opened is not None  # noqa: S101
        ids = [id for piece in group for id in piece.ids]
        passage = self.reader.read(opened, ids, hidden=self.settings.output_memory)
        chunk.pieces += group
        chunk.surprise += passage.surprise
        if passage.hidden is not None:
            chunk.hidden = passage.hidden if chunk.hidden is None else torch.cat([chunk.hidden, passage.hidden])
        chunk.kept = storage.KeyValues.of(*self.reader.keys_and_values(opened), int8=self.settings.int8)
        chunk.convolutions = self.reader.convolution_states(opened)
        # What was read later moves no event before it, so those that there were only get successors.
        found = events([(piece.message, len(piece.ids)) for piece in chunk.pieces], chunk.surprise, self.settings)
        chunk.events += found[len(chunk.events) :]

    def _keep_within_bytes(self) -> None:
        while self.nbytes > self.settings.max_bytes:
            full = [chunk for chunk in self.chunks if chunk.open is None]
            whole = next((chunk for chunk in full if not chunk.compacted), None)
            if whole is not None:
                compact(self.reader, whole, self.settings)
            elif full:
                self._drop_least_attended(full)
            else:
                return

    def _drop_least_attended(self, chunks: Sequence[Chunk]) -> None:
        """Of two events that were attended alike, the older one goes."""
        chunk, event = min(
            ((chunk, event) for chunk in chunks for event in chunk.events), key=lambda each: each[1].attended
        )
        self.dropped += 1
        length = len(event)
        tokens = torch.arange(len(chunk.kept), device=self.reader.device)
        chunk.kept = chunk.kept.only(tokens[(tokens < event.start) | (tokens >= event.stop)])
        chunk.events.remove(event)
        for later in chunk.events:
            if later.start >= event.stop:
                later.start, later.stop = later.start - length, later.stop - length
        if not chunk.events:
            self.chunks = [each for each in self.chunks if each is not chunk]
