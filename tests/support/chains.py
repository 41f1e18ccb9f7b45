"""Chains of executors for tests, each written down as its layers from the base up: "pool poll throttle retry"."""

from __future__ import annotations

import gc
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from math import inf
from typing import Any

import pytest
from support import PATIENCE, Parking, SomeError

from more_executors import Executors
from more_executors.futures import f_return

REFUSED = "^cannot schedule new futures after shutdown$"


class FlakyError(SomeError):
    """What the retry layers of chains try again, twice, at once; they leave other errors alone."""


def resolve_at_once(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
    return inf


def resolve_in_rounds(descriptors: list[Any]) -> float:
    """Every other task is done, the first included: one waits for as many rounds as it takes."""
    for descriptor in descriptors[::2]:
        descriptor.yield_result(descriptor.result)
    return 0.0 if len(descriptors) > 1 else inf


def itself(value: Any) -> Any:
    return value


BASES: dict[str, Callable[[], Any]] = {
    "sync": Executors.sync,
    "pool": lambda: Executors.thread_pool(max_workers=4),
    "single": lambda: Executors.thread_pool(max_workers=1),
}
LAYERS: dict[str, Callable[[Any], Any]] = {
    "map": lambda executor: Executors.with_map(executor, itself),
    "flat_map": lambda executor: Executors.with_flat_map(executor, f_return),
    "retry": lambda executor: Executors.with_retry(executor, max_attempts=3, sleep=0.0, exception_base=FlakyError),
    "throttle": lambda executor: Executors.with_throttle(executor, 3),
    "timeout": lambda executor: Executors.with_timeout(executor, 600.0),
    "poll": lambda executor: Executors.with_poll(executor, resolve_at_once),
    "rounds": lambda executor: Executors.with_poll(executor, resolve_in_rounds),
    "cancel_on_shutdown": Executors.with_cancel_on_shutdown,
}
EACH_LAYER = [f"pool {layer}" for layer in LAYERS]
LONG = [
    "pool poll throttle retry",
    "pool retry throttle",
    "pool throttle retry flat_map timeout",
    "pool cancel_on_shutdown poll retry flat_map throttle map timeout",
    "pool poll map throttle flat_map retry cancel_on_shutdown rounds timeout",
    "pool map map map map map map map map map map map map map map map map map map map map",
    "pool rounds rounds rounds retry retry retry throttle throttle throttle",
    "pool timeout cancel_on_shutdown throttle map retry flat_map rounds",
    "pool flat_map rounds retry map throttle timeout cancel_on_shutdown poll",
    "single retry poll throttle retry rounds throttle flat_map timeout map",
    "single throttle timeout rounds flat_map retry",
]
ON_A_POOL = ["pool", *EACH_LAYER, *LONG]
ON_SYNC = ["sync", "sync map retry", "sync poll throttle retry", "sync throttle flat_map retry rounds timeout map"]
EVERY_CHAIN = [*ON_A_POOL, *ON_SYNC]

every_chain = pytest.mark.parametrize("chain", EVERY_CHAIN)
on_a_pool = pytest.mark.parametrize("chain", ON_A_POOL)

# Only layers: the base is the test's.
STACKS = [chain.split(maxsplit=1)[1] for chain in EACH_LAYER + LONG]
every_stack = pytest.mark.parametrize("stack", STACKS)


def make(chain: str, base: Any = None) -> Any:
    """The executor on top of the chain written down so; on top of `base` instead of its first layer, if given."""
    first, *layers = chain.split()
    executor = BASES[first]() if base is None else base
    for layer in layers:
        executor = LAYERS[layer](executor)
    return executor


def all_layers(executor: Any) -> list[Any]:
    """`executor` and those below it, from the top."""
    found = [executor]
    while (executor := getattr(executor, "_delegate", None)) is not None:
        found.append(executor)
    return found


def some_orders(count: int) -> list[str]:
    """Chains of all the layers there are, in so many orders, always the same."""
    chosen = random.Random(7)
    layers = [layer for layer in LAYERS if layer != "poll"]
    return [" ".join(["pool", *chosen.sample(layers, len(layers))]) for _ in range(count)]


def all_pairs() -> list[str]:
    """A chain of each two layers, in both orders, and of each with itself."""
    return [f"pool {below} {above}" for below, above in itertools.product(LAYERS, repeat=2)]


def mixed_task(number: int) -> int:
    """Succeeds, fails, or is flaky."""
    if number % 4 == 1:
        raise SomeError(number)
    if number % 4 == 2:
        raise FlakyError(number)
    return number


class Counted:
    """How often each of some futures called back; `watch` gives the future it is given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[int] = []
        self.futures: list[Future[Any]] = []

    def watch(self, future: Future[Any]) -> Future[Any]:
        with self._lock:
            number = len(self.futures)
            self.futures.append(future)
            self._calls.append(0)

        def called(done: Future[Any]) -> None:
            assert done.done()
            with self._lock:
                self._calls[number] += 1

        future.add_done_callback(called)
        return future

    def assert_each_ended_once(self) -> None:
        """Wait for all futures; each has called back once. Call it after a `shutdown` that waits, or wait here."""
        for future in self.futures:
            ended(future)
        until = time.monotonic() + PATIENCE
        while 0 in self._calls and time.monotonic() < until:  # a result can be had before callbacks run
            threading.Event().wait(0.001)
        assert set(self._calls) <= {1}


def ended(future: Future[Any]) -> str:
    """Wait for `future`; returns how it ended: "result", "error" or "cancelled"."""
    until = time.monotonic() + PATIENCE
    seconds = 0.05
    while not future.done():
        try:
            future.exception(seconds)
        except BaseException:
            assert future.done() or time.monotonic() < until, f"{future!r} does not end"
            # Free-threaded Python has things go on the thread that made them, once that runs Python code. Not before
            # each wait: there, a collection looks at everything there is.
            gc.collect(0)
            seconds = 0.5
    if future.cancelled():
        return "cancelled"
    return "error" if future.exception() is not None else "result"


def all_ended(futures: Iterable[Future[Any]]) -> list[str]:
    return [ended(future) for future in futures]


class Giving(Executor):
    """A delegate that calls nothing: the test ends the futures that it gave. `next()` gives them, in order.

    It keeps no future itself that the test has taken.
    """

    def __init__(self, future_type: Callable[[], Any] = Future) -> None:
        self._future_type = future_type
        self._given: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.shutdowns: list[dict[str, Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        future = self._future_type()
        self._given.put(future)
        return future

    def next(self) -> Any:
        """Wait until there is another submit; returns the future that it was given."""
        return self._given.get(timeout=PATIENCE)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.shutdowns.append({"wait": wait, "cancel_futures": cancel_futures})


def cancel_once_begun(future: Future[Any]) -> None:
    """Cancel it; while it is on its way down the chain, nobody is there yet to decide that, and the answer is no."""
    tries = 0
    while not future.cancel():
        assert not future.done()
        tries += 1
        assert tries < 1000 * PATIENCE, "it refuses to be cancelled"
        threading.Event().wait(0.001)


class ReadyToCancel(Future):  # type: ignore[type-arg]
    """A future that says it is running, and lets itself be cancelled."""

    def running(self) -> bool:
        return not self.done()


def until_running(future: Future[Any]) -> None:
    """Wait until it is running: then all layers have the future of the one below, and a cancel gets through."""
    tries = 0
    while not future.running():
        assert not future.done()
        tries += 1
        assert tries < 1000 * PATIENCE, "it does not begin"
        threading.Event().wait(0.001)


class SlowToCancel(ReadyToCancel):  # type: ignore[type-arg]
    """A future whose `cancel` takes as long as the test likes."""

    parking: Parking | None = None

    def cancel(self) -> bool:
        if self.parking is not None:
            self.parking()
        return super().cancel()
