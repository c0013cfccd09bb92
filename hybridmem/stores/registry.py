"""Ledgers and indexes by name or URL. A new backend is one more `register` at the end of this file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hybridmem.core.errors import InvalidInput
from hybridmem.core.registry import Registry

if TYPE_CHECKING:
    from hybridmem.stores.index.base import GraphIndex, LexicalIndex, VectorIndex
    from hybridmem.stores.ledger.base import Ledger

LOCAL = {"vectors": "chroma", "full_text": "fulltext.sqlite3", "graph": "graph"}
"""Where the default index of each kind lies in a memory's index folder."""
DEFAULTS = {"vectors": "chroma", "full_text": "fulltext", "graph": "networkx"}
"""The name of the default index of each kind."""
CHROMA_TOKEN = "HYBRIDMEM_CHROMA_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable with the token that a Chroma server asks for; a URL would show it in lists of processes."""


@dataclass(frozen=True, slots=True)
class IndexPlace:
    """What an index may need to know of the memory that it is for."""

    folder: Path
    """For indexes on this machine."""
    prefix: str
    """For the names of collections on a server that several memories share."""


VECTORS: Registry[IndexPlace, VectorIndex] = Registry("vector index")
LEXICAL: Registry[IndexPlace, LexicalIndex] = Registry("full-text index")
GRAPHS: Registry[IndexPlace, GraphIndex] = Registry("graph index")
LEDGERS: Registry[None, Ledger] = Registry("ledger")


def open_ledger(given: str | Path) -> Ledger:
    """The ledger that `given` names: ``memory``, the path of an SQLite file (with a folder or an ending, unlike a
    name), or a database's URL. Raises `InvalidInput`, and what `SqlLedger` does."""
    if isinstance(given, Path) or _is_path(given):
        return _sql_ledger(Path(given).absolute(), None)
    return LEDGERS.make(given, None)


def require_ledger(given: str) -> None:
    """Raise `InvalidInput` if `given` names no ledger."""
    if not _is_path(given):
        LEDGERS.require(given)


def _is_path(given: str) -> bool:
    return "://" not in given and (bool(Path(given).suffix) or os.sep in given)


def _sql_ledger(location: str | Path, given: None) -> Ledger:
    from hybridmem.stores.ledger.sql.ledger import SqlLedger

    return SqlLedger(location)


def _memory_ledger(name: str, given: None) -> Ledger:
    from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger

    return InMemoryLedger()


def _chroma_folder(name: str, place: IndexPlace) -> VectorIndex:
    from hybridmem.stores.index.local import LocalVectorIndex

    return LocalVectorIndex(place.folder / LOCAL["vectors"])


def _chroma_server(url: str, place: IndexPlace) -> VectorIndex:
    """``http://HOST:PORT`` or ``http://HOST:PORT/PREFIX``: memories that name one prefix share their vectors."""
    from hybridmem.stores.index.chroma import ChromaIndex

    address = urlsplit(url.removeprefix("chroma+"))
    if address.username or address.password or address.query or not address.hostname:
        raise InvalidInput(
            f"a Chroma server's URL has the form http://HOST:PORT/PREFIX: put a token into {CHROMA_TOKEN}"
        )
    prefix = address.path.strip("/")
    token = os.environ.get(CHROMA_TOKEN)
    headers = {"Authorization": f"Bearer {token}", "X-Chroma-Token": token} if token else {}
    return ChromaIndex(f"{address.scheme}://{address.netloc}", prefix=prefix or place.prefix, headers=headers)


def _memory_vectors(name: str, place: IndexPlace) -> VectorIndex:
    from hybridmem.stores.index.inmemory import InMemoryVectorIndex

    return InMemoryVectorIndex()


def _fulltext_file(name: str, place: IndexPlace) -> LexicalIndex:
    from hybridmem.stores.index.fulltext import FullTextIndex

    return FullTextIndex(place.folder / LOCAL["full_text"])


def _memory_lexical(name: str, place: IndexPlace) -> LexicalIndex:
    from hybridmem.stores.index.inmemory import InMemoryLexicalIndex

    return InMemoryLexicalIndex()


def _graph_folder(name: str, place: IndexPlace) -> GraphIndex:
    from hybridmem.stores.index.graph import GraphIndex as FolderGraphIndex

    return FolderGraphIndex(place.folder / LOCAL["graph"])


def _memory_graph(name: str, place: IndexPlace) -> GraphIndex:
    from hybridmem.stores.index.inmemory import InMemoryGraphIndex

    return InMemoryGraphIndex()


VECTORS.register(DEFAULTS["vectors"], _chroma_folder)
VECTORS.register("memory", _memory_vectors)
for _scheme in ("http", "https", "chroma+http", "chroma+https"):
    VECTORS.register(f"{_scheme}://HOST:PORT", _chroma_server)
LEXICAL.register(DEFAULTS["full_text"], _fulltext_file)
LEXICAL.register("memory", _memory_lexical)
GRAPHS.register(DEFAULTS["graph"], _graph_folder)
GRAPHS.register("memory", _memory_graph)
LEDGERS.register("memory", _memory_ledger)
LEDGERS.register("FILE.sqlite3", _sql_ledger)
LEDGERS.register("sqlite:///FILE", _sql_ledger)
LEDGERS.register("postgresql://HOST/DATABASE", _sql_ledger)
LEDGERS.register("sqlite+DRIVER:///FILE", _sql_ledger)
LEDGERS.register("postgresql+DRIVER://HOST/DATABASE", _sql_ledger)
LEDGERS.register("postgres://HOST/DATABASE", _sql_ledger)
