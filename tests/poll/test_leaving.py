"""Tasks that are left to somebody else: their futures end, nothing is told to the service, and the record stays."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from poll_journal_support import Record
from support import PATIENCE, InThread, Parking, ScriptedDelegate, SomeError, all_at_once

from more_executors import Executors, PollExecutor, SyncExecutor
from more_executors.futures import f_map
from more_executors.journal import Journal, Keys

MODES: dict[str, dict[str, Any]] = {
    "whole list": {},
    "what is due": {"batch_size": 1000},
    "timed": {"timeout": 3600, "max_concurrency": 2},
}
in_each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))


class Service:
    """Ends no task, and notes what it is told to cancel."""

    def __init__(self) -> None:
        self.cancelled: list[Any] = []

    def poll(self, descriptors: list[Any]) -> float:
        return 3600.0

    def cancel(self, result: Any) -> bool:
        self.cancelled.append(result)
        return True


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    assert service.cancelled == []


def is_cancelled(future: Future[Any]) -> bool:
    with pytest.raises(CancelledError):
        future.result(PATIENCE)
    return future.cancelled()


@in_each_mode
def test_released_tasks_are_given_back_and_the_others_go_on(service: Service, mode: dict[str, Any]) -> None:
    with PollExecutor(SyncExecutor(), service.poll, service.cancel, **mode) as executor:
        futures = executor.adopt_many(range(6))
        assert executor.release([futures[4], futures[1]]) == [4, 1]
        assert is_cancelled(futures[4])
        assert is_cancelled(futures[1])
        assert [task.result for task in executor.outstanding()] == [0, 2, 3, 5]
        assert executor.release(futures) == [0, 2, 3, 5]
        assert executor.release(futures) == []
        assert executor.stats().outstanding == 0


def test_somebody_else_adopts_them(service: Service) -> None:
    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(f"{descriptor.result} is done")

    with PollExecutor(SyncExecutor(), service.poll) as one, PollExecutor(SyncExecutor(), poll) as other:
        adopted = other.adopt_many(one.release(one.adopt_many(["a", "c"])))
        assert [future.result(PATIENCE) for future in adopted] == ["a is done", "c is done"]


def test_futures_made_from_those_of_the_executor_will_do(service: Service) -> None:
    with PollExecutor(SyncExecutor(), service.poll, service.cancel) as executor:
        future = executor.adopt("a")
        mapped = f_map(f_map(future, str), str)
        assert executor.release([mapped]) == ["a"]
        assert is_cancelled(mapped)


def test_what_is_not_its_own_or_not_polled_is_left_out() -> None:
    delegate, service = ScriptedDelegate(), Service()
    with PollExecutor(delegate, service.poll) as executor, PollExecutor(SyncExecutor(), service.poll) as other:
        starting, others = executor.submit(int), other.adopt("b")
        assert executor.release([starting, others, Future()]) == []
        assert not starting.done()
        assert other.release([others]) == ["b"]
        starting.cancel()


@pytest.mark.parametrize("wrong", [5, [5], None])
def test_what_is_no_future_is_refused(service: Service, wrong: Any) -> None:
    with PollExecutor(SyncExecutor(), service.poll) as executor:
        with pytest.raises(TypeError, match=r"^futures must be"):
            executor.release(wrong)


# -- an executor that is left ------------------------------------------------------------------------------------------


@in_each_mode
@pytest.mark.parametrize("wait", [True, False])
def test_an_executor_is_left_with_all_its_tasks(service: Service, mode: dict[str, Any], wait: bool) -> None:
    executor = PollExecutor(SyncExecutor(), service.poll, service.cancel, **mode)
    futures = executor.adopt_many(range(5))
    assert executor.leave(wait) == [0, 1, 2, 3, 4]
    assert all(is_cancelled(future) for future in futures)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.adopt(6)
    assert executor.leave() == [0, 1, 2, 3, 4]
    executor.shutdown()


def test_an_executor_that_was_shut_down_can_be_left(service: Service) -> None:
    # 1. An executor is shut down, which waits for its tasks. 2. It is left: that ends the wait.
    executor = PollExecutor(SyncExecutor(), service.poll, service.cancel)
    futures = executor.adopt_many(range(3))
    shutting = InThread(executor.shutdown)
    while executor._table.closed is None:  # 1
        InThread(int).outcome()
    assert executor.leave() == [0, 1, 2]  # 2
    shutting.outcome()
    assert all(is_cancelled(future) for future in futures)


def test_what_the_delegate_has_not_begun_is_cancelled_and_what_it_begins_is_left(service: Service) -> None:
    # 1. A task is just being started, others wait in the pool. 2. The executor is left: those are cancelled. 3. The
    # start comes to its end: that task is left, too.
    starting = Parking("id")
    executor = PollExecutor(ThreadPoolExecutor(1), service.poll, service.cancel)
    begun = executor.submit(starting)
    waiting = [executor.submit(int) for _ in range(3)]
    starting.wait_for_one()  # 1
    leaving = InThread(executor.leave)
    assert all(is_cancelled(future) for future in waiting)  # 2
    assert not begun.done()
    starting.let_go()  # 3
    assert leaving.outcome() == ["id"]
    assert is_cancelled(begun)


def test_a_start_that_fails_fails_its_future(service: Service) -> None:
    starting = Parking(raising=SomeError("no"))
    executor = PollExecutor(ThreadPoolExecutor(1), service.poll, service.cancel)
    future = executor.submit(starting)
    starting.wait_for_one()
    leaving = InThread(executor.leave)
    starting.let_go()
    assert leaving.outcome() == []
    assert type(future.exception(PATIENCE)) is SomeError


def test_it_may_be_left_by_its_poll_function() -> None:
    left: list[Any] = []
    over = threading.Event()

    def poll(descriptors: list[Any]) -> None:
        if descriptors:
            left.extend(executor.leave())
            over.set()

    executor: PollExecutor[Any, Any] = PollExecutor(SyncExecutor(), poll)
    future = executor.adopt("a")
    assert over.wait(PATIENCE)
    assert left == ["a"]
    assert is_cancelled(future)
    executor.shutdown()


# -- on record ---------------------------------------------------------------------------------------------------------


def watched(future: Future[Any]) -> None:
    """Have its condition made, as `wait` does."""
    concurrent.futures.wait([future], 0)


@pytest.mark.parametrize("look", [watched, id], ids=["watched", "not watched"])
def test_they_stay_on_record(service: Service, look: Callable[[Future[Any]], Any]) -> None:
    record = Record()
    executor = PollExecutor(SyncExecutor(), service.poll, service.cancel, journal=record)
    futures = executor.adopt_many(["a", "b", "c", "d"])
    for future in futures:
        look(future)
    assert executor.release(futures[:1]) == ["a"]
    futures[1].cancel()
    assert service.cancelled == ["b"]
    service.cancelled.clear()
    assert executor.leave() == ["c", "d"]
    assert [value for _, value in record.outstanding()] == ["a", "c", "d"]
    with PollExecutor(SyncExecutor(), service.poll, journal=Record(record.outstanding())) as other:
        resumed = other.resume()
        assert [result for result, _ in resumed] == ["a", "c", "d"]
        other.release(future for _, future in resumed)


def test_a_task_with_a_key_goes_on_and_is_found_by_it(service: Service, tmp_path: Path) -> None:
    started: list[str] = []

    def start(key: str) -> str:
        started.append(key)
        return f"id of {key}"

    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(f"{descriptor.result} is done")

    with Journal(tmp_path / "tasks.db") as journal:
        options: dict[str, Any] = {"journal": journal, "keys": Keys()}
        with PollExecutor(SyncExecutor(), service.poll, service.cancel, **options) as executor:
            future = executor.submit_once("a", start, "a")
            assert executor.release([future]) == ["id of a"]
            assert is_cancelled(future)
            del future
            again = executor.submit_once("a", start, "a")  # it is polled again: that is what is known of it
            assert not again.done()
            assert executor.leave() == ["id of a"]
            assert is_cancelled(again)
    with Journal(tmp_path / "tasks.db") as journal:
        with PollExecutor(SyncExecutor(), poll, journal=journal, keys=Keys()) as other:
            assert other.submit_once("a", start, "a").result(PATIENCE) == "id of a is done"
    assert started == ["a"]


# -- races -------------------------------------------------------------------------------------------------------------


@in_each_mode
def test_a_task_that_is_in_a_call_is_left_and_what_that_says_comes_too_late(mode: dict[str, Any]) -> None:
    # 1. A call of the poll function goes on, with two tasks. 2. One is released. 3. The call resolves both.
    parking = Parking()

    def poll(descriptors: list[Any]) -> float:
        if len(descriptors) == 2:
            parking()
            for descriptor in descriptors:
                descriptor.yield_result("done")
        return 3600.0

    executor: PollExecutor[Any, Any] = PollExecutor(SyncExecutor(), poll, **mode)
    futures = executor.adopt_many([1, 2])
    while not parking.calls:  # they may have been handed out one by one
        executor.notify()
        time.sleep(0.001)
    parking.wait_for_one()  # 1
    assert executor.release([futures[0]]) == [1]  # 2
    parking.let_go()  # 3
    assert futures[1].result(PATIENCE) == "done"
    assert is_cancelled(futures[0])
    assert executor.leave() == []


def test_it_is_released_while_the_service_is_asked_to_cancel_it() -> None:
    # 1. A thread cancels, and is held up by the service. Another one waits for its answer. 2. The task is released: the
    # future is cancelled, which is the answer. 3. The service agrees: that comes too late.
    parking = Parking(True)
    record = Record()
    executor: PollExecutor[Any, Any] = PollExecutor(SyncExecutor(), lambda _: 3600.0, parking, journal=record)
    future = executor.adopt("a")
    first = InThread(future.cancel)
    parking.wait_for_one()
    second = InThread(future.cancel)  # 1
    assert executor.release([future]) == ["a"]  # 2
    assert second.outcome() is True
    parking.let_go()  # 3
    assert first.outcome() is True
    executor.shutdown()
    assert [value for _, value in record.outstanding()] == ["a"]


def test_one_of_release_resolve_and_cancel_has_each_task() -> None:
    record = Record()
    kept: dict[Any, Any] = {}
    all_there = threading.Event()

    def poll(descriptors: list[Any]) -> float:
        kept.update((descriptor.result, descriptor) for descriptor in descriptors)
        if len(kept) == 300:
            all_there.set()
        return 3600.0

    executor: PollExecutor[Any, Any] = PollExecutor(SyncExecutor(), poll, journal=record)
    futures = executor.adopt_many(range(300))
    executor.notify()
    assert all_there.wait(PATIENCE)

    def resolve() -> None:
        for descriptor in list(kept.values()):
            descriptor.yield_result("done")

    def cancel() -> list[int]:
        return [number for number in reversed(range(300)) if futures[number].cancel()]

    _, _, one, other = all_at_once(resolve, cancel, partial(executor.release, futures), executor.leave)
    released = [*one, *other]
    assert len(released) == len(set(released))
    done = {number for number, future in enumerate(futures) if not future.cancelled()}
    assert not done & set(released)
    assert all(future.done() for future in futures)
    executor.shutdown()
    assert sorted(value for _, value in record.outstanding()) == sorted(released)


def test_what_joins_while_the_executor_is_left_is_left(service: Service) -> None:
    record = Record()
    executor = PollExecutor(Executors.thread_pool(2), service.poll, service.cancel, journal=record)
    futures: list[Future[Any]] = []

    def submit() -> None:
        for number in range(200):
            try:
                futures.append(executor.submit(partial(int, number)))
            except RuntimeError:
                return

    _, left = all_at_once(submit, executor.leave)
    assert all(future.done() for future in futures)
    assert len(left) == len(set(left))
    assert [value for _, value in record.outstanding()] == sorted(left)
