"""``python -m tests.inspector.served FOLDER``: an inspector with a fake model in a process of its own; it prints its
address as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hybridmem.inspector.serve import serve, warm
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from tests import scripts
from tests.inspector.worlds import NAMESPACE

ROOT = Path(__file__).parents[2]


@contextmanager
def inspector(folder: Path) -> Iterator[str]:
    """The address, with its token, of an inspector that may edit and whose indexes are loaded."""
    command = [sys.executable, "-m", "tests.inspector.served", str(folder)]
    with scripts.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def main(folder: Path) -> None:
    with HybridMemory.open(folder, namespace=NAMESPACE, model=FakeModel(), embedder="hashing") as memory:
        warm(memory)
        serve(memory, port=0, token="a-token", edit=True, ready=lambda url: print(json.dumps({"url": url}), flush=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
