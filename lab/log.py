"""The log of a training."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


class Log:
    """Lines for people on standard output, the same as JSON in a file."""

    def __init__(self, path: Path, *, append: bool) -> None:
        self.path = path
        self.started = time.monotonic()
        if not append:
            path.write_text("")

    def write(self, **values: Any) -> None:
        values = {"seconds": round(time.monotonic() - self.started), **values}
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")
        sys.stdout.write("  ".join(f"{name} {value}" for name, value in values.items()) + "\n")
        sys.stdout.flush()
