"""The standard library's pools, with a name and the `with_*` methods."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any, NoReturn

from . import metrics
from ._base import check_name
from ._chaining import Chainable
from ._core import Origin, counted, futures_logger
from ._types import Anything, P, R, Returned

__all__: list[str] = []


class ThreadPoolExecutor(futures.ThreadPoolExecutor, Chainable[Anything, Returned[NoReturn]]):
    """`concurrent.futures.ThreadPoolExecutor` with `name`: it ends the names of the threads.

    Takes the arguments of that; `thread_name_prefix` wins over `name`.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        name: str = "default",
        **kwargs: Any,
    ) -> None:
        check_name(name)
        if name != "default" and not thread_name_prefix:
            thread_name_prefix = f"ThreadPoolExecutor-{name}"
        super().__init__(max_workers, thread_name_prefix, initializer, initargs, **kwargs)
        self._name = name
        self._origin = Origin(futures_logger)
        self._record = metrics.track(self, "threadpool", name, self._origin.tally)

    def submit(  # type: ignore[override]  # it can do nothing else
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        future = super().submit(fn, *args, **kwargs)
        return counted(self._origin, future) if metrics.enabled else future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._record.ended()
        super().shutdown(wait, cancel_futures=cancel_futures)


def is_worker_of(pool: futures.ThreadPoolExecutor) -> bool:
    """Whether this thread is a worker of `pool`, which `shutdown` would wait for."""
    with pool._shutdown_lock:  # held from before a worker is started until it is among the threads
        return threading.current_thread() in pool._threads


class ProcessPoolExecutor(futures.ProcessPoolExecutor, Chainable[Anything, Returned[NoReturn]]):
    """`concurrent.futures.ProcessPoolExecutor` with `name`; takes the arguments of that."""

    def __init__(self, *args: Any, name: str = "default", **kwargs: Any) -> None:
        check_name(name)
        super().__init__(*args, **kwargs)
        self._name = name
