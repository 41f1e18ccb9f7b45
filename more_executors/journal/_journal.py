"""What is outstanding, on disk: so that a program that was killed finds its tasks again.

Guarantees:

* What a `write` was given is on disk when it returns, all of it or, if it raises, none, and a process that is killed,
  or a machine that loses power, in the middle of one leaves what was there before.
* If that is not where it was, as somebody has deleted, moved or replaced the file, a `write` raises.
* A file that is no journal, is damaged, or is in use, is refused, and not changed in any way.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from .._callables import check_method
from .._checks import checked_path, has_method, refuse_copy, shown
from .._core import log
from ._codec import JSON, Codec, check_storable
from ._error import JournalError
from ._start_records import StartRecords

if TYPE_CHECKING:
    from typing_extensions import Self


__all__ = ["JSON", "Codec", "Journal", "JournalError", "JournalLike", "Unreadable", "UnrecordableError"]


class UnrecordableError(JournalError):
    """Some values could not be encoded; everything else of that `write` is on record.

    `failures` has the key, the value and the exception of each.
    """

    failures: Sequence[tuple[int, Any, BaseException]]

    def __init__(self, failures: Sequence[tuple[int, Any, BaseException]]) -> None:
        if not isinstance(failures, Sequence):
            raise TypeError(f"failures must be a sequence, not {shown(failures)}")
        super().__init__(failures)
        self.failures = failures

    def __str__(self) -> str:
        return f"{len(self.failures)} values cannot be encoded"


class Unreadable(NamedTuple):
    """Stands for a value that is on record, but cannot be decoded."""

    encoded: str | bytes
    error: BaseException


@runtime_checkable
class JournalLike(Protocol):
    """What an executor needs of a journal: `Journal`, or one of your own, in a database that you have anyway.

    Keys are ints that the executor chooses, values what the submitted callables returned. The methods are called from
    one thread at a time, but not always the same one, with no lock held, and not from the thread that polls. If
    `write` raises, it is called again with the same, and more.
    """

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int], /) -> None:
        """Put keys and values on record, and forget keys: all of that or, if this raises, nothing.

        What returned must be on disk, where it will be looked for. To forget a key that is not on record does nothing;
        one that is on record already is replaced. Raise `UnrecordableError` if all is done but for some values that
        never can be.
        """

    def outstanding(self) -> Iterable[tuple[int, Any]]:
        """All recorded keys and values, by ascending key. A value that cannot be decoded is an `Unreadable`."""
        raise NotImplementedError


class Journal:
    """A journal in a file of its own, an SQLite database: for `PollExecutor(..., journal=Journal("tasks.db"))`.

    The file is made if it is not there, or is empty; its directory has to be. While it is open there is a second file
    beside it, called the same with `-wal` at the end, which is part of it: whoever moves one moves both. One process
    at a time can have it open. If that is killed, it is free again, and has all that was written.

        journal = Journal("tasks.db")
        journal.write([(1, "task-1"), (2, "task-2")], [])
        journal.write([], [1])
        print(list(journal.outstanding()))  # [(2, "task-2")]
        journal.close()

    All methods may be called from any thread. A write waits for the disk: some milliseconds, and about 2 µs for each
    key. In a forked child the journal cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str], *, codec: Codec = JSON) -> None:
        """Open the file, or make it.

        Args:
            path: of the file.
            codec: makes text or bytes of values, and values of those; by default JSON, with which tuples come back as
                lists. It has to be the same one every time.

        Raises TypeError for arguments that cannot be used, and JournalError, which names the path, if it is a
        directory, cannot be written, is in use, is no journal, is one of a newer version, or is damaged. It is left as
        it is then. One that was not closed the last time, and whose second file is missing, is opened with what it has;
        the logger "Journal" says so at WARNING. Opening reads the whole file, and needs room for a copy in the
        directory for temporary files.
        """
        # Some Pythons have no sqlite3, and those who need no journal need none.
        from ._sqlite import JournalFile  # here: a Python may have been built without sqlite3

        self._path = checked_path(path)
        for method in ("encode", "decode"):
            if not has_method(codec, method):
                raise TypeError(f"codec must have the methods encode and decode, not {shown(codec)}")
            check_method("codec", codec, method)
        self._codec = codec
        self._users: dict[int, str] = {}
        self._is_to_close = False
        self._file = JournalFile(self._path)
        self._close = weakref.finalize(self, self._file.close)
        try:
            self._file.open()
        except BaseException:
            self.close()
            raise

    def write(self, joined: Sequence[tuple[int, Any]], ended: Sequence[int]) -> None:
        """Put the keys and values of `joined` on record, then forget the keys `ended`, at once; then wait for the disk.

        Unknown keys may be forgotten, and known ones put on record again, with another value. Raises JournalError if
        that fails, and nothing has changed then; but `UnrecordableError`, which is one, if only some values could not
        be encoded: all the rest has been done.
        """
        rows: list[tuple[int, str | bytes]] = []
        failures: list[tuple[int, Any, BaseException]] = []
        encode = self._codec.encode
        try:
            for key, value in joined:
                known = key if type(key) is int else checked_key(key)
                try:
                    encoded = encode(value)
                    if type(encoded) is not str or not encoded.isascii():
                        check_storable(encoded)
                    rows.append((known, encoded))
                except MemoryError:
                    raise
                except Exception as error:
                    failures.append((key, value, error))
            gone = [(key if type(key) is int else checked_key(key),) for key in ended]
        except MemoryError:
            raise
        except Exception as error:
            what = "write takes pairs of a key and a value, and keys"
            raise TypeError(f"{what}: joined must not be {shown(joined)}, or ended {shown(ended)}") from error
        try:
            self._file.write(rows, gone)
        except OverflowError as error:
            why = "joined and ended must have keys from -2**63 to 2**63 - 1"
            raise ValueError(f"{why}, not {shown(joined)} and {shown(ended)}") from error
        if failures:
            raise UnrecordableError(failures)

    def start_records(self, namespace: str = "") -> StartRecords:
        """What is on record of tasks with keys: for executors, and for tools."""
        return StartRecords(self._file, self._codec, namespace)

    def check_file(self) -> None:
        """Raise JournalError if the file, or the one beside it, was deleted, moved or replaced while it was open.

        Then nobody would find what is on record. `write` does the same at its end. When both are back, all is well.
        """
        self._file.check_file()

    def outstanding(self) -> Iterator[tuple[int, Any]]:
        """The keys and values that are on record now, by ascending key; decoded one by one.

        A value that cannot be decoded is given as an `Unreadable`. Raises JournalError if the file cannot be read.
        """
        return self._decoded(self._file.rows())

    def _decoded(self, rows: list[tuple[int, str | bytes]]) -> Iterator[tuple[int, Any]]:
        for key, encoded in rows:
            try:
                value = self._codec.decode(encoded)
            except Exception as error:
                value = Unreadable(encoded, error)
            yield key, value

    def close(self) -> None:
        """Close the file: nothing can be written or read from then on. A second call does nothing.

        While an executor uses it, it stays open until that has ended, so that nothing is lost, and the logger
        "Journal" says so at WARNING: close the executor first. If this is interrupted, by a Ctrl-C say, the next call
        does the rest.
        """
        if user := next(iter(self._users.copy().values()), None):
            self._is_to_close = True
            message = "the journal %r is closed before the executor that uses it: it stays open until %s has ended"
            log(logging.getLogger("Journal"), logging.WARNING, message, self._path, user)
            return
        self._file.close()
        self._close.detach()

    def hold(self, user: object, name: str) -> None:
        """Stay open until `release(user)`: for an executor, whose `name` a warning says."""
        self._users[id(user)] = name

    def release(self, user: object) -> None:
        """Close, if that was asked for meanwhile, and nobody else holds it."""
        self._users.pop(id(user), None)
        if self._is_to_close and not self._users:
            self.close()

    def __len__(self) -> int:
        """How many keys are on record."""
        return self._file.count()

    def __bool__(self) -> bool:
        """True, also if nothing is on record."""
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    __reduce_ex__ = refuse_copy("share it, or close it, and send another process the path, to open it there")

    def __repr__(self) -> str:
        return f"<Journal {self._path!r}{'' if self._close.alive else ' closed'}>"


def checked_key(key: object) -> int:
    """`key`. Raises TypeError if it is no int."""
    if not isinstance(key, int) or isinstance(key, bool):
        raise TypeError(f"a key must be an int, not {shown(key)}")
    return key
