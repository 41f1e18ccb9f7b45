"""The same outcome, with other rules about cancelling."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import Future
from typing import TypeVar

from .._core import check_futures, shielded
from ..sync import SyncExecutor
from ..timeout import TimeoutExecutor, checked_timeout
from ._origins import origin_of

__all__ = ["f_nocancel", "f_timeout"]

A = TypeVar("A")

_shielded = origin_of("nocancel")


def f_nocancel(future: Future[A]) -> Future[A]:
    """A future that ends as `future` does, and whose `cancel()` always says no."""
    check_futures(f_nocancel.__name__, (future,))
    return shielded(_shielded, future)


def f_timeout(future: Future[A], timeout: float) -> Future[A]:
    """A future that ends as `future` does; unless that is done `timeout` seconds from now, one `cancel()` is tried.

    Raises TypeError or ValueError if an argument cannot be used. All of these share a thread, for as long as one is not
    done.
    """
    check_futures(f_timeout.__name__, (future,))
    return _shared.executor()._watch(future, checked_timeout(timeout))


class SharedExecutor:
    """A TimeoutExecutor that is there as long as somebody, such as a future of it, needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the next
        self._reference: weakref.ref[TimeoutExecutor] | None = None

    def executor(self) -> TimeoutExecutor:
        with self._lock:
            executor = self._reference() if self._reference is not None else None
            if executor is None or executor._table.closed is not None:
                executor = TimeoutExecutor(SyncExecutor(name="internal"), float("inf"), name="internal")
                self._reference = weakref.ref(executor)
            return executor


_shared = SharedExecutor()
