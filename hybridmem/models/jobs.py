"""The memory jobs by name."""

from __future__ import annotations

from typing import Literal

Job = Literal["answer", "facts", "question", "propositions"]
BASIC: frozenset[Job] = frozenset({"answer", "facts", "question"})
"""What the bundled base was trained for."""
EVERY: frozenset[Job] = BASIC | {"propositions"}
"""What the memory-skills adapters teach."""
