"""A service with the limits of AWS Batch's `describe_jobs`: so many ids a call, so many calls a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from more_executors.rate_limit import Throttled

from .day import Day
from .record import Record

LATENCY = 0.1  # seconds from a call to its reply, which says how things were halfway


class Service:
    """Says which tasks are done, and refuses what is more than it stands.

    It stands `stands(time)` calls a second, and as many at once as in a second, if they were saved up.
    """

    def __init__(self, day: Day, stands: Callable[[float], float]) -> None:
        self.record = Record(day)
        self._ends = day.ends.tolist()
        self._stands = stands
        self._saved = 1.0
        self._at = 0.0

    def ask(self, ids: Sequence[int], at: float) -> None:
        """Begin a call. Raises Throttled if it is one too many."""
        self.record.note_call(at, len(ids))
        rate = self._stands(at)
        self._saved = min(max(rate, 1.0), self._saved + (at - self._at) * rate)
        self._at = at
        if self._saved < 1:
            self.record.throttled += 1
            raise Throttled
        self._saved -= 1

    def done(self, ids: Sequence[int], asked_at: float) -> list[int]:
        """Those of `ids` that the reply to a call says are done."""
        then, ends = asked_at + LATENCY / 2, self._ends
        return [task for task in ids if ends[task] <= then]
