"""The process of a dream job whose dream is a short sleep: for tests of everything around it.

``quick.json`` in the memory folder says how long (`seconds`), what it would train (`tokens`), what it comes to
(`status`) or which error it raises (`error`). ``journal.jsonl`` tells when each dream began and ended."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hybridmem.core import errors
from hybridmem.core.records import DreamReport, new_id
from hybridmem.jobs import runner
from hybridmem.memory import HybridMemory

RUNNER = (sys.executable, str(Path(__file__)))


def orders(root: Path, **given: Any) -> None:
    half = root / "quick.half"
    half.write_text(json.dumps(given))
    half.replace(root / "quick.json")


def journal(root: Path) -> list[dict[str, Any]]:
    path = root / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def write(root: Path, **line: Any) -> None:
    with (root / "journal.jsonl").open("a") as file:
        file.write(json.dumps({"pid": os.getpid(), "at": time.monotonic(), **line}) + "\n")


def dream(self: HybridMemory, *, dry_run: bool = False, recipe: str = "default", progress: Any = None) -> DreamReport:
    root, name = self.folder.root, "/".join(self.namespace)
    ordered = json.loads((root / "quick.json").read_text()) if (root / "quick.json").exists() else {}
    report = DreamReport(
        id=new_id("dr"),
        namespace=self.namespace,
        status="estimated" if dry_run else ordered.get("status", "promoted"),
        night=len(self.dreams()) + 1,
        started_at=self.clock(),
        seconds=ordered.get("seconds", 0.0),
        trained_tokens=ordered.get("tokens", 100),
        peak_memory_mb=50.0,
    )
    if dry_run:
        return report
    try:
        with FileLock(self.folder.dream_lock(self.namespace), timeout=0):
            backends = self.workspace.resources.backends
            write(root, event="begin", namespace=name, vectors=backends.vectors, reader=backends.reader)
            if "error" in ordered:
                raise getattr(errors, ordered["error"])("as ordered")
            until = time.monotonic() + ordered.get("seconds", 0.0)
            while time.monotonic() < until:
                time.sleep(0.02)
            self.ledger.save_dream(report)
            write(root, event="end", namespace=name)
            if ordered.get("dies"):
                os._exit(9)
            return report
    except Timeout:
        raise errors.DreamBusy("another process dreams") from None
    except KeyboardInterrupt:
        raise errors.DreamInterrupted("interrupted") from None


if __name__ == "__main__":
    runner.HybridMemory.dream = dream  # type: ignore[assignment, method-assign]
    runner.TURN_SECONDS = 0.05
    sys.exit(runner.main(sys.argv[1:]))
