"""Who answers a reflection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from hybridmem.models.reader import ChatModel, OpenAIReader, Reader, load_reader
from hybridmem.workspace import Workspace


@contextlib.contextmanager
def chosen_reader(workspace: Workspace, given: str | Reader | ChatModel | None) -> Iterator[Reader]:
    """The reader that `given` names or is, for as long as the block lasts; the workspace's own for None. Raises
    `InvalidInput`, `MissingExtra` and `ModelError`."""
    if given is None:
        yield workspace.reader
        return
    reader = load_reader(given)
    try:
        yield reader
    finally:
        if isinstance(given, str) and isinstance(reader, OpenAIReader):
            reader.close()
