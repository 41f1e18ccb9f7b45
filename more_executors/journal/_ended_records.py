"""What is on record of tasks with keys that have ended, read when it is asked for.

Guarantees:

* What is found was on record when it was asked for, whatever is written meanwhile.
* Nothing is kept of a key but some bytes, and of the rows that were read ahead, at most so many.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from .._core import StartChange
from ._key_filter import KeyFilter
from ._start_records import NOT_ENDED, StartRecord, StartRecords

__all__: list[str] = []

READ_AHEAD = 200  # numbers after that of a row that is asked for: the next keys are likely to be theirs


class Rows:
    """What was read at once; each row is taken once."""

    def __init__(self, is_for_one: bool) -> None:
        self.is_for_one = is_for_one  # and replaced by the next that is
        self.records: dict[str, StartRecord] = {}
        self.changed = set[str]()  # keys whose rows changed while they were being read
        self.is_filled = False


class EndedRecords:
    """All methods may be called from any thread, but `written`, which is for the journal's."""

    def __init__(self, records: StartRecords) -> None:
        self._records = records
        self._batches: dict[int, Rows] = {}  # by their `id`
        self._filter = KeyFilter()
        for key in records.ended_keys():
            self._filter.add(key)

    def find(self, key: str) -> StartRecord | None:
        """The row of `key`, if it has ended."""
        if not self._filter.suspects(key):
            return None
        for rows in self._batches.copy().values():
            if (record := rows.records.pop(key, None)) is not None and key not in rows.changed:
                return record
        found: list[StartRecord] = []
        rows = self._filled(True, partial(self._records.find_with_next, key, READ_AHEAD), found)
        for other in self._batches.copy().values():
            if other.is_for_one and other is not rows:
                self.forget(other)
        rows.records.pop(key, None)
        return found[0] if found else None

    def read(self, keys: Sequence[str]) -> Rows:
        """Read the rows of `keys`, all at once, for `find`. They are kept until `forget`."""
        wanted = [key for key in keys if self._filter.suspects(key)]
        return self._filled(False, partial(self._records.find, wanted) if wanted else list, [])

    def forget(self, batch: Rows) -> None:
        self._batches.pop(id(batch), None)

    def _filled(self, is_for_one: bool, read: Callable[[], Iterable[StartRecord]], found: list[StartRecord]) -> Rows:
        """What `read` returns, which `found` gets as well."""
        rows = Rows(is_for_one)
        self._batches[id(rows)] = rows  # first: from here on it hears what changes
        try:
            found.extend(read())
            rows.records.update((record.key, record) for record in found)
        except BaseException:
            self.forget(rows)
            raise
        rows.is_filled = True
        return rows

    def written(self, changes: Collection[StartChange]) -> None:
        """All of `changes` are on record; to be called before anybody looks for them here."""
        add = self._filter.add
        for change in changes:
            if change.state not in NOT_ENDED:
                add(change.key)
        for rows in self._batches.copy().values():
            if not rows.is_filled:
                rows.changed.update(change.key for change in changes)
            for change in changes if rows.records else ():
                rows.records.pop(change.key, None)
