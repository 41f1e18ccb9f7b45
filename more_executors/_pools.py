"""The standard library's pools, with a name and the `with_*` methods."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import Any, ParamSpec, TypeVar

from . import metrics
from ._base import Chainable, check_name
from ._core import Origin, counted, futures_logger

__all__: list[str] = []

P = ParamSpec("P")
A = TypeVar("A")


class ThreadPoolExecutor(futures.ThreadPoolExecutor, Chainable):
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

    def submit(self, fn: Callable[P, A], /, *args: P.args, **kwargs: P.kwargs) -> futures.Future[A]:
        future = super().submit(fn, *args, **kwargs)
        return counted(self._origin, future) if metrics.enabled else future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._record.ended()
        super().shutdown(wait, cancel_futures=cancel_futures)


class ProcessPoolExecutor(futures.ProcessPoolExecutor, Chainable):
    """`concurrent.futures.ProcessPoolExecutor` with `name`; takes the arguments of that."""

    def __init__(self, *args: Any, name: str = "default", **kwargs: Any) -> None:
        check_name(name)
        super().__init__(*args, **kwargs)
        self._name = name
