"""LangGraph's long-term store on a memory: it replaces LangGraph's `InMemoryStore` or `SqliteStore`.

>>> from hybridmem.integrations.langgraph import HybridStore                            # doctest: +SKIP
>>> graph = builder.compile(store=HybridStore(memory))                                  # doctest: +SKIP
"""

from __future__ import annotations

from hybridmem.core.errors import MissingExtra

try:
    from hybridmem.integrations.langgraph.asynchronous import AsyncHybridStore
    from hybridmem.integrations.langgraph.store import HybridStore
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] not in {"langgraph", "langchain_core"}:
        raise
    raise MissingExtra("the LangGraph store needs langgraph-checkpoint: pip install 'hybridmem[langgraph]'") from None

__all__ = ["AsyncHybridStore", "HybridStore"]
