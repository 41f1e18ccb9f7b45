"""Waiting for one future, in `result` and `exception`: time-outs, threads that sleep, and what wakes them.

Each test runs over the standard library's futures as well, unless it looks at how threads of ours sleep.
"""

from __future__ import annotations

import signal
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent import futures
from math import inf, nan
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    OUR_KINDS,
    PATIENCE,
    FutureKind,
    InThread,
    Parking,
    SomeError,
    WatchedLock,
    WatchedLocks,
    every_end,
    is_gone,
    kind_fixture,
    said,
)

from more_executors import _core

kind = kind_fixture(EVERY_KIND)
our_kind = kind_fixture(OUR_KINDS)

both_calls = pytest.mark.parametrize("call", ["result", "exception"])


@both_calls
@pytest.mark.parametrize("timeout", [0, -1, 0.001, -inf, nan])
def test_when_the_time_is_up_the_future_goes_on(kind: FutureKind, call: str, timeout: float) -> None:
    future = kind.pending()
    if timeout != timeout and type(future) is futures.Future and sys.version_info >= (3, 14):
        pytest.skip("from 3.14 on the standard library refuses NaN; ours goes on taking it for no time left")
    for _ in range(2):
        assert said(future, timeout, call) is futures.TimeoutError
    kind.start(future)
    with pytest.raises(futures.TimeoutError):
        getattr(future, call)(timeout=timeout)
    assert future.running()
    kind.finish(future, "result")
    assert future.result() == "result"


@pytest.mark.parametrize("timeout", [None, 0, -1, 1e-9, 60, inf, nan])
def test_a_done_future_answers_whatever_the_time_out(kind: FutureKind, timeout: float | None) -> None:
    finished, failed, error = kind.pending(), kind.pending(), SomeError()
    kind.finish(finished, "result")
    kind.fail(failed, error)
    assert said(finished, timeout) == "result"
    assert said(finished, timeout, "exception") is None
    assert said(failed, timeout) is SomeError
    assert said(failed, timeout, "exception") is error


@both_calls
def test_a_time_out_that_is_no_number_is_a_type_error(kind: FutureKind, call: str) -> None:
    future = kind.pending()
    assert said(future, "soon", call) is TypeError  # type: ignore[arg-type]
    kind.finish(future, "result")
    assert future.result() == "result"


@every_end
@pytest.mark.parametrize("threads", [1, 3])
def test_every_thread_that_sleeps_is_woken(
    our_kind: FutureKind, watch: Callable[[], WatchedLocks], how: str, threads: int
) -> None:
    future = our_kind.pending()
    locks = watch()
    sleepers = [InThread(said, future, None) for _ in range(threads)]
    for _ in sleepers:
        locks.next_asleep()
    outcome = our_kind.end(future, how)
    assert [sleeper.outcome() for sleeper in sleepers] == [outcome] * threads


def test_a_done_future_is_read_without_a_lock(our_kind: FutureKind, watch: Callable[[], WatchedLocks]) -> None:
    future = our_kind.pending()
    our_kind.finish(future, "result")
    locks = watch()
    assert said(future) == "result"
    assert not locks.made


@pytest.mark.parametrize("timeout", [inf, 1e300, threading.TIMEOUT_MAX])
def test_a_time_out_beyond_what_a_lock_can_sleep_is_no_error(
    our_kind: FutureKind, watch: Callable[[], WatchedLocks], timeout: float
) -> None:
    future = our_kind.pending()
    locks = watch()
    sleeper = InThread(said, future, timeout)
    locks.next_asleep()
    our_kind.finish(future, "result")
    assert sleeper.outcome() == "result"


# 1. Three threads go to sleep, one after the other, so that the first of them is the last that the future knows.
# 2. The time of one of them is up: it leaves.
# 3. The future ends: the two others wake up, and nobody touches the lock of the one that left.
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_thread_whose_time_is_up_leaves_the_others_asleep(
    our_kind: FutureKind, watch: Callable[[], WatchedLocks], position: int
) -> None:
    time_is_up = threading.Event()

    def on_sleep(lock: WatchedLock, seconds: float) -> bool:
        if seconds == PATIENCE:
            return lock.sleep(seconds)
        assert time_is_up.wait(PATIENCE)
        return False

    future = our_kind.pending()
    locks = watch()
    locks.on_sleep = on_sleep
    sleepers, beds = [], []
    for number in range(3):
        sleepers.append(InThread(said, future, PATIENCE - (number == position)))
        beds.append(locks.next_asleep())
    time_is_up.set()
    assert sleepers[position].outcome() is futures.TimeoutError
    our_kind.finish(future, "result")
    del sleepers[position]
    assert [sleeper.outcome() for sleeper in sleepers] == ["result"] * 2
    assert [bed.releases for bed in beds] == [int(number != position) for number in range(3)]


def test_when_the_future_ends_as_the_time_is_up_the_outcome_is_told(
    our_kind: FutureKind, watch: Callable[[], WatchedLocks]
) -> None:
    def end_and_oversleep(lock: WatchedLock, seconds: float) -> bool:
        our_kind.finish(future, "result")
        return False

    future = our_kind.pending()
    watch().on_sleep = end_and_oversleep
    assert said(future, 5.0) == "result"


@both_calls
def test_an_interrupted_wait_leaves_nothing(our_kind: FutureKind, watch: Callable[[], WatchedLocks], call: str) -> None:
    def interrupt(lock: WatchedLock, seconds: float) -> bool:
        raise KeyboardInterrupt

    future = our_kind.pending()
    locks = watch()
    locks.on_sleep = interrupt
    assert said(future, None, call) is KeyboardInterrupt
    bed = locks.next_asleep()
    our_kind.finish(future, "result")
    assert bed.releases == 0
    left = weakref.ref(bed)
    del bed
    assert is_gone(left)
    assert future.result() == "result"


# 1. This thread goes to sleep; another one has waited for that.
# 2. That one sends Ctrl-C, again and again as the first may come a moment before this thread sleeps, until
# 3. this thread is awake; only the first to arrive is raised.
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signal can be sent to a sleeping thread")
def test_ctrl_c_wakes_the_main_thread(our_kind: FutureKind, watch: Callable[[], WatchedLocks]) -> None:
    awake, interrupts = threading.Event(), []

    def raise_once(*_: Any) -> None:
        interrupts.append(None)
        if len(interrupts) == 1:
            raise KeyboardInterrupt

    def send() -> None:
        locks.next_asleep()
        while not awake.wait(0.01):
            signal.pthread_kill(main, signal.SIGINT)

    future = our_kind.pending()
    locks, main = watch(), threading.get_ident()
    before = signal.signal(signal.SIGINT, raise_once)
    sender = InThread(send)
    try:
        assert said(future) is KeyboardInterrupt
    finally:
        awake.set()
        sender.outcome()
        signal.signal(signal.SIGINT, before)
    our_kind.finish(future, "result")
    assert future.result() == "result"


def test_who_waits_for_a_future_does_not_wait_for_its_callbacks() -> None:
    future, called = _core.Future(), Parking()
    future.add_done_callback(called)
    waiting = InThread(future.result)
    waiting.join(0.02)  # it waits by now, or else finds the result
    ending = InThread(future.set_result, "result")
    called.wait_for_one()
    assert waiting.outcome() == "result"
    called.let_go()
    ending.outcome()
