"""Whoever waits for a future is told, in whatever order they came, and whoever left in between."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent import futures
from typing import Any

import pytest
from support import PATIENCE, InThread, WatchedLock, WatchedLocks, said

from more_executors import _core
from more_executors.futures import f_map

SHORT = PATIENCE - 1  # of those whose time is up at once


class Watcher:
    """What the standard library's `wait` puts among the `_waiters` of a future."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def add_result(self, future: Any) -> None:
        self.told.append(future)


class Crowd:
    """All who follow one future, and what they were told."""

    def __init__(self, locks: WatchedLocks) -> None:
        self.future = _core.Future()
        self.called: list[int] = []
        self.expected_calls: list[int] = []
        self.sleepers: list[InThread] = []
        self.watchers: list[Watcher] = []
        self.mapped: list[Any] = []
        self._locks = locks

    def callback(self) -> None:
        number = len(self.expected_calls)
        self.expected_calls.append(number)
        self.future.add_done_callback(lambda _: self.called.append(number))

    def map(self) -> None:
        self.mapped.append(f_map(self.future, lambda value: value + 1))

    def sleeper(self) -> None:
        self.sleepers.append(InThread(said, self.future, PATIENCE))
        self._locks.next_asleep()

    def leaver(self) -> None:
        assert said(self.future, SHORT) is futures.TimeoutError
        self._locks.next_asleep()

    def watcher(self) -> None:
        watcher = Watcher()
        with self.future._condition:
            self.future._waiters.append(watcher)
        self.watchers.append(watcher)

    def former_watcher(self) -> None:
        condition = self.future._condition
        self.watcher()
        with condition:
            self.future._waiters.remove(self.watchers.pop())
        assert self.future._condition is condition

    def check(self) -> None:
        """End the future, and look whether everybody was told, once."""
        self.future.set_result(1)
        assert self.called == self.expected_calls
        assert [sleeper.outcome() for sleeper in self.sleepers] == [1] * len(self.sleepers)
        assert [watcher.told for watcher in self.watchers] == [[self.future]] * len(self.watchers)
        assert [mapped.result(0) for mapped in self.mapped] == [2] * len(self.mapped)


ACTIONS = ["callback", "map", "sleeper", "leaver", "watcher", "former_watcher"]


def give_up_if_short(lock: WatchedLock, seconds: float) -> bool:
    return seconds != SHORT and lock.sleep(seconds)


@pytest.mark.parametrize("last", ACTIONS)
@pytest.mark.parametrize("first", ACTIONS)
def test_whoever_waits_for_a_future_is_told(watch: Callable[[], WatchedLocks], first: str, last: str) -> None:
    locks = watch()
    locks.on_sleep = give_up_if_short
    for middle in itertools.product(ACTIONS, repeat=2):
        crowd = Crowd(locks)
        for action in (first, *middle, last):
            getattr(crowd, action)()
        crowd.check()


def test_a_condition_stays_the_same_whatever_comes_and_after_the_end(watch: Callable[[], WatchedLocks]) -> None:
    locks = watch()
    locks.on_sleep = give_up_if_short
    crowd = Crowd(locks)
    condition = crowd.future._condition
    for action in ACTIONS:
        getattr(crowd, action)()
        assert crowd.future._condition is condition
    crowd.check()
    assert crowd.future._condition is condition


def test_a_condition_that_is_asked_for_after_the_end_stays_the_same() -> None:
    future = _core.Future()
    future.add_done_callback(str)
    future.set_result(None)
    assert future._condition is future._condition
