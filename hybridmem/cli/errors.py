"""Exit codes, and errors as one line on stderr."""

from __future__ import annotations

import errno
import json
import os
import sys

from hybridmem.core.errors import HybridMemError

DONE = 0
NO = 1
"""The command's own "no": a gate that refused, a doctor that found something, a check that failed."""
BAD = 2
"""Bad usage or input, or an obstacle; the line on stderr says what to do next."""

EXPECTED = (HybridMemError, OSError, KeyboardInterrupt)
"""Errors that the user can act on. Any other error is a bug, and shows its trace."""


def report(error: BaseException, *, as_json: bool) -> int:
    """Print `error` as one line on stderr (and, for programs, as an object on stdout); returns the exit code.

    A closed pipe is no error, and nothing is printed for it."""
    if isinstance(error, BrokenPipeError):
        # Buffered output has nowhere to go; without this, the interpreter complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return fail(explained(error), type(error).__name__, as_json=as_json)


def fail(message: str, kind: str, *, as_json: bool) -> int:
    """Print ``error: message`` on stderr (and an object on stdout with `as_json`); returns `BAD`."""
    line = " ".join(message.split())
    if as_json:
        print(json.dumps({"error": line, "type": kind}), flush=True)  # noqa: T201
    print(f"error: {line}", file=sys.stderr, flush=True)  # noqa: T201
    return BAD


def explained(error: BaseException) -> str:
    """What went wrong and what to do next, for an error of `EXPECTED`."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted: what was acknowledged is stored, run the same command again for the rest"
    if isinstance(error, OSError) and not isinstance(error, HybridMemError):
        where = f" at {error.filename}" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"the disk is full{where}: what was not acknowledged was not stored, free some space and run again"
        reason = error.strerror or str(error) or type(error).__name__
        return f"{reason}{where}: check the path and its permissions"
    return str(error)
