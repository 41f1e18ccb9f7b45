"""What is on record of tasks with keys that have ended, read when it is asked for.

Guarantees:

* What is found was on record when it was asked for, whatever is written meanwhile.
* Nothing is kept of a key but some bytes, and of the rows that were read ahead, at most so many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ._key_filter import KeyFilter
from ._start_records import StartRecord, StartRecords

__all__: list[str] = []

READ_AHEAD = 200  # numbers after that of a row that is asked for: the next keys are likely to be theirs

Rows = dict[str, StartRecord]


class EndedRecords:
    """All methods may be called from any thread, but `written`, which is for the journal's."""

    def __init__(self, records: StartRecords) -> None:
        self._records = records
        self._writes = 0
        self._ahead: Rows = {}
        self._batches: list[Rows] = [self._ahead]  # replaced as a whole
        self._filter = KeyFilter()
        for key in records.ended_keys():
            self._filter.add(key)

    def find(self, key: str) -> StartRecord | None:
        """The row of `key`, if it has ended."""
        if not self._filter.suspects(key):
            return None
        for rows in self._batches:
            if (record := rows.pop(key, None)) is not None:
                return record
        writes = self._writes
        found = self._records.find_with_next(key, READ_AHEAD)
        if not found:
            return None
        self._ahead.clear()
        self._keep(self._ahead, found[1:], writes)
        return found[0]

    def read(self, keys: Sequence[str]) -> Rows:
        """Read the rows of `keys`, all at once, for `find`. They are kept until `forget`."""
        batch: Rows = {}
        self._batches = [*self._batches, batch]
        if wanted := [key for key in keys if self._filter.suspects(key)]:
            writes = self._writes
            self._keep(batch, self._records.find(wanted), writes)
        return batch

    def forget(self, batch: Rows) -> None:
        self._batches = [rows for rows in self._batches if rows is not batch]

    def _keep(self, rows: Rows, found: Iterable[StartRecord], writes: int) -> None:
        rows.update((record.key, record) for record in found)
        if self._writes != writes:  # some may have changed since
            rows.clear()

    def written(self, key: str, has_ended: bool) -> None:
        """The row of `key` has changed."""
        if has_ended:
            self._filter.add(key)
        self._writes += 1
        for rows in self._batches:
            rows.pop(key, None)
