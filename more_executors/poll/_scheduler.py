"""When a poll function is called with what is due, and what such a scheduler is; the core has the one of whole lists.

The executor's thread calls `turn` again and again. That begins the calls that are to be made now, and returns after how
many seconds to call it again, or sooner if the thread is woken.
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Protocol

from .._core import DueTable, RoundSpacing
from .._runtime.pauses import SECONDS_AFTER_ERROR
from ._bursts import Bursts
from ._gate import CallGate
from ._runners import Runner

__all__: list[str] = []

SECONDS_BETWEEN_COUNTS = 1.0  # of what is due, while that is more than can be polled


class PollScheduler(Protocol):
    """Decides when there is a call, and with which tasks. One thread uses it."""

    @property
    def due(self) -> int:
        """How many tasks could be polled now, when that was last looked at."""
        raise NotImplementedError

    @property
    def in_calls(self) -> int:
        """How many tasks are in calls that go on."""
        raise NotImplementedError

    def turn(self) -> float:
        """Begin the calls that are to be made now. Returns after how many seconds to call this again."""
        raise NotImplementedError


class DueScheduler:
    """Makes calls with tasks that are due, in batches, in rounds that are as far apart as `spacing` says.

    A round hands out what was due when it began. What is due later waits for the next one, and so do tasks that join:
    else a stream of them would be polled one by one. A round that only they ask for waits as `bursts` say, if the table
    sets them aside.
    """

    def __init__(
        self,
        table: DueTable,
        runner: Runner,
        gate: CallGate,
        bursts: Bursts,
        *,
        spacing: RoundSpacing,
        batch_size: int,
    ) -> None:
        self.due = 0
        self._counted = -inf
        self._table = table
        self._runner = runner
        self._gate = gate
        self._bursts = bursts
        self._spacing = spacing
        self._batch_size = batch_size
        self._began = -inf
        self._until = -inf  # what is due by then belongs to the round
        self._asked = False

    @property
    def in_calls(self) -> int:
        return self._table.in_calls

    def turn(self) -> float:
        try:
            return self._run_once()
        finally:
            del self

    def _run_once(self) -> float:
        self._table.coalescing = False  # first: who joins after this wakes us, who joined before is found below
        now = monotonic()
        self._asked = self._table.take_request() or self._asked
        if self._asked:
            self._table.make_all_due()
            now = monotonic()
            self._begin_round(now)
            self._asked = False
        self._table.drop_empty_groups()
        try:
            wait = self._poll_round(now)
            if wait is None:
                self.due = 0
                wait = min(self._table.next_due() - now, self._wait_of_joined(now))
                rest = self._began + self._spacing.seconds(now) - now
                if wait <= 0 and rest > 0:
                    wait = rest
                elif wait <= 0:
                    self._begin_round(now)
                    wait = self._poll_round(now)
                    if wait is None:
                        wait = max(0.0, self._table.next_due() - monotonic())
            return self._quietly(wait, now)
        finally:
            del self

    def _begin_round(self, now: float) -> None:
        self._bursts.poll_begins()
        if self._table.sets_aside:
            self._table.let_in(now)
        self._began = self._until = now

    def _wait_of_joined(self, now: float) -> float:
        """Seconds until what was set aside is to be polled, or until to ask again; inf if there is nothing."""
        return self._bursts.wait(now, self._began, self._table.in_calls > 0) if self._has_set_aside() else inf

    def _has_set_aside(self) -> bool:
        return self._table.sets_aside and self._bursts.has_joined

    def _quietly(self, wait: float, now: float) -> float:
        """Have tasks that join wake nobody if they wait anyway. Returns `wait`, or less: until the next round."""
        if wait <= 0.0:
            return 0.0
        until = self._began + self._spacing.seconds(now)
        if now < until:
            wait = min(wait, until - now)
        self._table.coalescing = now < until or self._has_set_aside()
        return wait

    def _poll_round(self, now: float) -> float | None:
        """Begin calls of the round. Returns after how many seconds to go on with it, or None if that was all."""
        try:
            while self._table.has_due(self._until):
                wait = self._acquire_permit()
                if wait > 0:
                    return min(wait, self._count_due(now))
                if self._call_next(now):
                    self._count_due(now)
                    return 0.0  # one call a turn, if it is made here: then deadlines are kept
            return None
        finally:
            del self

    def _acquire_permit(self) -> float:
        """Take a call from the gate and return 0.0, or the seconds until there may be one; inf: when a call is over."""
        return self._gate.try_take() if self._runner.has_room() else inf

    def _call_next(self, now: float) -> bool:
        taken = self._table.take_due(self._until, self._batch_size, now)
        try:  # already: to unpack a pair may ask for memory
            return bool(taken[0]) and self._runner.start(taken[0], taken[1])
        except BaseException:
            self._table.postpone(taken[0], SECONDS_AFTER_ERROR)
            raise
        finally:
            del self, taken  # see _frames

    def _count_due(self, now: float) -> float:
        """Count what is due and return inf; if that was done just now, return after how many seconds to do it."""
        if now < self._counted + SECONDS_BETWEEN_COUNTS:
            return self._counted + SECONDS_BETWEEN_COUNTS - now
        self._counted = now
        self.due = self._table.due(now)
        return inf
