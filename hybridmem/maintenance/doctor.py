"""What can be wrong with a memory folder, found by comparing each part with the ledger, and what mends it.

The ledger itself is only examined: it is the truth, and nothing else could tell what it should say. A stopped dream is
no fault (the next one resumes it), nor is a memory that waits to be indexed (the next search does that), nor is a
stale lock file.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.errors import CorruptAdapter, CorruptStore, EmbeddingMismatch, StoreError
from hybridmem.core.namespace import Namespace
from hybridmem.dreaming.steps.unlearn import ERASED
from hybridmem.workspace import Workspace


def examine(workspace: Workspace, *, repair: bool) -> list[str]:
    """What is wrong in every namespace of the folder, one line each with what to do about it.

    `repair` mends what it can without losing anything: indexes follow the ledger again, a damaged active adapter gives
    way to the newest sound one that was active before (or to the bare base), folders that a crash left are removed.
    Loads no language model, and the embedding model only for a repair."""
    found = [f"the ledger: {problem}: restore ledger.sqlite3 from a copy" for problem in workspace.ledger.check()]
    try:
        namespaces = workspace.ledger.namespaces()
        found += _indexes(workspace, namespaces, repair=repair)
        for namespace in namespaces:
            found += _adapters(workspace, namespace, repair=repair)
    except CorruptStore as error:
        found.append(str(error))
    return found


def _indexes(workspace: Workspace, namespaces: list[Namespace], *, repair: bool) -> list[str]:
    """Where the vector, full-text and graph indexes differ from the ledger."""
    if not namespaces:
        return []
    try:
        found = [problem for each in namespaces for problem in workspace.indexes.check(each, tell_waiting=False)]
    except StoreError as error:
        return [str(error)]  # A file that cannot be opened: the error names the way out.
    if found and repair:
        # Vectors of another embedding model are among what was found, and which one to keep is the user's choice.
        with suppress(EmbeddingMismatch):
            workspace.indexes.repair()
    return list(dict.fromkeys(found))


def _adapters(workspace: Workspace, namespace: Namespace, *, repair: bool) -> Iterator[str]:
    """Adapters whose files are not what they were, and folders that no adapter claims."""
    from filelock import FileLock, Timeout

    registry = AdapterRegistry(workspace.ledger, workspace.folder.adapters, namespace, workspace.clock)
    try:
        with FileLock(workspace.folder.dream_lock(namespace), timeout=0):
            yield from _damaged(registry, namespace, repair=repair)
            left = workspace.folder.dream(namespace)
            if (left / ERASED).exists():
                yield (
                    f"{'/'.join(namespace)}: a dream that was killed left files that may hold a deleted memory: "
                    "`hybridmem doctor --repair` removes them, and so does the next dream"
                )
                if repair:
                    shutil.rmtree(left)
            orphans = registry.orphans()
            if orphans:
                names = ", ".join(path.name for path in orphans)
                yield f"{'/'.join(namespace)}: no adapter claims {names}: `hybridmem doctor --repair` removes that"
            if repair:
                registry.prune()
    except Timeout:
        # Its folders are half made while a dream runs, and it moves the alias itself.
        yield from _damaged(registry, namespace, repair=False)


def _damaged(registry: AdapterRegistry, namespace: Namespace, *, repair: bool) -> Iterator[str]:
    active = registry.active()
    for record in registry.list():
        is_active = active is not None and record.version == active.version
        if not record.files and not is_active:
            continue  # Its weights were removed on purpose: they held what was deleted.
        try:
            registry.verify(record.version)
        except CorruptAdapter as error:
            if not is_active:
                yield f"{'/'.join(namespace)}: {error}"
                continue
            yield (
                f"{'/'.join(namespace)}: the active adapter is damaged ({error}); or `hybridmem doctor --repair` goes "
                f"back to the newest sound one"
            )
            if repair:
                registry.promote(_newest_sound(registry))


def _newest_sound(registry: AdapterRegistry) -> str | None:
    """The newest version that has been active before and whose files are whole; None for the bare base."""
    for record in reversed(registry.list()):
        if record.status == "retired" and record.files:
            try:
                return registry.verify(record.version).version
            except CorruptAdapter:
                continue
    return None
