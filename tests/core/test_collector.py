"""What the garbage collector sees of tasks, and that it finds what nobody can reach, if later where there are many."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable
from concurrent.futures import wait
from math import inf
from typing import Any

import pytest
from support import PATIENCE, RecordingPoll, SomeError, SteppedPoll, assert_ends, is_gone, poll_thread

from more_executors import PollExecutor, SyncExecutor, _core, f_return

MANY = 2_000  # tasks in a table, as docs/architecture.md says: with more, they are hidden
FEW = 1_000  # with less, they are seen again
EVERY = 8  # full collections


def returning_inf(descriptors: list[Any]) -> float:
    return inf


class Paced:
    """What makes an executor that polls what is due."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return PollExecutor(*args, schedule=_core.Backoff(1000.0), **kwargs)


both_tables = pytest.mark.parametrize("make", [PollExecutor, Paced], ids=["whole list", "due"])


# -- tables ---------------------------------------------------------------------------------------------------------


@both_tables
def test_what_is_in_a_table_is_seen_until_there_is_much_of_it_and_again_when_there_is_little(
    make: Callable[..., PollExecutor],
) -> None:
    executor = make(SyncExecutor(), returning_inf)
    futures = executor.adopt_many(range(MANY))
    assert all(map(gc.is_tracked, futures))
    futures.append(executor.adopt(MANY))
    assert not any(map(gc.is_tracked, futures))
    futures += executor.adopt_many(range(MANY))
    assert not any(map(gc.is_tracked, futures))
    for future in futures[FEW - 1 :]:
        assert future.cancel()
        assert not gc.is_tracked(future)
    pending, done = futures[: FEW - 1], futures[FEW - 1 :]
    assert all(map(gc.is_tracked, pending))
    assert not any(map(gc.is_tracked, done))
    futures = executor.adopt_many(range(3 * MANY))
    assert not any(map(gc.is_tracked, futures))
    executor.cancel_all()
    executor.shutdown()


@both_tables
def test_a_table_whose_executor_is_kept_is_hidden_however_little_is_in_it(make: Callable[..., PollExecutor]) -> None:
    executor = make(SyncExecutor(), returning_inf, name="lost")
    first = executor.adopt(0)
    executor._poll_table.hide_if_more(0)
    second = executor.adopt(1)
    assert not gc.is_tracked(first)
    assert not gc.is_tracked(second)
    assert first.cancel()
    assert not gc.is_tracked(second)
    gone, thread = weakref.ref(executor), poll_thread("lost")
    del executor, first, second  # but for that, it is found as others are: in time
    assert any(is_gone(gone) for _ in range(EVERY))
    assert_ends(thread)


def test_what_ends_in_a_large_table_is_seen_if_its_result_may_refer_to_others() -> None:
    poll = RecordingPoll()
    executor = PollExecutor(SyncExecutor(), poll, default_interval=0)
    futures = executor.adopt_many([*range(MANY), *([n] for n in range(MANY))])
    descriptors = poll.next_of(2 * MANY)
    assert not any(map(gc.is_tracked, futures))
    assert not any(map(gc.is_tracked, descriptors))
    outcomes = [0, [0], KeyError()]
    for descriptor, outcome in zip(descriptors[MANY - 3 :], outcomes * 2, strict=False):
        if isinstance(outcome, Exception):
            descriptor.yield_exception(outcome)
        else:
            descriptor.yield_result(outcome)
    assert [gc.is_tracked(future) for future in futures[MANY - 3 : MANY + 3]] == [False, True, True] * 2
    assert [gc.is_tracked(descriptor) for descriptor in descriptors[MANY - 3 : MANY + 3]] == [False, *[True] * 5]
    executor.cancel_all()
    executor.shutdown()


@both_tables
def test_an_executor_with_many_tasks_that_nobody_can_reach_is_collected_after_some_collections(
    make: Callable[..., PollExecutor],
) -> None:
    executor = make(SyncExecutor(), returning_inf, name="lost")
    thread, gone = poll_thread("lost"), weakref.ref(executor)
    futures = executor.adopt_many(range(MANY + 1))
    last = weakref.ref(futures[-1])
    del executor, futures
    assert is_gone(gone)
    assert is_gone(last)
    assert_ends(thread)


@pytest.mark.parametrize("layer", ["with_map", "with_retry", "with_throttle", "with_timeout", "with_flat_map"])
def test_a_chain_with_many_tasks_that_nobody_can_reach_is_collected_after_some_collections(layer: str) -> None:
    arguments = {"with_map": [int], "with_flat_map": [f_return], "with_throttle": [None], "with_timeout": [1000.0]}
    executor = getattr(PollExecutor(SyncExecutor(), returning_inf, name="lost"), layer)(*arguments.get(layer, ()))
    thread, gone = poll_thread("lost"), weakref.ref(executor)
    futures = [executor.submit(int) for _ in range(MANY + 1)]
    last = weakref.ref(futures[-1])
    del executor, futures
    assert is_gone(gone)
    assert is_gone(last)
    assert_ends(thread)


def test_a_large_table_is_hidden_again_when_all_has_been_looked_at() -> None:
    executor = PollExecutor(SyncExecutor(), returning_inf)
    futures = executor.adopt_many(range(MANY + 1))
    seen: list[int] = []

    def count_seen(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(sum(map(gc.is_tracked, futures)))

    gc.callbacks.append(count_seen)  # so it is called after ours
    try:
        for _ in range(2 * EVERY):
            gc.collect()
            assert not any(map(gc.is_tracked, futures))
    finally:
        gc.callbacks.remove(count_seen)
    assert sorted(seen) == [0] * (2 * EVERY - 2) + [MANY + 1] * 2
    executor.cancel_all()
    executor.shutdown()


def test_collections_of_the_young_look_at_nothing_hidden() -> None:
    executor = PollExecutor(SyncExecutor(), returning_inf)
    futures = executor.adopt_many(range(MANY + 1))
    for generation in (0, 1):
        for _ in range(2 * EVERY):
            gc.collect(generation)
    assert not any(map(gc.is_tracked, futures))
    executor.cancel_all()
    executor.shutdown()


def test_a_cycle_through_a_deadline_is_collected_when_there_are_few_tasks_again() -> None:
    executor = PollExecutor(SyncExecutor(), returning_inf, name="lost", timeout=1000.0)
    thread, gone = poll_thread("lost"), weakref.ref(executor)
    futures = executor.adopt_many(range(MANY + 1))
    for future in futures[1:]:
        future.cancel()
    del executor, future, futures
    assert is_gone(gone)
    assert_ends(thread)


def poll_states_seen() -> int:
    """How many objects the collector knows of that keep a task's deadline, or an attempt to cancel it."""
    return sum(type(thing).__name__ == "PollState" for thing in gc.get_objects())


def test_what_is_kept_of_tasks_with_deadlines_is_hidden_with_them() -> None:
    before = poll_states_seen()
    executor = PollExecutor(SyncExecutor(), returning_inf, timeout=1000.0)
    futures = executor.adopt_many(range(FEW))
    assert poll_states_seen() == before + FEW
    futures += executor.adopt_many(range(MANY))
    assert poll_states_seen() == before
    for future in futures[FEW - 1 :]:
        future.cancel()
    assert poll_states_seen() == before + FEW - 1
    executor.cancel_all()
    executor.shutdown()


def test_a_cycle_through_an_attempt_to_cancel_is_collected() -> None:
    executor = PollExecutor(SyncExecutor(), returning_inf, lambda _: False, name="lost")
    thread, gone = poll_thread("lost"), weakref.ref(executor)
    for future in executor.adopt_many(range(3)):
        assert not future.cancel()
    del executor, future
    assert is_gone(gone)
    assert_ends(thread)


# -- the list that a poll function gets ------------------------------------------------------------------------------


class Owner:
    """Has an executor, whose functions are its methods, and many futures, some of which a poll fails."""

    def __init__(self, make: Callable[..., PollExecutor]) -> None:
        logger = logging.Logger("unheard", logging.CRITICAL)  # whoever hears it keeps the error
        self.executor = make(SyncExecutor(), self.poll, self.cancel, logger=logger)
        self.futures = self.executor.adopt_many([0] * (MANY + 100))

    def poll(self, descriptors: list[Any]) -> float:
        for descriptor in descriptors[::2]:
            descriptor.yield_result()
        raise SomeError

    def cancel(self, result: int) -> bool:
        return True


@both_tables
def test_a_cycle_through_the_error_of_a_poll_of_many_tasks_is_collected(make: Callable[..., PollExecutor]) -> None:
    owner = Owner(make)
    assert not wait(owner.futures, PATIENCE).not_done
    owner.executor.shutdown()
    gone = weakref.ref(owner)
    del owner
    assert is_gone(gone)


@pytest.mark.parametrize("count", [1, MANY + 1])
def test_the_list_that_a_poll_function_gets_is_seen_again_once_the_call_is_over(count: int) -> None:
    poll = SteppedPoll()
    executor = PollExecutor(SyncExecutor(), poll)
    poll.next().end()
    futures = executor.adopt_many(range(count))
    while len((call := poll.next()).descriptors) < count:
        call.end()
    assert gc.is_tracked(call.descriptors) == (count <= MANY)
    call.descriptors[0].yield_result()
    call.end()
    executor.notify()
    following = poll.next()
    assert gc.is_tracked(call.descriptors)
    assert futures[0].done()
    executor.cancel_all()
    following.end()
    executor.shutdown()
