"""What a layer keeps for a future that is pending below it; by the public API alone, see `workload`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from more_executors import Executors

from .layers import LONG
from .workload import traced_bytes


class Unending(Executor):
    """Runs nothing: its futures are pending until `finish`. They are those of the standard library."""

    def __init__(self, expected: int) -> None:
        self.futures: list[Future[Any]] = []
        self.complete = threading.Event()
        self._expected = expected

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.futures.append(future)
        if len(self.futures) == self._expected:
            self.complete.set()
        return future

    def finish(self) -> None:
        for future in self.futures:
            future.set_result(0)


Wrap = Callable[[Executor], Executor]

LAYERS: dict[str, Wrap] = {
    "with_map": lambda delegate: Executors.with_map(delegate, int),
    "with_retry": Executors.with_retry,
    "with_throttle": lambda delegate: Executors.with_throttle(delegate, None),
    "with_timeout": lambda delegate: Executors.with_timeout(delegate, LONG),
}


def bytes_above_delegate(layer: str, count: int) -> float:
    """The memory of one of `count` pending futures of `layer`, without the delegate's."""
    return bytes_pending(LAYERS[layer], count) - bytes_pending(lambda delegate: delegate, count)


def bytes_pending(wrap: Wrap, count: int) -> float:
    """The same with the delegate's, and with the list that this keeps its futures in."""
    delegate = Unending(count)
    executor = wrap(delegate)
    futures: list[Future[Any]] = []

    def submit() -> None:
        futures.extend([executor.submit(int) for _ in range(count)])
        delegate.complete.wait()

    used = traced_bytes(submit, lambda: futures, count)
    delegate.finish()
    for future in futures:
        future.result()
    executor.shutdown()
    return used
