"""The standard library's pools, with a name and the `with_*` methods."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

from . import metrics
from ._chaining import Chainable
from ._checks import check_name
from ._core import FutureSource, check_threads, counted, futures_logger
from ._runtime.nested_calls import NESTED, Idle, shut_down_once_free, would_wait_for_itself
from ._types import Anything, P, R, Returned

__all__: list[str] = []


class ThreadPoolExecutor(futures.ThreadPoolExecutor, Chainable[Anything, Returned[NoReturn]]):
    """`concurrent.futures.ThreadPoolExecutor` with a `name`, with which the names of its threads end.

    Other arguments are passed to that class exactly as they were given: programs put mocks in its place.
    `thread_name_prefix`, if it is given, is used instead of `name`.
    """

    def __init__(self, *args: Any, name: str = "default", **kwargs: Any) -> None:
        check_threads()
        check_name(name)
        if name != "default" and len(args) < 2:
            kwargs.setdefault("thread_name_prefix", f"ThreadPoolExecutor-{name}")
        super().__init__(*args, **kwargs)
        self._idle_semaphore: Any = Idle()
        self._name = name
        self._future_source = FutureSource(futures_logger)
        self._record = metrics.track(self, "threadpool", name, self._future_source.counters)

    def submit(  # type: ignore[override]  # of Chainable's overloads, one
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        if would_wait_for_itself(self):
            raise RuntimeError(NESTED)
        future = super().submit(fn, *args, **kwargs)
        return counted(self._future_source, future) if metrics.enabled else future

    if not TYPE_CHECKING:  # to a type checker, that is the standard library's

        @wraps(futures.ThreadPoolExecutor.shutdown)
        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            self._record.ended()
            shut_down_once_free(self, super().shutdown, args, kwargs)


def is_worker_of(pool: futures.ThreadPoolExecutor) -> bool:
    """Whether this thread is a worker of `pool`. `shutdown` waits for those."""
    if would_wait_for_itself(pool):  # then nobody else is starting one
        return threading.current_thread() in pool._threads
    with pool._shutdown_lock:  # held from before a worker is started until it is among the threads
        return threading.current_thread() in pool._threads


class ProcessPoolExecutor(futures.ProcessPoolExecutor, Chainable[Anything, Returned[NoReturn]]):
    """`concurrent.futures.ProcessPoolExecutor` with a `name`. Other arguments are passed to that class."""

    def __init__(self, *args: Any, name: str = "default", **kwargs: Any) -> None:
        check_threads()
        check_name(name)
        super().__init__(*args, **kwargs)
        self._name = name

    def submit(  # type: ignore[override]  # as above
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        if would_wait_for_itself(self):
            raise RuntimeError(NESTED)
        return super().submit(fn, *args, **kwargs)

    if not TYPE_CHECKING:

        @wraps(futures.ProcessPoolExecutor.shutdown)
        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            shut_down_once_free(self, super().shutdown, args, kwargs)
