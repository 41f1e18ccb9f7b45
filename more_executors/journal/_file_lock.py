"""A lock on a file that other processes see, and that goes with its process, however that ends.

A forked child that has the descriptor must close it: on Linux it would keep the lock, too.
"""

from __future__ import annotations

import errno
import os
import struct
import sys

__all__: list[str] = []


def lock_byte(descriptor: int, position: int) -> None:
    """Lock one byte, which need not be there, until the descriptor is closed.

    Raises BlockingIOError or PermissionError if another process has it. Where there are locks of open files, as on
    Linux, also if this process has; elsewhere on POSIX, closing any other descriptor of the file gives the lock up.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, position, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        return
    import fcntl

    if sys.platform == "linux" and hasattr(fcntl, "F_OFD_SETLK"):
        # struct flock: type, whence, start, length, process (always 0 here), and padding to its alignment.
        region = struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, position, 1, 0)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, region)
            return
        except OSError as error:
            if error.errno != errno.EINVAL:  # an old kernel, or not really one
                raise
    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, position)
