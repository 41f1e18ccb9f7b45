"""The same outcome, with other rules about cancelling."""

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
    """A future that ends as `future` does, and whose `cancel()` always says no."""
    check_futures(f_nocancel.__name__, (future,))
    return shielded(_shielded, future)


def f_timeout(future: FutureLike[A], timeout: float) -> futures.Future[A]:
    """A future that ends as `future` does; unless that is done `timeout` seconds from now, one `cancel()` is tried.

    Raises TypeError or ValueError if an argument cannot be used. All of these share a thread, for as long as one is not
    done.
    """
    check_futures(f_timeout.__name__, (future,))
    seconds = checked_timeout("timeout", timeout)
    if getattr(future, "done", bool)():
        return passed_on(_in_time, Future(), future)
    return shared_executor()._watch(future, seconds)


_shared: weakref.ref[TimeoutExecutor] | None = None


def shared_executor() -> TimeoutExecutor:
    """A TimeoutExecutor that is there as long as somebody needs it, which its pending futures do."""
    global _shared
    executor = _shared() if _shared is not None else None
    if executor is None or executor._table.closed is not None:
        executor = TimeoutExecutor(SyncExecutor(name="internal"), inf, name="internal")
        _shared = weakref.ref(executor)  # if two threads come here at once there are two, which does no harm
    return executor
