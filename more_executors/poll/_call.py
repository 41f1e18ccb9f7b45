"""One call of a poll function, and what is done with its tasks afterwards.

Guarantees:

* Whatever the function does, each of the tasks is done, or will be polled again.
* What goes wrong stays with the tasks of the call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf
from threading import Lock
from time import monotonic
from typing import Any, TypeAlias

from .._callables import done_by
from .._checks import real_number, shown
from .._core import (
    PollCall,
    PollDescriptor,
    PollTable,
    SharedError,
    call_over,
    copy_for_call,
    failed_future,
    log,
)
from .._frames import without_frames
from .._runtime.loop_resource import LoopResource
from .._runtime.loop_thread import LoopThread
from .._runtime.pauses import SECONDS_AFTER_ERROR
from ..partial_failure import PartialFailure
from ..rate_limit import Throttled
from ..retry import RetryPolicy
from ._gate import CallGate
from ._meter import PollMeter

__all__: list[str] = []


Tasks: TypeAlias = list[PollDescriptor[Any, Any]]


class PollCaller(PollCall):
    """Calls a poll function with lists of tasks, any number of calls at a time."""

    def __init__(
        self,
        poll_fn: Callable[[Tasks], Any],
        table: PollTable,
        meter: PollMeter,
        gate: CallGate,
        owner: str,
        *,
        is_limited: bool,
        resource: LoopResource,
        default_interval: float,
        retry_policy: RetryPolicy | None,
        debugging: bool,
    ) -> None:
        self.is_told = debugging or is_limited
        self._poll_fn = poll_fn
        self._table = table
        self._meter = meter
        self._gate = gate
        self._owner = owner
        self._resource = resource
        self._default_interval = default_interval
        self._retry_policy = retry_policy
        self._debugging = debugging
        self.last_ended = -inf  # when a call ended last, by `monotonic`
        self._lock = Lock()  # guards the next
        self._quiet = 0  # so many calls have to succeed before a failure is the first of a row again
        self._warned_of_delay = False

    async def call_async(self, tasks: Tasks, late: float, loop: LoopThread) -> None:
        """Poll `tasks`, with a function that is an `async def`."""
        error: BaseException | None = None
        try:
            self.going_on.begin()
            try:
                times = self.begin(tasks, late)
                descriptors = copy_for_call(tasks)
                try:
                    answer, error = await called_async(
                        self._poll_fn, descriptors, loop, self._resource, self._table.logger
                    )
                finally:
                    call_over(descriptors, error is not None)
                    del descriptors
            finally:
                self.going_on.end()
            self._over(tasks, times, answer, error)
        except BaseException:
            self._broken(tasks)
            raise
        finally:
            del self, tasks, error

    def _before(self, tasks: Tasks) -> float:
        if self._debugging:
            log(self._table.logger, logging.DEBUG, "polling %d descriptors", len(tasks))
        return self._gate.now()

    def _broken(self, tasks: Tasks) -> None:
        self._table.postpone(tasks, SECONDS_AFTER_ERROR)

    def _over(
        self, tasks: Tasks, times: tuple[float, float, int, float], answer: object, error: BaseException | None
    ) -> float:
        began, late, done_before, began_for_gate = times
        self.last_ended = monotonic()
        seconds = self.last_ended - began
        self._meter.note_done(done_before, seconds)
        self._meter.count_call(len(tasks), late, seconds)
        self._table.counters.count_call(seconds, error is not None and not is_throttled(error))
        try:
            if isinstance(error, PartialFailure):
                return self._failed_in_part(tasks, times, error)
            if error is None:
                self._gate.succeeded(began_for_gate)
                if self._quiet:
                    with self._lock:
                        self._quiet = max(0, self._quiet - 1)
                self._table.succeeded(tasks)
                delay = self._seconds(answer)
                self._table.reschedule(tasks, began, delay, self._default_interval)
                return delay
            if isinstance(error, Throttled):
                self._meter.note_throttled()
                self._gate.throttled(began_for_gate, error)
                self._table.postpone(tasks, 0.0, throttled=True)
                return self._gate.seconds_of_pause()
            self._failed(tasks, error)
            return -1.0
        finally:
            del self, tasks, error

    def _failed_in_part(self, tasks: Tasks, times: tuple[float, float, int, float], partial: PartialFailure) -> float:
        """The tasks it is about come first: where whole lists are polled, the others end what is kept of a call."""
        began, _, _, began_for_gate = times
        throttled: Tasks = []
        by_error: dict[int, tuple[BaseException, Tasks]] = {}
        rest: Tasks = []
        task = error = concerned = slowest = None
        try:
            for task in tasks:
                error = partial.errors.get(task)
                if error is None:
                    rest.append(task)
                elif isinstance(error, Throttled):
                    throttled.append(task)
                    if slowest is None or (error.retry_after or 0.0) > (slowest.retry_after or 0.0):
                        slowest = error
                else:
                    by_error.setdefault(id(error), (error, []))[1].append(task)
            if slowest is not None:
                self._meter.note_throttled()
                self._gate.throttled(began_for_gate, slowest)
                self._table.postpone(throttled, 0.0, throttled=True)
            elif rest:
                self._gate.succeeded(began_for_gate)
            for error, concerned in by_error.values():
                self._failed(concerned, error)
            self._table.succeeded(rest)
            self._table.reschedule(rest, began, -1.0, self._default_interval)
            return self._gate.seconds_of_pause() or -1.0
        finally:
            del self, tasks, partial, throttled, by_error, rest, task, error, concerned, slowest

    def _failed(self, tasks: Tasks, error: BaseException) -> None:
        logger = self._table.logger
        with self._lock:  # before the logger is called: another call may fail meanwhile
            quiet, self._quiet = self._quiet, self.going_on.count + 1  # which may fail for the same reason
        if not isinstance(error, Exception):
            log(logger, logging.ERROR, "%r out of the poll function; polling goes on", error, error=error)
        elif not quiet:
            log(logger, logging.WARNING, "the poll function of %s failed", self._owner, error=error)
        outcome = self._table.outcome_for(tasks, error)
        try:
            if self._retry_policy is None:
                self._table.fail_all(tasks, outcome)
                return
            for failures, concerned in self._table.count_failures(tasks).items():
                seconds = self.seconds_until_next_try(failures, outcome)
                if seconds is None:
                    self._table.fail_all(concerned, outcome)
                else:
                    self._table.postpone(concerned, seconds)
        finally:
            del self, tasks, error, outcome

    def seconds_until_next_try(self, failures: int, error: BaseException | SharedError) -> float | None:
        """Ask the retry policy about a call that has failed so often in a row. Returns None if it is to be the last."""
        policy = self._retry_policy
        if policy is None:
            return None
        failed = failed_future(error)
        try:
            if not done_by(policy.should_retry, policy.should_retry(failures, failed)):
                return None
            seconds = real_number("sleep_time", policy.sleep_time(failures, failed))
            if seconds != seconds:
                raise ValueError("sleep_time must not be NaN")
            return max(0.0, seconds)
        except BaseException as fault:
            message = "Exception while evaluating retry policy %r"
            log(self._table.logger, logging.ERROR, message, policy, error=fault)
            return None
        finally:
            del self, error, failed

    def _seconds(self, delay: object) -> float:
        """The delay that a poll function returned, in seconds, or -1.0 if it returned none."""
        if delay is None:
            return -1.0
        try:
            seconds = real_number("delay", delay)
        except TypeError:
            return -1.0
        if seconds >= 0:
            return seconds
        if not self._warned_of_delay:
            self._warned_of_delay = True
            message = "the poll function returned a delay of %s; read as %s s from now on"
            log(self._table.logger, logging.WARNING, message, shown(delay), self._default_interval)
        return -1.0


def is_throttled(error: BaseException) -> bool:
    """Whether it says that there are too many calls, and nothing else."""
    if isinstance(error, PartialFailure):
        return all(isinstance(one, Throttled) for one in error.errors.values())
    return isinstance(error, Throttled)


async def called_async(
    poll_fn: Callable[[Tasks], Any],
    descriptors: Tasks,
    loop: LoopThread,
    resource: LoopResource,
    logger: logging.Logger,
) -> tuple[object, BaseException | None]:
    """Await `poll_fn(descriptors)`, with `resource` open: the answer, and what it raises or None, see `_frames`."""
    frames = 5  # this one, that of `open`, and those of what watches
    try:
        if not resource.is_open:
            await resource.open()
        frames = 4
        return await loop.watched(poll_fn(descriptors), poll_fn, logger), None
    except BaseException as error:
        return None, without_frames(error, frames)
    finally:
        del descriptors
