"""LangChain's interfaces on a memory: retriever, chat history, vector store, embeddings, chat model and tools.

>>> from hybridmem.integrations.langchain import HybridRetriever                        # doctest: +SKIP
>>> HybridRetriever(memory=memory, k=5).invoke("Where does Ana live?")                  # doctest: +SKIP
"""

from __future__ import annotations

from hybridmem.core.errors import MissingExtra

try:
    from hybridmem.integrations.langchain.chat_model import HybridChatModel
    from hybridmem.integrations.langchain.embeddings import HybridEmbeddings, LangChainEmbedder
    from hybridmem.integrations.langchain.history import HybridChatMessageHistory
    from hybridmem.integrations.langchain.retriever import HybridRetriever
    from hybridmem.integrations.langchain.tools import memory_tools
    from hybridmem.integrations.langchain.vector_store import HybridVectorStore
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "langchain_core":
        raise
    raise MissingExtra("the LangChain integration needs langchain-core: pip install 'hybridmem[langchain]'") from None

__all__ = [
    "HybridChatMessageHistory",
    "HybridChatModel",
    "HybridEmbeddings",
    "HybridRetriever",
    "HybridVectorStore",
    "LangChainEmbedder",
    "memory_tools",
]
