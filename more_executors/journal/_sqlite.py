"""The file of a journal: opened only if it is one, and by one process at a time.

Guarantees:

* Nothing is written before it is certain that the file is a sound journal that nobody else has open. SQLite would put
  what a killed process left beside a file into it as soon as it opens it: it is given a copy first.
* A process that is gone, whatever ended it, holds no lock, and leaves of such a copy nothing that the next one does not
  throw away.
* What is written is where the file, and its WAL, can be found again, or else that is said.
* Nobody but the owner of the file may read it, or what is beside it, from when it is opened.
* In a forked child, the parent's files are out of reach.
* A signal handler, or a destructor, never waits for what it interrupted: it is refused, or what it wants is done later.
"""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import stat
import threading
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

from .._core import InUse
from ._begun_marks import BegunMarks
from ._connection import connected, mark
from ._error import JournalLostError, refusal
from ._file_check import check_alone, checked
from ._file_lock import lock_byte
from ._meant_starts import make_marks, settle_meant

try:
    import ctypes
except ImportError:
    ctypes = None  # type: ignore[assignment]

__all__: list[str] = []

# SQLite keeps nothing in the page that begins at 1 GB, and locks the first 512 bytes of it.
LOCKED_BYTE = 0x4000_0000 + 1024

OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR

# On POSIX, the locks of SQLite are the process's: they do not keep a second journal out, and whoever opens the file
# again and closes it drops them. So who has it open here is looked up before the file is touched.
_opening = threading.RLock()
_is_opening = InUse()
_opened_last = ""  # the path
_open: dict[tuple[int, int], JournalFile] = {}

Row = tuple[int, "str | bytes"]


class JournalFile:
    """A journal, whose values are as they are stored. May be used from any thread."""

    def __init__(self, path: str) -> None:
        """Prepare to `open` the file at `path`."""
        self._path = path
        self._process = os.getpid()
        self._lock = threading.RLock()  # guards the connection, and whether there is one
        self._in_use = InUse()  # by the owner of the lock,
        self._close_later = False  # who is to close it
        self._connection: sqlite3.Connection | None = None
        self._file: io.FileIO | None = None  # which closes itself, unlike a bare descriptor that an interrupt lost
        self._identity: tuple[int, int] | None = None
        self._marks: BegunMarks | None = None

    def open(self) -> None:
        """Open or make it. Raises JournalError if that cannot be done; whatever it raises, `close` is to be called."""
        global _opened_last
        path = self._path
        where = os.path.realpath(path)
        place = path if os.path.isabs(path) else os.path.join(os.getcwd(), path)
        with _opening:
            if _is_opening.now:
                raise refusal(path, f"cannot be opened in the midst of opening {_opened_last!r}")
            with _is_opening:
                _opened_last = path
                self._open(path, where, place)

    def _open(self, path: str, where: str, place: str) -> None:
        check_kind(path, where)
        self._file = opened(path, where)
        descriptor = self._file.fileno()
        lock(path, descriptor)
        is_new = checked(path, where, descriptor)
        make_private(where)
        self._connection = connected(path, where, is_new)
        self._where = where
        try:
            settle_meant(self._connection, where)
        except sqlite3.Error as error:  # there is no room, say
            raise refusal(path, f"cannot be opened: {error}") from error
        self._identity = own = identity(os.fstat(descriptor))
        self._places = {place: own, where + "-wal": identity(os.stat(where + "-wal"))}
        _open[own] = self

    def write(self, rows: Sequence[Row], gone: Sequence[tuple[int]]) -> None:
        """Put `rows` in and take the keys `gone` out, in one transaction."""
        self.write_all(
            ("INSERT OR REPLACE INTO tasks VALUES (?, ?)", rows),
            ("DELETE FROM tasks WHERE key = ?", gone),
        )

    def write_all(self, *changes: tuple[str, Sequence[tuple[Any, ...]]]) -> None:
        """Execute each statement with each of its rows, in one transaction; returns when that is on disk."""
        with self._use("written") as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, rows in changes:
                    if rows:
                        connection.executemany(statement, rows)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            self._check_places()

    def begun_marks(self) -> BegunMarks | None:
        """The marks of starts that were begun; None where they would not outlive a killed process."""
        with self._use("written") as connection:
            if self._marks is None:
                self._marks = make_marks(connection, self._where)
            return self._marks

    def check_file(self) -> None:
        """Raise JournalLostError if the file, or its WAL, is not where it was any more."""
        with self._use("read"):
            self._check_places()

    def _check_places(self) -> None:
        # Where files have no numbers, as on some of Windows' file systems, they cannot be moved while they are open.
        for place, opened_as in self._places.items():
            try:
                found = identity(os.stat(place))
            except OSError as error:
                why = f"cannot be found where it was: {error}"
                raise JournalLostError(f"the journal {self._path!r} {why}") from error
            if found != opened_as:
                why = f"cannot be found where it was: {place!r} is another file"
                raise JournalLostError(f"the journal {self._path!r} {why}")

    def select(self, statement: str, parameters: Any) -> list[Any]:
        """All rows that `statement` finds."""
        with self._use("read") as connection:
            return connection.execute(statement, parameters).fetchall()

    def rows(self) -> list[Row]:
        """All rows of tasks without keys, by number."""
        return self.select("SELECT key, value FROM tasks ORDER BY key", ())

    def count(self) -> int:
        """How many of them there are."""
        number: int = self.select("SELECT count(*) FROM tasks", ())[0][0]
        return number

    @contextlib.contextmanager
    def _use(self, what: str) -> Generator[sqlite3.Connection, None, None]:
        if self._process != os.getpid():
            raise refusal(self._path, "is the parent's: a forked child cannot use it")
        with self._lock:
            if self._in_use.now:
                raise refusal(self._path, f"cannot be {what} in the midst of another call of it on the same thread")
            try:
                with self._in_use:
                    if self._connection is None:
                        raise refusal(self._path, "is closed")
                    if self._connection.in_transaction:  # of a write that could not even be taken back
                        self._connection.execute("ROLLBACK")
                    yield self._connection
            except sqlite3.Error as error:
                raise refusal(self._path, f"cannot be {what}: {error}") from error
            finally:
                if self._close_later:
                    self.close()

    def close(self) -> None:
        """Close it, unless it is closed, or belongs to another process. In the middle of a call of it: after that call.

        If it is interrupted, the next call does the rest.
        """
        if self._process != os.getpid():
            return
        with self._lock:
            self._close_later = self._in_use.now
            if self._close_later:
                return
            with self._in_use:
                if self._connection is not None:
                    self._settle_meant(self._connection)
                    mark(self._connection, False)
                    # In this order: with the descriptor go the locks of SQLite.
                    self._connection.close()
                    self._connection = None
                if self._file is not None:
                    self._file.close()
                if self._identity is not None and _open.get(self._identity) is self:
                    _open.pop(self._identity)

    def _settle_meant(self, connection: sqlite3.Connection) -> None:
        if self._marks is not None:
            with contextlib.suppress(sqlite3.Error):  # who opens it next does that
                if connection.in_transaction:  # one that was interrupted
                    connection.execute("ROLLBACK")
                settle_meant(connection, self._where)
            self._marks.close()
            self._marks = None

    def abandon(self) -> None:
        """In a forked child: give the lock up, and never close the connection.

        SQLite would take that for the end of the last one, and delete a file that the parent goes on writing to.
        """
        if ctypes is not None and self._connection is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))
        if self._file is not None:
            self._file.close()


def identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def check_kind(path: str, where: str) -> None:
    """Raise unless there is nothing at `where`, or a file that is not open as a journal here."""
    try:
        status = os.stat(where)
    except FileNotFoundError:
        check_alone(path, where)
        return
    except (OSError, ValueError) as error:
        raise refusal(path, f"cannot be opened: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise refusal(path, "cannot be opened: it is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise refusal(path, "cannot be opened: it is no regular file")
    if identity(status) in _open:
        raise refusal(path, "is in use by another Journal of this process")


def opened(path: str, where: str) -> io.FileIO:
    """The file, to read and to lock, which is made if it is not there."""
    try:
        return io.FileIO(where, "a+b", opener=partial(os.open, mode=OWNER_ONLY))
    except FileNotFoundError as error:
        raise refusal(path, f"cannot be made: there is no directory {os.path.dirname(where)!r}") from error
    except OSError as error:
        raise refusal(path, f"cannot be opened for writing: {error.strerror}") from error


def make_private(where: str) -> None:
    """Let nobody but the owner read the file, or its WAL. One that SQLite makes is as the file is."""
    with contextlib.suppress(OSError):  # somebody else's file, which everybody may write
        for name in (where, where + "-wal"):
            if os.path.lexists(name) and stat.S_IMODE(os.stat(name).st_mode) & ~OWNER_ONLY:
                os.chmod(name, OWNER_ONLY)


def lock(path: str, descriptor: int) -> None:
    """Lock the file against other processes. Raises if one has it open."""
    try:
        lock_byte(descriptor, LOCKED_BYTE)
    except (BlockingIOError, PermissionError) as error:
        raise refusal(path, "is in use by another process") from error
    except OSError as error:
        raise refusal(path, f"cannot be locked: {error.strerror}") from error


def _after_fork_in_child() -> None:
    global _opening, _is_opening
    _opening = threading.RLock()
    _is_opening = InUse()
    for file in _open.copy().values():
        file.abandon()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
