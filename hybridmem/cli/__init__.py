"""The command line. Importing it loads no model and no store: a command imports what it needs when it runs."""

from __future__ import annotations


def main() -> None:
    """The entry point ``hybridmem``: runs the command of ``sys.argv`` and exits with its code."""
    import sys

    from hybridmem.cli.app import run

    raise SystemExit(run(sys.argv[1:]))
