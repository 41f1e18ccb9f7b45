"""A lock on a file, which goes with the process that has it, however that ends."""

from __future__ import annotations

import os
import sys
import time


def lock(descriptor: int, patience: float) -> None:
    """Lock an open file until it is closed.

    Raises BlockingIOError or PermissionError if another process has the lock for ``patience`` seconds more.
    """
    until = time.monotonic() + patience
    while True:
        try:
            _lock_now(descriptor)
        except (BlockingIOError, PermissionError):
            if time.monotonic() >= until:
                raise
            time.sleep(0.02)
        else:
            return


def _lock_now(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # what is locked there cannot be read or written by others
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
