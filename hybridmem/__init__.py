"""Memory for AI agents, outside the model and inside it: a ledger with a vector, full-text and graph index, and
nightly dreams that distil what proved stable into LoRA adapters, with forgetting measured.

>>> from hybridmem import HybridMemory
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hybridmem.core.version import VERSION as __version__  # noqa: F401

if TYPE_CHECKING:
    from hybridmem.core.errors import HybridMemError as HybridMemError
    from hybridmem.core.records import Answer as Answer
    from hybridmem.core.records import DreamReport as DreamReport
    from hybridmem.core.records import Episode as Episode
    from hybridmem.core.records import ErasureReceipt as ErasureReceipt
    from hybridmem.core.records import Fact as Fact
    from hybridmem.core.records import Hit as Hit
    from hybridmem.memory import HybridMemory as HybridMemory


# Loaded at first use: importing hybridmem opens no database and loads no model.
_HOMES = {
    "HybridMemory": "hybridmem.memory",
    "HybridMemError": "hybridmem.core.errors",
    **dict.fromkeys(("Answer", "DreamReport", "Episode", "ErasureReceipt", "Fact", "Hit"), "hybridmem.core.records"),
}
__all__ = ["Answer", "DreamReport", "Episode", "ErasureReceipt", "Fact", "Hit", "HybridMemError", "HybridMemory"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hybridmem' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
