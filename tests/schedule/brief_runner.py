"""The process of a dream job with a real dream in it, whose exams are short: the test is about nights, not figures.

While the memory folder holds the file ``hold``, a training waits after its second step, with a checkpoint of the first.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from hybridmem.dreaming import cycle, general
from hybridmem.jobs import runner
from hybridmem.training.trainer import Training, train

RUNNER = (sys.executable, str(Path(__file__)))

HOLD = "hold"


def held(*arguments: Any, **given: Any) -> Training:
    tell = given.pop("progress")

    def progress(step: int, total: int) -> None:
        tell(step, total)
        while step == 2 and (Path(sys.argv[1]) / HOLD).exists():
            time.sleep(0.02)

    return train(*arguments, progress=progress, **given)


if __name__ == "__main__":
    cycle.train = held
    general.unrelated = lambda part: ("What colour is the sky?",)
    sys.exit(runner.main(sys.argv[1:]))
