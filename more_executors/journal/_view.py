"""What is in the file of a journal, for whoever wants to know: also while a program uses it.

Guarantees:

* The file and what is beside it are not changed, and nobody is kept from opening them for longer than a glance.
* What is seen was so at one moment, even if a program writes meanwhile.
"""

from __future__ import annotations

import io
import os
import sqlite3
from dataclasses import dataclass

from ._copy import copied, is_damage
from ._error import refusal
from ._file_check import HEADER_LENGTH, at_beginning, columns_of, fault_of_header, looked_at
from ._file_lock import lock_byte
from ._meant_starts import never_begun
from ._sqlite import LOCKED_BYTE, check_kind
from ._start_records import COLUMNS, StartRecord

__all__: list[str] = []

TRIES = 20  # to copy the file while nothing gets into it from the WAL


@dataclass(frozen=True)
class View:
    """The rows: those of tasks with keys, and number and value of those without. Values are as they were encoded."""

    path: str
    is_in_use: bool
    starts: list[StartRecord]
    never_begun: set[int]  # numbers of starts that are meant, and were not called when the program was killed
    tasks: list[tuple[int, str | bytes]]


def view(path: str) -> View:
    """Read the file at `path`. Raises JournalError, which names it, if it is not there, is no journal or is damaged."""
    where = os.path.realpath(path)
    if not os.path.exists(where):
        raise refusal(path, "is not there")
    check_kind(path, where)
    try:
        with io.FileIO(where, "rb") as file:
            is_in_use = is_locked(where)
            for _ in range(TRIES):
                before = os.fstat(file.fileno()).st_mtime_ns
                seen = view_of_copy(path, where, file.fileno(), is_in_use)
                if os.fstat(file.fileno()).st_mtime_ns == before:
                    return seen
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror}") from error
    except sqlite3.Error as error:
        raise refusal(path, f"{'is damaged' if is_damage(error) else 'cannot be read'}: {error}") from error
    raise refusal(path, "cannot be read: it changes all the time")


def view_of_copy(path: str, where: str, descriptor: int, is_in_use: bool) -> View:
    if os.fstat(descriptor).st_size and (why := fault_of_header(at_beginning(descriptor, HEADER_LENGTH))):
        raise refusal(path, why)
    with copied(where, descriptor, alone=False) as connection:
        is_empty, why = looked_at(connection)
        if why:
            raise refusal(path, why)
        if is_empty:
            return View(path, is_in_use, [], set(), [])
        tasks = connection.execute("SELECT key, value FROM tasks ORDER BY key").fetchall()
        if not columns_of(connection, "starts"):  # of a version that did not have it
            return View(path, is_in_use, [], set(), tasks)
        rows = connection.execute(f"SELECT {COLUMNS} FROM starts ORDER BY namespace, number")
        starts = list(map(StartRecord._make, rows))
        return View(path, is_in_use, starts, set() if is_in_use else never_begun(connection, where), tasks)


def is_locked(where: str) -> bool:
    """Whether a process has the journal open."""
    with io.FileIO(where, "r+b") as file:
        try:
            lock_byte(file.fileno(), LOCKED_BYTE)
        except (BlockingIOError, PermissionError):
            return True
    return False
