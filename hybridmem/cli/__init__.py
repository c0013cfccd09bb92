"""The command line. Importing it loads no model and no store: a command imports what it needs when it runs."""

from __future__ import annotations


def main() -> None:
    """The entry point ``hybridmem``: runs the command of ``sys.argv`` and exits with its code."""
    import sys

    words = sys.argv[1:]
    if words[:1] == ["hook"] and not {"-h", "--help"} & set(words):
        # A coding agent waits for it at every prompt, and it may fail in no way that the agent notices.
        from hybridmem.coding_agents import hook_command

        hook_command.run(words[1:])
        raise SystemExit(0)
    from hybridmem.cli.app import run

    raise SystemExit(run(words))
