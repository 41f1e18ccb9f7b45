"""What is on record of tasks with keys: for each, whether it was meant to be started, was started, or has ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .._core import StartChange
from ._codec import Codec, check_storable
from ._outcomes import error_of_value, value_of_error, without_arguments

if TYPE_CHECKING:
    from ._begun_marks import BegunMarks
    from ._sqlite import JournalFile  # a Python may have been built without sqlite3

__all__: list[str] = []

FIRST_NUMBER = 1 << 62  # of tasks with keys; those without have smaller ones

MEANT = "meant"  # it may be started, by the process that has the journal open, and will be marked as begun first
IN_DOUBT = "in doubt"  # it may have been started, or may be now
STARTED = "started"  # its value is what it is known by elsewhere
DONE = "done"  # its value is the result
FAILED = "failed"  # its value stands for its exception, see `_outcomes`; None if that cannot be encoded
DONE_WITHOUT = "done, result not kept"
UNRECORDED = "done, result cannot be encoded"  # its value says what the codec raised
FORGOTTEN = ""  # it is not on record

UNFINISHED = (MEANT, IN_DOUBT, STARTED)
DOUBTFUL = (MEANT, IN_DOUBT)
NOT_ENDED = (*UNFINISHED, FORGOTTEN)

MEANT_COLUMNS = "number, namespace, key, state, since, run"
COLUMNS = f"{MEANT_COLUMNS}, token, value"


class StartRecord(NamedTuple):
    """A row. `key` is JSON, `value` as it was encoded, and `since` in seconds since 1970."""

    number: int
    namespace: str
    key: str
    state: str
    since: float
    run: int
    token: str | None
    value: Any


class StartRecords:
    """The rows of one namespace, in the file of a journal. May be used from any thread."""

    def __init__(self, file: JournalFile, codec: Codec, namespace: str) -> None:
        self._file = file
        self._codec = codec
        self._namespace = namespace
        numbers = file.select("SELECT max(number), max(run) FROM starts", ())[0]
        self.first_free = FIRST_NUMBER if numbers[0] is None else numbers[0] + 1
        self.run = 1 + (numbers[1] or 0)

    def begun_marks(self) -> BegunMarks | None:
        """See JournalFile."""
        return self._file.begun_marks()

    def unfinished(self) -> list[StartRecord]:
        """Those that have not ended, as far as is known."""
        where = "WHERE namespace = ? AND state IN (?, ?, ?) ORDER BY number"
        return self._rows(where, (self._namespace, *UNFINISHED))

    def ended_keys(self) -> Iterator[str]:
        statement = "SELECT key FROM starts WHERE namespace = ? AND state NOT IN (?, ?, ?)"
        return (key for (key,) in self._file.select(statement, (self._namespace, *UNFINISHED)))

    def find(self, keys: Sequence[str]) -> list[StartRecord]:
        """The rows of `keys`, by one statement."""
        where = "WHERE namespace = ? AND key IN (SELECT value FROM json_each(?))"
        return self._rows(where, (self._namespace, json.dumps(keys)))

    def find_with_next(self, key: str, count: int) -> list[StartRecord]:
        """The row of `key`, if there is one, and those of the next so many numbers."""
        found = self._rows("WHERE namespace = ? AND key = ?", (self._namespace, key))
        if found:
            first = found[0].number
            # The plus keeps SQLite from looking for the namespace first, and sorting all that it finds.
            where = "WHERE number > ? AND number <= ? AND +namespace = ? ORDER BY number"
            found += self._rows(where, (first, first + count, self._namespace))
        return found

    def decoded(self, record: StartRecord) -> Any:
        """The value of `record`: that of a FAILED is an exception. Raises what the codec does."""
        if record.value is None or record.state == UNRECORDED:
            return record.value
        value = self._codec.decode(record.value)
        return error_of_value(value) if record.state == FAILED else value

    def write(self, changes: Iterable[StartChange]) -> list[tuple[StartChange, BaseException]]:
        """Put `changes` on record, in one transaction; returns those of them whose value could not be encoded.

        Such a task that was started stays meant; one that ended has ended all the same. Raises JournalError.
        """
        meant: list[tuple[Any, ...]] = []
        with_token: list[tuple[Any, ...]] = []
        others: list[tuple[Any, ...]] = []
        forgotten: list[tuple[int]] = []
        failures: list[tuple[StartChange, BaseException]] = []
        now = time()
        for change in changes:
            if change.state == FORGOTTEN:
                forgotten.append((change.number,))
            elif change.state in DOUBTFUL:
                row = (change.number, self._namespace, change.key, change.state, now, self.run)
                if change.token is None:
                    meant.append(row)
                else:
                    with_token.append((*row, change.token))
            else:
                try:
                    state, value = self._encoded(change, failures)
                except MemoryError:
                    raise
                except Exception as error:
                    failures.append((change, error))
                    continue
                others.append((state, now, self.run, value, change.number))
        self._file.write_all(
            # What is not given is NULL. To give None for it takes half a microsecond: it might have an adapter.
            (f"INSERT OR REPLACE INTO starts ({MEANT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", meant),
            (f"INSERT OR REPLACE INTO starts ({MEANT_COLUMNS}, token) VALUES (?, ?, ?, ?, ?, ?, ?)", with_token),
            ("UPDATE starts SET state = ?, since = ?, run = ?, value = ? WHERE number = ?", others),
            ("DELETE FROM starts WHERE number = ?", forgotten),
        )
        return failures

    def forget(self, keys: Sequence[str]) -> None:
        """Take the rows of `keys` out."""
        statement = "DELETE FROM starts WHERE namespace = ? AND key = ?"
        self._file.write_all((statement, [(self._namespace, key) for key in keys]))

    def _encoded(self, change: StartChange, failures: list[tuple[StartChange, BaseException]]) -> tuple[str, Any]:
        """The state and the value to store."""
        state, value = change.state, change.value
        if state == DONE_WITHOUT:
            return state, None
        try:
            return state, self._storable(value_of_error(value) if state == FAILED else value)
        except MemoryError:
            raise
        except Exception as error:
            if state == STARTED:
                raise
            failures.append((change, error))
            if state == FAILED:
                with contextlib.suppress(Exception):
                    return state, self._storable(without_arguments(value))
                return state, None
            return UNRECORDED, type(error).__name__

    def _storable(self, value: Any) -> str | bytes:
        encoded = self._codec.encode(value)
        if type(encoded) is not str or not encoded.isascii():
            check_storable(encoded)
        return encoded

    def _rows(self, where: str, parameters: Any) -> list[StartRecord]:
        return list(map(StartRecord._make, self._file.select(f"SELECT {COLUMNS} FROM starts {where}", parameters)))
