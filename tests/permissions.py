"""Permissions of files that bind root as well: for a process that a test starts, before anything else in it."""

from __future__ import annotations

import ctypes
import os

BOUND = "from tests.permissions import bind\nbind()\n"
"""The text to begin a program with. Its process finds this module by the working folder `ROOT`."""
DAC_OVERRIDE = 1 << 1
VERSION_3 = 0x20080522


def bind() -> None:
    """Give up the privilege of root's to read and write whatever the permissions say (CAP_DAC_OVERRIDE). Raises
    `OSError` where this user cannot."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, for each 32 capabilities
    if libc.capget(header, sets) == 0:
        sets[0] &= ~DAC_OVERRIDE
        sets[1] &= ~DAC_OVERRIDE
        if libc.capset(header, sets) == 0:
            return
    raise OSError(ctypes.get_errno(), "the permissions of files cannot bind this root user")
