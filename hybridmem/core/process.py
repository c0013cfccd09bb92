"""What this process takes of the machine."""

from __future__ import annotations

import resource
import sys


def peak_memory_mb() -> float:
    """The most that this process has taken since its start, in MiB: Linux counts kilobytes, macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
