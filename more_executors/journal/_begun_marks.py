"""Which starts that are on record as meant were begun: what a process that is killed leaves behind.

That a start is meant is written, and waited for, before its turn, so that many are written at a time. When its turn
comes, it is marked as begun here, in memory that is shared with a file: that outlives the process, however this is
killed, but not a crash of the machine. So the marks say for which boot they are, and are not believed after another.

Guarantees:

* A start that may have been begun is never taken for one that was not: after a crash of the machine, without the file,
  with that of another journal, or where a mark was overwritten by a much later one, it may have been.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
from functools import partial
from pathlib import Path

__all__: list[str] = []

ENDING = "-begun"
MAGIC = b"mexB\x01"
MARKS = 1 << 16  # each is the number of a start; those that are so many apart share a place
WIDTH = 8
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> bytes:
    """What is different after each boot of this machine; nothing where that is not known."""
    try:
        return BOOT_ID.read_bytes().strip()
    except OSError:
        return b""


class BegunMarks:
    """The file of marks beside a journal. May be used from any thread."""

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self._memory = memory
        self._offset = offset

    @classmethod
    def made(cls, where: str, identity: bytes) -> BegunMarks | None:
        """New marks for the journal at `where`, which is `identity`; None if nobody could believe them, or no room."""
        if not (boot := boot_id()):
            return None
        header = MAGIC + identity + boot
        try:
            with io.FileIO(where + ENDING, "w+b", opener=partial(os.open, mode=0o600)) as file:
                file.write(header + bytes(MARKS * WIDTH))  # all of it now: later there may be no room
                return cls(mmap.mmap(file.fileno(), len(header) + MARKS * WIDTH), len(header))
        except (OSError, ValueError):
            return None

    @classmethod
    def left(cls, where: str, identity: bytes) -> BegunMarks | None:
        """Those that the journal at `where` has from an earlier process, if they can be believed."""
        if not (boot := boot_id()):
            return None
        header = MAGIC + identity + boot
        try:
            with io.FileIO(where + ENDING, "rb") as file:
                memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            return None
        if memory[: len(header)] == header and len(memory) == len(header) + MARKS * WIDTH:
            return cls(memory, len(header))
        memory.close()
        return None

    def mark(self, number: int) -> None:
        """Note that the start `number` begins."""
        if not self.may_have_begun(number):  # else a later one has the place, and says it for both
            place = self._place_of(number)
            self._memory[place : place + WIDTH] = number.to_bytes(WIDTH, "little")

    def may_have_begun(self, number: int) -> bool:
        """Whether the start `number` was marked, or a later one in its place."""
        place = self._place_of(number)
        return int.from_bytes(self._memory[place : place + WIDTH], "little") >= number

    def _place_of(self, number: int) -> int:
        return self._offset + WIDTH * (number % MARKS)

    def close(self) -> None:
        self._memory.close()


def remove_marks(where: str) -> None:
    """Remove the file, when all that it says is on record."""
    with contextlib.suppress(OSError):
        os.unlink(where + ENDING)
