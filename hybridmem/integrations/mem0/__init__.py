"""Mem0's open-source calls over a memory: change ``from mem0 import Memory`` to this module, and nothing else.

Needs no package of Mem0's. What is kept where, and what differs, is in docs/mem0.md.
"""

from __future__ import annotations

from hybridmem.integrations.mem0.asynchronous import AsyncMemory
from hybridmem.integrations.mem0.memory import Memory

__all__ = ["AsyncMemory", "Memory"]
