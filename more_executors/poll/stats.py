"""What a PollExecutor tells about itself, and about the tasks it is waiting for."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple

__all__ = ["OutstandingTask", "PollStats"]


class PollStats(NamedTuple):
    """How a `PollExecutor` is doing, as `stats()` found it: a record that does not change.

    The figures are read one after the other while the executor goes on, so they need not be of quite the same moment.

    Args:
        outstanding: how many futures are pending: `with_delegate` and `polled` together.
        with_delegate: how many of them have no task yet, as the delegate has not called what was submitted, or is
            calling it.
        polled: how many of them have a task that is being waited for.
        due: how many of the polled tasks could be handed to the poll function now.
        in_calls: how many of the polled tasks are in calls of the poll function that go on right now.
        done: how many futures have ended, in any way.
        failed: how many of those failed.
        cancelled: how many of those were cancelled.
        calls: how many calls of the poll function have ended.
        errors: how many of those raised, other than `Throttled`.
        throttled: how many of those raised `Throttled`.
        oldest_age: how long ago, in seconds, the task was submitted or adopted that is outstanding longest; 0 if there
            is none.
        lag: how late, in seconds, due tasks come to be handed out.
        rate: the calls per second in force; None if there is no `rate_limit`.
        seconds_left: in how many seconds nothing is outstanding any more, if futures go on ending as they did in the
            last minute; None if that is not known.
        states: how many outstanding tasks are in each state that the poll function has reported, by
            `descriptor.report`, in the order in which the states were first reported; empty where nobody reports.
    """

    outstanding: int
    with_delegate: int
    polled: int
    due: int
    in_calls: int
    done: int
    failed: int
    cancelled: int
    calls: int
    errors: int
    throttled: int
    oldest_age: float
    lag: float
    rate: float | None
    seconds_left: float | None
    states: Mapping[str, int] = {}


class OutstandingTask(NamedTuple):
    """A task that a `PollExecutor` is waiting for, as `outstanding()` found it.

    Args:
        result: what the submitted callable returned, or what was adopted: typically the task's id.
        age: how long ago, in seconds, it was submitted or adopted.
        polls: how many calls of the poll function it has been in; None where whole lists are polled, which keeps no
            count.
        failures: how many of those, the last ones in a row, raised.
        future: what stands for it here: to wait for it, or to cancel it.
        state: what the poll function last reported by `descriptor.report`, such as "running"; None if nothing.
        progress: the same, a number from 0 to 1.
    """

    result: Any
    age: float
    polls: int | None
    failures: int
    future: Future[Any]
    state: str | None = None
    progress: float | None = None
