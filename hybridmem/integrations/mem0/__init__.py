"""Mem0's open-source calls on a memory: only the line ``from mem0 import Memory`` has to change.

Mem0 itself is not needed. docs/mem0.md says where things are kept and what differs.
"""

from __future__ import annotations

from hybridmem.integrations.mem0.asynchronous import AsyncMemory
from hybridmem.integrations.mem0.memory import Memory

__all__ = ["AsyncMemory", "Memory"]
