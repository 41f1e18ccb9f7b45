"""Bursts: where many tasks join one after the other, a poll is not made for each of them.

Guarantees:

* Polls that nothing but joins asks for take about a tenth of the time, while a burst goes on.
* A task that joins alone is polled at once: no other has joined since the last poll began, or is with the delegate.
* When a burst is over, its last tasks are polled within the time of a poll.
"""

from __future__ import annotations

from .._core import PollTable
from ._call import PollCaller

__all__: list[str] = []

PAUSE = 9.0  # times what the last poll took
QUIET = 0.5  # times that: if nothing joins for so long, and nothing is with the delegate, the burst is over
LEAST_QUIET = 0.0005  # seconds, so that polls which take no time do not have the thread wake up all the time
NOTED = 64  # joins after a poll began of which the time is known; when the last of more was, is found out by looking


class Bursts:
    """Says when tasks are polled that joined since the last poll began, if nothing but that asks for a poll.

    One thread uses it.
    """

    noted = NOTED

    def __init__(self, table: PollTable, calls: PollCaller, longest: float) -> None:
        """Make it. They wait for `longest` seconds at most; 0.0: for nothing."""
        self._table = table
        self._calls = calls
        self._longest = longest
        self._before = 0  # how many had joined when the last poll began
        self._seen = 0  # the same when somebody last looked
        self._seen_at = 0.0

    def poll_begins(self) -> None:
        """What has joined is polled."""
        self.poll_began(self._table.begin_to_count(NOTED))

    def poll_began(self, joins: int) -> None:
        """The last poll began when so many had joined; from then on `noted` more were counted by the table."""
        self._before = self._seen = joins

    @property
    def has_joined(self) -> bool:
        """Whether something has joined since the last poll began."""
        return self._table.joins != self._before

    def wait(self, now: float, began: float, busy: bool = False) -> float:
        """Seconds after which to ask again; 0.0 if what has joined is to be polled now.

        The last poll began at `began`. While it is `busy`, or a call goes on, it takes as long as it has so far.
        """
        if self._longest <= 0.0:
            return 0.0
        joins, with_delegate = self._table.joins, self._table.with_delegate
        if joins != self._seen:
            self._seen, self._seen_at = joins, now
        joined = joins - self._before
        if joined == 1 and not with_delegate:
            return 0.0
        if busy or self._calls.are_going_on:
            seconds, over = now - began, began + self._longest
        else:
            seconds = max(0.0, self._calls.last_ended - began)
            over = began + seconds + min(PAUSE * seconds, self._longest)
        last = now if with_delegate else self._table.last_noted if joined <= NOTED else self._seen_at
        return max(0.0, min(over, last + max(QUIET * seconds, LEAST_QUIET)) - now)
