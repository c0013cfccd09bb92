"""A real HTTP server over a fake model, for tests to run as a program: FOLDER and the token in HYBRIDMEM_TOKEN."""

from __future__ import annotations

import os
import sys

from hybridmem import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.server.mcp.http import serve


def ready(address: str) -> None:
    print(address, flush=True)


if __name__ == "__main__":
    with HybridMemory.open(sys.argv[1], model=FakeModel(), embedder="hashing") as memory:
        serve(memory, port=0, token=os.environ["HYBRIDMEM_TOKEN"], ready=ready)
