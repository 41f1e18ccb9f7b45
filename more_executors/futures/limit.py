"""Futures with the same outcome, and other rules about cancelling."""

from __future__ import annotations

import weakref
from concurrent import futures
from math import inf
from typing import TypeVar

from .._checks import checked_timeout
from .._core import Future, check_futures, passed_on, shielded
from .._types import FutureLike
from ..sync import SyncExecutor
from ..timeout import TimeoutExecutor
from ._sources import future_source

__all__ = ["f_nocancel", "f_timeout"]

A = TypeVar("A")

_shielded = future_source("nocancel")
_in_time = future_source("timeout", "internal")


def f_nocancel(future: FutureLike[A]) -> futures.Future[A]:
    """A future with the outcome of `future`, that cannot be cancelled: `cancel()` always returns False.

    Raises TypeError if `future` is no future.
    """
    check_futures(f_nocancel.__name__, (future,))
    return shielded(_shielded, future)


def f_timeout(future: FutureLike[A], timeout: float) -> futures.Future[A]:
    """A future with the outcome of `future`; if it is not done after `timeout` seconds, `cancel()` is tried once.

    All futures that this returned share one thread, which ends when they are done. Raises TypeError if `future` is no
    future, and TypeError or ValueError if `timeout` is no number of seconds.
    """
    check_futures(f_timeout.__name__, (future,))
    seconds = checked_timeout("timeout", timeout)
    if getattr(future, "done", bool)():
        return passed_on(_in_time, Future(), future)
    return shared_executor()._watch(future, seconds)


_shared: weakref.ref[TimeoutExecutor] | None = None


def shared_executor() -> TimeoutExecutor:
    """The TimeoutExecutor of all these futures. Pending futures keep it alive; later there will be another."""
    global _shared
    executor = _shared() if _shared is not None else None
    if executor is None or executor._table.closed is not None:
        executor = TimeoutExecutor(SyncExecutor(name="internal"), inf, name="internal")
        _shared = weakref.ref(executor)  # if two threads come here at once there are two, which does no harm
    return executor
