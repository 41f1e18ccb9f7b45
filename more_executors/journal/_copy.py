"""A copy of a journal's files, for SQLite to look at: it changes what it opens.

A killed process leaves no more than one copy for each journal, and whoever opens that next throws it away: the folder
has the file's number in its name, and nobody else can have the file open meanwhile. Who only looks makes copies in
folders of other names.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Generator

__all__: list[str] = []

NAME = "copy"
ENDINGS = ("", "-wal", "-journal", "-shm")
PREFIX = "more_executors-"

# What SQLite says if it is not the file that is at fault: its primary result codes, and its words, for Python 3.10.
CIRCUMSTANCES = {
    3: "access permission denied",
    5: "database is locked",
    6: "database table is locked",
    8: "attempt to write a readonly database",
    9: "interrupted",
    10: "disk I/O error",
    13: "database or disk is full",
    14: "unable to open database file",
}


def is_damage(error: sqlite3.Error) -> bool:
    """Whether `error` says that the file is damaged, not that there are no file descriptors or no room, for example."""
    code = getattr(error, "sqlite_errorcode", None)  # there from Python 3.11 on
    return str(error) not in CIRCUMSTANCES.values() if code is None else code & 0xFF not in CIRCUMSTANCES


@contextlib.contextmanager
def copied(where: str, descriptor: int, alone: bool = True) -> Generator[sqlite3.Connection, None, None]:
    """A connection to a copy of the file, and of what is beside it. `alone` says that nobody else can be copying it."""
    folder = new_folder(os.fstat(descriptor)) if alone else tempfile.mkdtemp(prefix=PREFIX)
    try:
        copy = os.path.join(folder, NAME)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with open(descriptor, "rb", closefd=False) as source, open(copy, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        for ending in ("-wal", "-journal"):
            if os.path.lexists(where + ending):
                shutil.copyfile(where + ending, copy + ending)
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # without a third file
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA page_count").fetchone()
            if os.name == "posix":
                discard(folder)  # what is open stays there for whoever has it open
            yield connection
    finally:
        discard(folder)


def new_folder(status: os.stat_result) -> str:
    """An empty folder for a copy of that file."""
    if status.st_ino:
        folder = os.path.join(tempfile.gettempdir(), f"{PREFIX}{status.st_dev:x}-{status.st_ino:x}")
        if is_own_folder(folder):
            discard(folder)
        with contextlib.suppress(FileExistsError):  # somebody else's: anybody may put things there
            os.mkdir(folder, 0o700)
            return folder
    return tempfile.mkdtemp(prefix=PREFIX)


def is_own_folder(folder: str) -> bool:
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def discard(folder: str) -> None:
    """Delete the copy in `folder`, as far as possible. Uses no file descriptor, as there may be none."""
    for ending in ENDINGS:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, NAME + ending))
    with contextlib.suppress(OSError):
        os.rmdir(folder)
