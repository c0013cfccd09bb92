"""Where one event of a chunk ends and the next begins: at a token that surprises the model (EM-LLM, Fountas et al.
2024, arXiv:2407.09450)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from hybridmem.running.settings import SessionSettings


@dataclass(slots=True)
class Event:
    """Tokens of one message that are chosen, compacted and dropped together."""

    message: str
    """The id of the message."""
    start: int
    stop: int
    """Its place among the keys of its chunk."""
    begin: int
    tokens: int
    """Its place among the tokens of its chunk; there are more of them than keys once it is compacted."""
    surprise: float
    """Nats, over all of its tokens, when they were read first."""
    attended: float = 0.0
    """Attention that questions gave it, over all answers."""
    answers: int = 0
    """Answers that read it."""

    def __len__(self) -> int:
        return self.stop - self.start


def boundaries(surprise: Sequence[float], settings: SessionSettings) -> list[int]:
    """Where events of a message begin whose tokens surprise by so many nats; the first at 0.

    It looks back only: what a message says later moves no boundary before it."""
    starts = [0]
    for at, nats in enumerate(surprise):
        length = at - starts[-1]
        if length < settings.min_event or len(surprise) - at < settings.min_event:
            full = length >= settings.max_event
        else:
            recent = surprise[max(0, at - settings.window) : at]
            limit = statistics.fmean(recent) + settings.gamma * statistics.pstdev(recent)
            full = length >= settings.max_event or nats > limit
        if full:
            starts.append(at)
    return starts


def events(messages: Sequence[tuple[str, int]], surprise: Sequence[float], settings: SessionSettings) -> list[Event]:
    """The events of a chunk of `messages`, each (id, tokens): none reaches over two of them."""
    found = []
    begin = 0
    for message, tokens in messages:
        nats = surprise[begin : begin + tokens]
        starts = boundaries(nats, settings)
        for start, stop in zip(starts, [*starts[1:], tokens], strict=True):
            found.append(
                Event(message, begin + start, begin + stop, begin + start, stop - start, sum(nats[start:stop]))
            )
        begin += tokens
    return found
