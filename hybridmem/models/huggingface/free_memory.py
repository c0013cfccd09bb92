"""How much memory is free, where a model runs: of the card, or of this machine within the limits of its container;
and how much this process has taken."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_MEMINFO = Path("/proc/meminfo")
UNKNOWN = 4 * 2**30
"""Taken to be free where nothing says."""
_NO_LIMIT = 2**60
"""A bound above this is how version 1 of cgroups writes that there is none."""


def free_bytes(device: torch.device) -> int:
    """Bytes that a training on `device` could take now; what torch keeps for reuse counts as free."""
    import torch

    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return free_on_cpu()


def loadable_bytes(device: torch.device) -> int | None:
    """Bytes that weights on `device` could take, swap included; None where nothing says."""
    if device.type != "cpu":
        return free_bytes(device)
    told = _fields(_MEMINFO, ":")
    return free_on_cpu() + told.get("SwapFree", 0) * 1024 if "MemAvailable" in told else None


def free_on_cpu(root: Path = Path("/")) -> int:
    """Bytes that this process could take without swapping: what the kernel calls available, within its cgroups' limits.

    `root` is where ``proc`` and ``sys`` are."""
    return min([_available(root / "proc" / "meminfo"), *_within_cgroups(root)])


def _available(meminfo: Path) -> int:
    """MemAvailable, in bytes. Elsewhere than on Linux: half of the machine's memory, or `UNKNOWN`."""
    found = _fields(meminfo, ":")
    if "MemAvailable" in found:
        return found["MemAvailable"] * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return UNKNOWN


def _within_cgroups(root: Path) -> list[int]:
    """What is left below the limit of each cgroup that this process is in, and of those that hold it.

    A file's pages that are in the cache and not in use are given up for a process that wants memory."""
    left = []
    mounts = root / "sys" / "fs" / "cgroup"
    for line in _lines(root / "proc" / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, limit, usage, cache = mounts, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, usage = mounts / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cache = "total_inactive_file"
        else:
            continue
        # In a container the path is the host's, and not there: then the container's own group is the top one.
        group = top / path.strip("/")
        for each in (group, *group.parents):
            most, used = _number(each / limit), _number(each / usage)
            if most is not None and used is not None and most < _NO_LIMIT:
                left.append(max(0, most - used + _fields(each / "memory.stat", " ").get(cache, 0)))
            if each == top:
                break
    return left


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except OSError:
        return []


def _number(file: Path) -> int | None:
    """None for a file that is not there, or that says ``max``."""
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdigit() else None


def _fields(file: Path, separator: str) -> dict[str, int]:
    """``name: 12 kB`` and ``name 12``, by name."""
    found = {}
    for line in _lines(file):
        name, _, value = line.partition(separator)
        number = value.split()[:1]
        if number and number[0].isdigit():
            found[name.strip()] = int(number[0])
    return found
