"""Waiting for remote tasks: one function asks about all that are outstanding, and resolves their futures.

Guarantees:

* Every future ends exactly once: as its descriptor is resolved, as the delegate's future ends if that is no success,
  or cancelled.
* The poll function runs on one thread, one call at a time, with nothing held. Whatever it raises or returns, polling
  goes on.
* Cancelling and resolving are O(1), and wait for no poll.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Any

from ._base import Delegate, check_callable, check_optional_callable
from ._core import PollDescriptor, PollTable, log
from ._delegating import WorkingExecutor
from ._types import A, B

__all__ = ["PollDescriptor", "PollExecutor"]


class PollExecutor(WorkingExecutor[A, B]):
    """Submits to a delegate what starts a task elsewhere, and polls until the task is done.

    What a callable returns, typically a task id, is `result` of a `PollDescriptor`, and its future stays pending
    until somebody calls `yield_result` or `yield_exception` of that. `poll_fn(descriptors)` is there to do so: it is
    called, on a thread of the executor, with a new list of all descriptors not resolved yet, possibly empty: once at
    the start, when something joins the list, after `notify`, and after a delay. The delay is what `poll_fn` returned
    if that is an int or a float, in seconds, else `default_interval`.

    What fails, or is cancelled, before it joins the list ends its future the same way. If `poll_fn` raises, the futures
    whose descriptors were in that call's list fail with the exception, and polling goes on.

    `future.cancel()` is the delegate's decision while that has the task; then it is `cancel_fn(result)` that decides,
    by its truth value, or without a `cancel_fn` it succeeds.

        def poll(descriptors):
            states = service.states([d.result for d in descriptors])
            for d in descriptors:
                if states[d.result] == "finished":
                    d.yield_result(d.result)

        with PollExecutor(ThreadPoolExecutor(), poll) as executor:
            futures = [executor.submit(service.start, job) for job in jobs]

    All methods may be called from any thread. No operation costs more when more futures are outstanding, except that
    a poll is given the list of them, at some nanoseconds each.
    """

    _kind = "PollExecutor"
    _metric = "poll"

    def __init__(
        self,
        delegate: Delegate,
        poll_fn: Callable[[list[PollDescriptor[Any, Any]]], float | None],
        cancel_fn: Callable[[Any], object] | None = None,
        default_interval: float = 5.0,
        logger: logging.Logger | None = None,
        name: str = "default",
    ) -> None:
        """Start polling.

        Args:
            delegate: the executor that calls what is submitted; shut down with this one.
            poll_fn: gets a list of `PollDescriptor`, may return a delay in seconds.
            cancel_fn: gets a descriptor's `result`; whether the task has been cancelled. May be slow: other futures
                do not wait for it.
            default_interval: seconds between polls, at least 0; inf is until something joins or `notify`.
            logger: by default the one called "PollExecutor".
            name: ends the name of the thread.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        super().__init__(delegate, logger, name)
        check_callable("poll_fn", poll_fn)
        check_optional_callable("cancel_fn", cancel_fn)
        self._poll_fn = poll_fn
        self._default_interval = checked_interval(default_interval)
        self._warned_of_delay = False
        self._failing = False
        self._poll_table = PollTable(self._logger, cancel_fn)
        self._start(self._poll_table)

    def notify(self) -> None:
        """Poll as soon as possible: once, however often this is called before that poll begins."""
        self._table.waker.set()

    def _turn(self) -> float | None:
        """Poll once."""
        try:
            return None if self._drained() else self._poll()
        finally:
            del self  # see `called`

    def _poll(self) -> float:
        error: BaseException | None = None
        descriptors = self._poll_table.hand_out()
        self._debug("polling %d descriptors", len(descriptors))
        try:
            began = monotonic()
            delay, error = called(self._poll_fn, descriptors)
            self._table.tally.count_call(monotonic() - began, error is not None)
            if error is not None:
                self._poll_failed(error)
                return self._default_interval
            self._failing = False
            return self._seconds(delay)
        finally:
            del self, descriptors, error  # see `called`

    def _poll_failed(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            log(self._logger, logging.ERROR, "%r out of the poll function; polling goes on", error, error=error)
        elif not self._failing:
            log(self._logger, logging.WARNING, "the poll function of %r failed", self, error=error)
        self._failing = True
        self._poll_table.fail_handed_out(error)

    def _seconds(self, delay: object) -> float:
        """The delay that a poll function asked for."""
        if not isinstance(delay, (int, float)):
            return self._default_interval
        try:
            seconds = as_seconds(delay)
        except Exception:
            return self._default_interval  # a number by name only
        if seconds >= 0:
            return seconds
        if not self._warned_of_delay:
            self._warned_of_delay = True
            log(
                self._logger,
                logging.WARNING,
                "the poll function returned a delay of %r; read as %s s from now on",
                delay,
                self._default_interval,
            )
        return self._default_interval


def checked_interval(seconds: float) -> float:
    """`seconds` as a float. Raises TypeError if it is no number, ValueError if it is negative or NaN."""
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"default_interval must be a number of seconds, not {seconds!r}")
    if not seconds >= 0:
        raise ValueError(f"default_interval must be 0 s or more, not {seconds!r}")
    return as_seconds(seconds)


def as_seconds(number: float) -> float:
    """`number` as a float, or infinite if it is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


def called(
    poll_fn: Callable[[list[PollDescriptor[Any, Any]]], object], descriptors: list[PollDescriptor[Any, Any]]
) -> tuple[object, BaseException | None]:
    """What `poll_fn(descriptors)` returns, and what it raises.

    An exception keeps, through its traceback, the frames it went through and all their callers, with their variables.
    Futures keep exceptions. So the traceback is cut to begin in `poll_fn`, and the callers of this empty their frames:
    else a future that failed would keep the executor, and whatever else was outstanding.
    """
    try:
        return poll_fn(descriptors), None
    except BaseException as error:
        trace = error.__traceback__
        return None, error.with_traceback(trace and trace.tb_next)
    finally:
        del descriptors
