"""`wait` and `as_completed` of `concurrent.futures` over 100,000 of ours, and over as many of its own.

Once over futures that are done, once over futures that another thread resolves: it begins as soon as the waiting
thread is in all of them, and the time is from the call to the last future.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, as_completed, wait
from typing import Any

import pytest

from .measuring import Bench
from .rows import AS_COMPLETED, AS_COMPLETED_DONE, OURS, WAIT, WAIT_DONE, Row
from .workload import Parked, resolve

STDLIB = "over stdlib futures"

Futures = list[Future[Any]]


def wait_for_all(futures: Futures) -> None:
    wait(futures)


def complete_all(futures: Futures) -> None:
    for _ in as_completed(futures):
        pass


def until_waited_for(future: Any) -> None:
    """Return once somebody waits for `future`, which he shows in its `_waiters`."""
    while not future._waiters:
        time.sleep(0.001)


class Ours:
    """Futures of a poll executor."""

    def __init__(self, count: int, done: bool) -> None:
        self._parked = Parked()
        self._parked.submit(count)
        self.futures = self._parked.futures
        self._resolver = None
        if done:
            self._parked.play(resolve)
        else:
            holding = threading.Event()
            self._resolver = threading.Thread(target=self._parked.play, args=[self._scene(holding)])
            self._resolver.start()
            holding.wait()

    def _scene(self, holding: threading.Event) -> Callable[[list[Any]], None]:
        def scene(descriptors: list[Any]) -> None:
            holding.set()
            until_waited_for(self.futures[-1])
            resolve(descriptors)

        return scene

    def close(self) -> None:
        if self._resolver is not None:
            self._resolver.join()
        self._parked.close()


class Stdlib:
    """Futures of the standard library that nobody but us has."""

    def __init__(self, count: int, done: bool) -> None:
        self.futures: Futures = [Future() for _ in range(count)]
        self._resolver = threading.Thread(target=self._resolve, args=[done])
        self._resolver.start()
        if done:
            self._resolver.join()

    def _resolve(self, at_once: bool) -> None:
        if not at_once:
            until_waited_for(self.futures[-1])
        resolving: Iterable[Future[Any]] = list(self.futures)
        for future in resolving:
            future.set_result(0)

    def close(self) -> None:
        self._resolver.join()


@pytest.mark.parametrize(
    ("row", "function", "done"),
    [
        (WAIT_DONE, wait_for_all, True),
        (WAIT, wait_for_all, False),
        (AS_COMPLETED_DONE, complete_all, True),
        (AS_COMPLETED, complete_all, False),
    ],
    ids=["wait, done", "wait", "as_completed, done", "as_completed"],
)
@pytest.mark.parametrize(("who", "kind"), [(OURS, Ours), (STDLIB, Stdlib)], ids=["ours", "stdlib"])
def test_waiting(
    bench: Bench, row: Row, function: Callable[[Futures], None], done: bool, who: str, kind: type[Ours | Stdlib]
) -> None:
    count = bench.size(100_000)

    def run(prepared: Ours | Stdlib) -> None:
        function(prepared.futures)

    bench.time(row, who, run, per=count, setup=lambda: kind(count, done), teardown=kind.close, rounds=2)
