"""What a session memory keeps, and how much of it an answer reads."""

from __future__ import annotations

from dataclasses import dataclass

from hybridmem.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The settings of one session. Raises `InvalidInput` for values that cannot work together."""

    chunk: int = 128
    """Most tokens that are read at once, each seeing those before it."""
    min_event: int = 8
    """Fewest tokens of an event, unless its message ends."""
    max_event: int = 64
    """Most tokens of an event."""
    gamma: float = 1.0
    """Standard deviations above the mean surprise from which on a token begins an event."""
    window: int = 64
    """Tokens whose surprise that mean and deviation are taken of."""
    budget: int = 256
    """Tokens of events that an answer reads at most."""
    max_bytes: int = 256 * 2**20
    """Bytes of keys and values; beyond, the oldest events are compacted, and then the least attended go."""
    compact_to: float = 0.25
    """Proportion of an event's tokens that a compaction keeps."""
    ridge: float = 1e-2
    """Penalty on the change of a compacted event's values, relative to the attention that they get."""
    int8: bool = True
    """Whether keys and values are kept in 8 bits, or as the model computes them."""
    output_memory: bool = False
    """Whether the nearest hidden states of the session vote on each token of an answer."""
    most_vote: float = 0.6
    """Largest part of a token's probability that comes from them."""

    def __post_init__(self) -> None:
        for name in ("chunk", "min_event", "max_event", "window", "budget", "max_bytes"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidInput(f"{name} is {value!r}: pass a whole number of at least 1")
        if not self.min_event <= self.max_event <= self.chunk:
            raise InvalidInput(
                f"min_event, max_event and chunk are {self.min_event}, {self.max_event} and {self.chunk}: pass them in "
                f"growing order"
            )
        if self.ridge <= 0 or self.gamma < 0:
            raise InvalidInput(
                f"ridge is {self.ridge} and gamma {self.gamma}: pass a ridge above 0, a gamma of 0 or more"
            )
        if not 0 < self.compact_to < 1:
            raise InvalidInput(f"compact_to is {self.compact_to}: pass a proportion between 0 and 1")
        if not 0 <= self.most_vote < 1:
            raise InvalidInput(f"most_vote is {self.most_vote}: pass a proportion from 0 to below 1")
