"""Which project a session is about, and the namespace of its memories."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from hybridmem.core.namespace import Namespace

BELOW = "projects"
"""The part of a namespace under which each project has one."""
_WORKTREE = re.compile(r"gitdir: (.+)/\.git/worktrees/[^/]+\s*")


def root_of(cwd: Path) -> Path:
    """The project's folder: the nearest one with a ``.git``, and for a linked work tree the one that it belongs to;
    else `cwd` itself."""
    for folder in (cwd, *cwd.parents):
        mark = folder / ".git"
        if mark.is_file():
            linked = _WORKTREE.fullmatch(mark.read_text("utf-8", "replace"))
            return Path(linked.group(1)) if linked is not None else folder
        if mark.is_dir():
            return folder
    return cwd


def namespace_of(namespace: Namespace, cwd: Path) -> Namespace:
    """The namespace of the project of `cwd` below `namespace`: its folder's name, and a digest of the path, since
    several have one name.

    >>> namespace_of(("users", "ana"), Path("/src/shop"))
    ('users', 'ana', 'projects', 'shop-3cb8c763')
    """
    root = root_of(cwd.resolve())
    readable = re.sub(r"[^\w.-]+", "-", root.name).strip("-.")[:80]
    digest = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return (*namespace, BELOW, f"{readable}-{digest}" if readable else digest)
