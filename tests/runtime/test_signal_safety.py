"""Any public call may come in a signal handler, or a destructor, that interrupts any other on the same thread.

Signal handlers run between two instructions of Python, as trace functions do: so each public call is made at the lines,
one after the other, that another one runs of this library.
"""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from exposition import collect_anew
from nested_calls import Watched, interrupted, tried
from public_calls import CALLS, LAST_CALLS, Call, World, world_of

from more_executors import Executors, RateLimit, f_map, f_return

pytestmark = pytest.mark.long

MOST_LINES = 60

# Those that wait for the disk come at some of the lines, but for each other.
ON_DISK = ("make a journal", "write", "read", "len", "flush_journal", "close")


@pytest.fixture(autouse=True)
def own_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    collect_anew(monkeypatch)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What is refused is not logged: that would keep what it was about."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", [*CALLS, *LAST_CALLS])
def test_a_call_can_be_interrupted_by_any_other(name: str, tmp_path: Path) -> None:
    call = CALLS.get(name) or LAST_CALLS[name]

    def steps() -> Iterator[str]:
        here = world_of(tmp_path, call, *CALLS.values())
        for other, by in CALLS.items():
            yield f"{name}, interrupted by {other}"
            every = 10 if other in ON_DISK and name not in ON_DISK else 1
            at = lambda line, every=every: line <= MOST_LINES and line % every == 0  # noqa: E731
            interrupted(partial(call, here), partial(by, here), at)
        here.close()
        for other, by in LAST_CALLS.items():
            lines, step = 2, 1
            while step < min(lines, MOST_LINES):
                yield f"{name}, interrupted at line {step} by {other}"
                here = world_of(tmp_path, call, by)
                lines = interrupted(partial(call, here), partial(by, here), step.__eq__)
                here.close()
                step += 1 + step // 4

    Watched(steps())


class Dropped:
    """Makes a call when it is collected, as garbage: wherever that comes."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._myself = self

    def __del__(self) -> None:
        tried(self._call)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_can_be_interrupted_by_a_destructor(name: str, tmp_path: Path) -> None:
    call = CALLS[name]

    def steps() -> Iterator[str]:
        here = world_of(tmp_path, *CALLS.values())
        for number, (other, by) in enumerate(CALLS.items()):
            yield f"{name}, interrupted by {other} in a destructor"

            def collect(by: Call = by) -> None:
                Dropped(partial(by, here))
                gc.collect(0)

            interrupted(partial(call, here), collect, (1 + number % 10).__eq__)
        here.close()

    Watched(steps())


def raising() -> None:
    signal.raise_signal(signal.SIGTERM)


def raising_clock() -> float:
    raising()
    return 0.0


class RaisingFuture(Future[Any]):
    """Has a signal come while it is asked."""

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        raising()
        super().add_done_callback(fn)


def limited(_: World) -> None:
    RateLimit(1e6, clock=raising_clock).try_take()


INTERRUPTED: dict[str, Call] = {
    "a callable that is submitted": lambda w: w.sync.submit(raising),
    "a function of a map": lambda w: f_map(f_return(1), lambda _: raising()),
    "a done callback": lambda w: f_return(1).add_done_callback(lambda _: raising()),
    "a cancel function": lambda w: cancelled(w),
    "a callable count": lambda w: Executors.with_throttle(w.sync, lambda: raising() or 1).shutdown(),
    "the clock of a rate limit": limited,
    "a future of others": lambda w: f_map(RaisingFuture(), str),
}


def cancelled(world: World) -> None:
    executor = world.sync.with_poll(lambda descriptors: 3600.0, cancel_fn=lambda _: raising() or True)
    executor.adopt(1).cancel()
    executor.shutdown()


@pytest.mark.parametrize("where", INTERRUPTED)
def test_a_signal_in_a_function_of_the_user_may_make_any_call(where: str, tmp_path: Path) -> None:
    made: list[str] = []

    def handler(*_: object) -> None:
        for name, by in CALLS.items():
            tried(partial(by, here))
            made.append(name)

    here = world_of(tmp_path, *CALLS.values())
    before = signal.signal(signal.SIGTERM, handler)
    try:
        tried(partial(INTERRUPTED[where], here))
    finally:
        signal.signal(signal.SIGTERM, before)
        here.close()
    assert made[: len(CALLS)] == list(CALLS)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
@pytest.mark.parametrize("name", ["submit to thread_pool", "submit to map", "try_take", "adopt", "f_map", "repr"])
def test_signals_that_come_at_any_time_may_make_any_call(name: str, tmp_path: Path) -> None:
    calls = list(CALLS.values())
    made = 0

    def handler(*_: object) -> None:
        nonlocal made
        tried(partial(calls[made % len(calls)], here))
        made += 1

    here = world_of(tmp_path, *calls)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        while made < 2 * len(calls):
            signal.setitimer(signal.ITIMER_REAL, 1e-4)
            for _ in range(20):
                tried(partial(CALLS[name], here))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        here.close()
