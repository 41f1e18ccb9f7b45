"""Waker: one thread sleeps on it, any number wake it, and no wake-up is lost."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from math import inf, nan

import pytest
from support import PATIENCE, InThread, Thing, WatchedLock, WatchedLocks, all_at_once

from more_executors import _core
from more_executors._core import Waker


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedLocks]:
    """The locks of the wakers that the test makes."""
    watched = WatchedLocks()
    with monkeypatch.context() as patches:
        patches.setattr(_core, "allocate_lock", watched)
        yield watched


@pytest.mark.parametrize("timeout", [0, 0.0, -1, -inf, 0.001, nan])
def test_when_the_time_is_up_it_was_not_woken(timeout: float) -> None:
    waker = Waker()
    assert waker.wait(timeout) is False
    assert waker.wait(timeout=timeout) is False


@pytest.mark.parametrize("timeout", [0, -1, 0.001, PATIENCE, 1e300, inf, None, nan])
def test_a_wake_up_while_it_is_awake_is_kept_for_the_next_sleep(timeout: float | None) -> None:
    waker = Waker()
    waker.set()
    assert waker.wait(timeout) is True
    assert waker.wait(0) is False


def test_many_wake_ups_are_one() -> None:
    waker = Waker()
    for _ in range(2):
        for _ in range(10):
            waker.set()
        assert [waker.wait(0), waker.wait(0)] == [True, False]


@pytest.mark.parametrize("timeout", [PATIENCE, 1e300, inf, None])
def test_a_sleeper_is_woken_by_another_thread(locks: WatchedLocks, timeout: float | None) -> None:
    waker = Waker()
    for _ in range(3):
        sleeper = InThread(waker.wait, timeout)
        locks.next_asleep()
        waker.set()
        waker.set()
        assert sleeper.outcome() is True
        # The second may have come before the sleeper was awake, or after.
        waker.wait(0)
        assert waker.wait(0) is False


@pytest.mark.parametrize(("timeout", "seconds"), [(None, -1.0), (inf, -1.0), (1e300, -1.0), (2, 2.0), (0.5, 0.5)])
def test_it_sleeps_for_as_long_as_it_is_told(locks: WatchedLocks, timeout: float | None, seconds: float) -> None:
    slept: list[float] = []

    def oversleep(lock: WatchedLock, seconds: float) -> bool:
        slept.append(seconds)
        return False

    locks.on_sleep = oversleep
    assert Waker().wait(timeout) is False
    assert slept == [seconds]


def test_a_time_out_that_is_no_number_is_a_type_error() -> None:
    waker = Waker()
    waker.set()
    with pytest.raises(TypeError):
        waker.wait("soon")  # type: ignore[arg-type]
    assert waker.wait(0) is True


def test_a_wake_up_as_the_time_is_up_is_kept(locks: WatchedLocks) -> None:
    def set_and_oversleep(lock: WatchedLock, seconds: float) -> bool:
        waker.set()
        return False

    waker = Waker()
    locks.on_sleep = set_and_oversleep
    assert waker.wait(5.0) is False
    assert waker.wait(0) is True
    assert waker.wait(0) is False


def test_an_interrupted_sleep_loses_no_wake_up(locks: WatchedLocks) -> None:
    def interrupt(lock: WatchedLock, seconds: float) -> bool:
        raise KeyboardInterrupt

    waker = Waker()
    locks.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        waker.wait()
    assert waker.wait(0) is False
    waker.set()
    assert waker.wait(0) is True


# 1. The sleeper is woken, and parks before it has got out of `wait`.
# 2. Another wake-up comes. It is over at once.
# 3. The sleeper gets out: it has been woken after the second wake-up too, which may or may not count again.
# 4. A third wake-up is not lost.
def test_a_wake_up_while_the_sleeper_gets_up_is_not_lost(locks: WatchedLocks) -> None:
    getting_up, go_on = threading.Event(), threading.Event()

    def get_up_slowly(lock: WatchedLock, seconds: float) -> bool:
        woken = lock.sleep(seconds)
        getting_up.set()
        assert go_on.wait(PATIENCE)
        return woken

    waker = Waker()
    locks.on_sleep = get_up_slowly
    sleeper = InThread(waker.wait, PATIENCE)
    waker.set()
    assert getting_up.wait(PATIENCE)
    InThread(waker.set).outcome()
    go_on.set()
    assert sleeper.outcome() is True
    waker.wait(0)
    waker.set()
    assert waker.wait(0) is True


# 1. A thread sets the waker, and parks in the middle of that.
# 2. Another one sets it too: it does not wait for the first.
# 3. The first goes on: the sleeper wakes.
def test_setting_never_waits_for_another_that_sets(locks: WatchedLocks, monkeypatch: pytest.MonkeyPatch) -> None:
    parked, go_on = threading.Event(), threading.Event()
    release = WatchedLock.release

    def park_and_release(lock: WatchedLock) -> None:
        parked.set()
        assert go_on.wait(PATIENCE)
        release(lock)

    waker = Waker()
    sleeper = InThread(waker.wait, PATIENCE)
    locks.next_asleep()
    monkeypatch.setattr(WatchedLock, "release", park_and_release)
    first = InThread(waker.set)
    assert parked.wait(PATIENCE)
    InThread(waker.set).outcome()
    go_on.set()
    first.outcome()
    assert sleeper.outcome() is True


@pytest.mark.parametrize("collected", [False, True], ids=["by reference count", "by the collector"])
def test_it_can_be_set_when_an_object_goes_away(collected: bool) -> None:
    waker, thing = Waker(), Thing()
    reference = weakref.ref(thing, lambda _: waker.set())
    if collected:
        thing.itself = thing  # type: ignore[attr-defined]
    assert waker.wait(0) is False
    del thing
    gc.collect()
    assert reference() is None
    assert waker.wait(PATIENCE) is True


def test_it_can_be_set_while_its_sleeper_collects_garbage(locks: WatchedLocks) -> None:
    """A collection may set in anywhere, also in a thread that is falling asleep on the same waker."""

    def collect_and_sleep(lock: WatchedLock, seconds: float) -> bool:
        thing = Thing()
        thing.itself = thing  # type: ignore[attr-defined]
        references.append(weakref.ref(thing, lambda _: waker.set()))
        del thing
        gc.collect()
        return lock.sleep(seconds)

    waker = Waker()
    references: list[weakref.ref[Thing]] = []
    locks.on_sleep = collect_and_sleep
    assert waker.wait(PATIENCE) is True


def test_whoever_sets_it_last_is_heard(locks: WatchedLocks) -> None:
    """Many produce and set, one sleeps and consumes until it has everything: nothing may be left with it asleep."""
    waker, rounds = Waker(), 2000
    produced: list[int] = []

    def produce() -> None:
        for number in range(rounds):
            produced.append(number)
            waker.set()

    def consume() -> int:
        consumed = 0
        while consumed < 3 * rounds:
            assert waker.wait(PATIENCE), "a wake-up was lost"
            consumed = len(produced)
        return consumed

    producers: list[Callable[[], object]] = [produce] * 3
    assert all_at_once(consume, *producers)[0] == 3 * rounds


def test_two_threads_can_play_ping_pong() -> None:
    ping, pong = Waker(), Waker()

    def serve() -> list[bool]:
        return [ping.set() or pong.wait(PATIENCE) for _ in range(1000)]  # type: ignore[func-returns-value]

    def answer() -> list[bool]:
        return [ping.wait(PATIENCE) and not pong.set() for _ in range(1000)]  # type: ignore[func-returns-value]

    assert all_at_once(serve, answer) == [[True] * 1000] * 2
