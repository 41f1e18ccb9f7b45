"""What the garbage collector sees of tasks and futures, and that it finds what nobody can reach, if later where there
are many.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from math import inf
from typing import Any

import pytest
from support import PATIENCE, RecordingPoll, SteppedPoll, Thing, assert_ends, is_gone, poll_thread

from more_executors import PollExecutor, SyncExecutor, _core, f_return, f_return_error

MANY = 10_000  # tasks in a table, as docs/architecture.md says: with more, they are hidden
FEW = 5_000  # with less, they are seen again
EVERY = 8  # full collections

ATOMS = [None, True, 1, 1.5, "text", b"bytes", bytearray(b"more")]
OTHERS = [[], {}, (1, []), Thing(), KeyError()]


def returning_inf(descriptors: list[Any]) -> float:
    return inf


class Paced:
    """What makes an executor that polls what is due."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return PollExecutor(*args, schedule=_core.Backoff(1000.0), **kwargs)


both_tables = pytest.mark.parametrize("make", [PollExecutor, Paced], ids=["whole list", "due"])


# -- futures that are done ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ATOMS, ids=repr)
def test_a_done_future_is_hidden_if_its_result_refers_to_nothing(value: Any) -> None:
    assert not gc.is_tracked(f_return(value))
    future: Future[Any] = _core.Future()
    assert gc.is_tracked(future)
    future.set_result(value)
    assert not gc.is_tracked(future)


@pytest.mark.parametrize("value", OTHERS, ids=lambda value: type(value).__name__)
def test_a_done_future_is_seen_if_its_result_may_refer_to_others(value: Any) -> None:
    assert gc.is_tracked(f_return(value))
    future: Future[Any] = _core.Future()
    future.set_result(value)
    assert gc.is_tracked(future)


def test_a_failed_future_is_seen_and_a_cancelled_one_is_hidden() -> None:
    assert gc.is_tracked(f_return_error(KeyError()))
    future: Future[Any] = _core.Future()
    future.cancel()
    assert not gc.is_tracked(future)


@pytest.mark.parametrize("when", ["before it is done", "when it is done"])
def test_a_cycle_through_an_attribute_of_a_done_future_is_collected(when: str) -> None:
    future: Any = _core.Future()
    if when == "before it is done":
        future.me = future
    future.set_result(None)
    if when == "when it is done":
        future.me = future
    gone = weakref.ref(future)
    del future
    gc.collect()
    assert gone() is None


def change_dict(future: Any) -> None:
    vars(future)["me"] = future


def replace_dict(future: Any) -> None:
    future.__dict__ = {"me": future}


@pytest.mark.parametrize("when", ["before it is done", "when it is done"])
@pytest.mark.parametrize("add", [change_dict, replace_dict])
def test_a_cycle_through_the_dict_of_a_done_future_is_collected(when: str, add: Callable[[Any], None]) -> None:
    future: Any = _core.Future()
    if when == "before it is done":
        add(future)
    future.set_result(None)
    if when == "when it is done":
        add(future)
    assert future.me is future
    gone = weakref.ref(future)
    del future
    gc.collect()
    assert gone() is None


def test_a_cycle_through_a_slot_of_a_subclass_is_collected() -> None:
    class Slotted(_core.Future):
        __slots__ = ("me",)

    future = Slotted()
    future.set_result(None)
    assert gc.is_tracked(future)
    future.me = future
    gone = weakref.ref(future)
    del future
    gc.collect()
    assert gone() is None


def test_attributes_of_a_future_are_set_and_deleted_as_ever() -> None:
    future: Any = f_return()
    future.name = "a name"
    assert future.name == "a name"
    assert vars(future) == {"name": "a name"}
    del future.name
    assert not hasattr(future, "name")
    with pytest.raises(TypeError):
        future.__dict__ = None
    assert vars(future) == {}


def test_a_future_that_is_waited_for_through_the_standard_library_is_hidden_after_that() -> None:
    futures = [_core.Future() for _ in range(3)]
    for future in futures:
        future.set_result(1)
    assert not wait(futures, PATIENCE).not_done
    assert not any(map(gc.is_tracked, futures))


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
