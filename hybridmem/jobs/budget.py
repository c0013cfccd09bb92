"""What one dream may cost before it is refused or stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybridmem.core.errors import InvalidInput

if TYPE_CHECKING:
    from hybridmem.core.records import DreamReport


@dataclass(frozen=True, slots=True)
class Budget:
    """The bounds of one dream; None bounds nothing. A dream that is stopped by one is resumed by the next dream."""

    seconds: float | None = None
    """Wall-clock seconds from the start of the dream; waiting for its turn is not counted."""
    tokens: int | None = None
    """Trained tokens, by the estimate before the dream."""
    memory_gb: float | None = None
    """Units of 10^9 bytes of main memory that the dream's process may hold at any moment."""

    def __post_init__(self) -> None:
        """Raises `InvalidInput` for a bound that is not above 0."""
        for name, bound in (("seconds", self.seconds), ("tokens", self.tokens), ("memory", self.memory_gb)):
            if bound is not None and not bound > 0:
                raise InvalidInput(f"a budget of {bound:g} {name} lets no dream run: give more than 0, or leave it out")

    def refusal(self, estimate: DreamReport) -> str | None:
        """Why the estimated dream may not begin; None if it may."""
        if self.tokens is not None and estimate.trained_tokens > self.tokens:
            return f"it would train {estimate.trained_tokens:,} tokens, and the budget is {self.tokens:,}"
        return None

    def excess(self, seconds: float, memory_bytes: int) -> str | None:
        """Why a dream must stop after `seconds` with `memory_bytes` in use; None if it may go on."""
        if self.seconds is not None and seconds > self.seconds:
            return f"its budget of {self.seconds:g} seconds is used up"
        if self.memory_gb is not None and memory_bytes > self.memory_gb * 1e9:
            return f"it takes {memory_bytes / 1e9:.2f} GB of memory, and the budget is {self.memory_gb:g} GB"
        return None
