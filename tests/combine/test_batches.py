"""`Completions`: futures as they end, many at a time, for a thread that takes them."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from support import PATIENCE, DuckFuture, InThread, Parking, all_at_once

from more_executors import Completions, PollExecutor, Promise, SyncExecutor, f_return
from more_executors._core import Future as OurFuture

MAKERS: dict[str, Callable[[], Any]] = {"ours": OurFuture, "of the standard library": Future}
of_each_kind = pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))


@of_each_kind
def test_each_list_has_what_has_ended_since_the_last_in_that_order(make: Any) -> None:
    futures = [make() for _ in range(5)]
    completions = Completions(futures)
    assert (len(completions), completions.take(0)) == (5, [])
    for number in (3, 1):
        futures[number].set_result(number)
    assert completions.take() == [futures[3], futures[1]]
    futures[0].cancel()
    futures[4].set_exception(OSError())
    assert (len(completions), bool(completions)) == (3, True)
    assert completions.take() == [futures[0], futures[4]]
    assert completions.take(0) == []
    futures[2].set_result(None)
    assert list(completions) == [[futures[2]]]
    assert (len(completions), bool(completions), list(completions)) == (0, False, [])


def test_what_is_done_already_is_given_at_once() -> None:
    done = [f_return(number) for number in range(3)]
    assert list(Completions(done)) == [done]


def test_the_same_future_twice_is_given_twice() -> None:
    done = f_return(1)
    assert list(Completions([done, done])) == [[done, done]]


def test_anybodys_futures_will_do_and_count_once() -> None:
    duck: Any = DuckFuture()
    completions = Completions([duck])
    completions.note(duck)
    completions.note(duck)
    assert list(completions) == [[duck]]


@pytest.mark.parametrize("wrong", [5, [5], [f_return(1), None], "x"])
def test_what_is_no_future_is_refused_and_none_is_added(wrong: Any) -> None:
    completions: Completions[Any] = Completions()
    with pytest.raises(TypeError):
        completions.add(wrong)
    assert len(completions) == 0


def test_one_whose_add_done_callback_raises_is_not_waited_for() -> None:
    class Raising(Future[Any]):
        def add_done_callback(self, fn: Any) -> None:
            raise OSError

    completions: Completions[Any] = Completions()
    with pytest.raises(OSError):
        completions.add([f_return(1), Raising(), f_return(2)])
    assert [len(batch) for batch in completions] == [1]


def test_more_can_be_added_while_some_are_taken() -> None:
    completions: Completions[Future[int]] = Completions()
    seen: list[int] = []
    for size in (1, 100, 3, 5000):
        promises: list[Promise[int]] = [Promise() for _ in range(size)]
        completions.add([promise.future for promise in promises])
        for number, promise in enumerate(promises[: size // 2]):
            promise.yield_result(number)
        seen += [future.result() for future in completions.take(0)]
        for number, promise in enumerate(promises[size // 2 :]):
            promise.yield_result(number)
    seen += itertools.chain.from_iterable([future.result() for future in batch] for batch in completions)
    assert len(seen) == 5104


@pytest.mark.parametrize("wrong", ["x", [], 5j])
def test_a_timeout_is_a_number(wrong: Any) -> None:
    with pytest.raises(TypeError):
        Completions([f_return(1)]).take(wrong)


def test_a_time_that_is_up_gives_nothing() -> None:
    completions = Completions([OurFuture()])
    assert completions.take(0.001) == []
    assert len(completions) == 1


# -- threads -----------------------------------------------------------------------------------------------------------


@of_each_kind
def test_a_thread_that_waits_is_woken(make: Any) -> None:
    futures = [make() for _ in range(2)]
    completions = Completions(futures)
    taking = InThread(completions.take, PATIENCE)
    futures[1].set_result(1)
    assert taking.outcome() == [futures[1]]
    taking = InThread(list, completions)
    futures[0].set_result(0)
    assert taking.outcome() == [[futures[0]]]


def test_a_thread_that_waits_hears_of_what_is_added_meanwhile() -> None:
    completions: Completions[Any] = Completions()
    taking = InThread(completions.take, PATIENCE)
    done = f_return(1)
    completions.add([done])
    assert taking.outcome() == [done]


def test_all_that_threads_end_is_given_once() -> None:
    futures = [OurFuture[int]() for _ in range(4000)]
    completions = Completions(futures[:2000])

    def end(numbers: range) -> None:
        for number in numbers:
            futures[number].set_result(number)

    def take() -> list[Future[int]]:
        found: list[Future[int]] = []
        while len(found) < 4000:
            found += completions.take(PATIENCE)
        return found

    *_, found = all_at_once(
        partial(end, range(0, 4000, 2)), partial(end, range(1, 4000, 2)), partial(completions.add, futures[2000:]), take
    )
    assert sorted(future.result() for future in found) == list(range(4000))
    assert len(completions) == 0


def test_a_poll_executor_is_not_held_up() -> None:
    # 1. A future ends in a call of the poll function: it is noted. 2. The thread that takes it is held up: the next
    # one ends all the same. 3. That goes on, and finds it.
    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)

    parking = Parking()
    completions: Completions[Future[Any]] = Completions()

    def consume() -> list[Any]:
        found: list[Any] = []
        for batch in completions:
            found += [future.result() for future in batch]
            parking()
        return found

    with PollExecutor(SyncExecutor(), poll) as executor:
        completions.add([executor.adopt(1)])
        consuming = InThread(consume)
        parking.wait_for_one()  # 1
        second = executor.adopt(2)
        completions.add([second])
        assert second.result(PATIENCE) == 2  # 2
        parking.let_go()  # 3
        assert consuming.outcome() == [1, 2]


def test_it_keeps_nothing_that_was_taken() -> None:
    future = OurFuture[Any]()
    completions = Completions([future])
    future.set_result(None)
    assert completions.take() == [future]
    assert gc.get_referrers(future) == [] or not any(
        isinstance(each, list) and len(each) > 1 for each in gc.get_referrers(future)
    )
