"""The listings of `view`: a file's lines, and a directory."""

from __future__ import annotations

from collections.abc import Mapping

DEPTH = 2
"""Listed levels of a directory."""
NUMBER_WIDTH = 6


def numbered_lines(content: str, first: int = 1, last: int | None = None) -> list[str]:
    """The lines of `content` from `first` to `last`, each after its number.

    >>> numbered_lines("tea\\nmilk", 2)
    ['     2\\tmilk']
    """
    lines = content.split("\n")[first - 1 : last]
    return [f"{number:>{NUMBER_WIDTH}}\t{line}" for number, line in enumerate(lines, start=first)]


def directory(path: str, sizes: Mapping[str, int]) -> str:
    """The listing of directory `path` in a tree whose files have these `sizes` in bytes."""
    entries: dict[str, int] = {path: 0}
    for file, size in sizes.items():
        if not file.startswith(f"{path}/"):
            continue
        entries[path] += size
        parts = file[len(path) + 1 :].split("/")
        if any(_hidden(part) for part in parts[:DEPTH]):
            continue
        for level in range(1, min(DEPTH, len(parts)) + 1):
            entry = "/".join([path, *parts[:level]]) + ("/" if level < len(parts) else "")
            entries[entry] = entries.get(entry, 0) + size
    header = (
        f"Here're the files and directories up to 2 levels deep in {path}, excluding hidden items and node_modules:"
    )
    return "\n".join([header, *(f"{human(size)}\t{entry}" for entry, size in entries.items())])


def human(size: int) -> str:
    """A number of bytes as people read it.

    >>> human(0), human(1000), human(1536), human(2048)
    ('0B', '1000B', '1.5K', '2K')
    """
    value, unit = float(size), "B"
    for larger in "KMG":
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f}{unit}" if value == int(value) else f"{value:.1f}{unit}"


def _hidden(part: str) -> bool:
    return part.startswith(".") or part == "node_modules"
