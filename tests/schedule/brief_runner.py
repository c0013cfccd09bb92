"""The process of a dream job with a real dream in it, whose exams are short: the test is about nights, not figures."""

from __future__ import annotations

import sys
from pathlib import Path

from hybridmem.dreaming import general
from hybridmem.jobs import runner

RUNNER = (sys.executable, str(Path(__file__)))

if __name__ == "__main__":
    general.unrelated = lambda part: ("What colour is the sky?",)
    sys.exit(runner.main(sys.argv[1:]))
