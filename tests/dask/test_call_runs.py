"""Calls on their way to a worker, many in a list of arguments, and the start of those there."""

from __future__ import annotations

import random
import sys
import threading
from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import Books, FakeWorkers, sharded_executor, start_task
from support import PATIENCE

from more_executors import Executors
from more_executors._core import CallEntries, CallRuns, EventLog, HostedTask, NumberedTasks, start_run
from more_executors.dask._pack import CallLoader, packed

PLAIN = frozenset({int, str, type(None)})


def log_of() -> EventLog:
    log = EventLog(lambda: 0.0, lambda: None, PLAIN, 3)
    log.expires = 1.0
    return log


def test_a_run_of_calls_is_started_with_what_could_not_be_submitted_left_out() -> None:
    log, tasks = log_of(), NumberedTasks()
    runs = CallRuns()
    for number in range(4):
        runs.add(0, (number,))
    runs.add(0, ())
    runs.add(0, (1, 2))
    entries = CallEntries(runs.runs)
    failed: list[Any] = []

    class Refusing:
        """Takes one in two."""

        def __init__(self) -> None:
            self.submitted = 0

        def submit(self, fn: Any) -> Any:
            self.submitted += 1
            if self.submitted % 2 == 0:
                raise KeyError(self.submitted)
            return executor.submit(fn)

    def not_started(task: HostedTask, error: BaseException) -> None:
        failed.append((task.number, type(error)))

    executor = Executors.sync()
    numbers = [11, 12, 13, 14, 15, 16]
    assert start_run(log, tasks, Refusing(), tuple_of, entries, numbers, 0, not_started) == 4
    assert failed == [(12, KeyError), (14, KeyError)]
    assert [task.number for task in tasks.all()]
    assert log.take(tasks)[:2] == ([11, 13], [(0,), (2,)])
    way = Executors.sync()
    assert start_run(log, tasks, way, tuple_of, entries, numbers, 4, not_started) == 1
    assert start_run(log, tasks, way, tuple_of, entries, numbers, 5, not_started) == 1
    assert log.take(tasks)[:2] == ([15, 16], [(), (1, 2)])
    assert not entries.is_plain


def tuple_of(*args: Any) -> tuple[Any, ...]:
    return args


@pytest.mark.parametrize("seed", range(3))
def test_calls_come_out_of_their_runs_as_they_went_in(seed: int) -> None:
    chance = random.Random(seed)
    runs = CallRuns()
    calls: list[tuple[int, Any]] = []
    for number in range(300):
        if calls and chance.random() < 0.6:
            place, args = calls[-1]
        else:
            place, args = chance.randrange(3), chance.choice([(), (number,), (number, "a"), (b"plain",), b"pickled"])
        calls.append((place, args))
        if isinstance(args, bytes):
            runs.add_encoded(place, args)
        else:
            runs.add(place, args)
    entries = CallEntries(runs.runs)
    assert len(entries) == len(calls)
    for place, args in calls:
        assert (entries.place, entries.is_plain) == (place, args != b"pickled")
        assert entries.next() == args
    assert not entries.is_plain
    with pytest.raises(IndexError):
        entries.next()
    assert len(CallEntries([])) == 0
    empty = CallEntries([(0, 1, []), (1, 2, ["a", "b"]), (2, 1, [])])
    assert (len(empty), empty.place, empty.next()) == (1, 1, ("a", "b"))
    assert not empty.is_plain


def test_a_function_is_shared_by_the_calls_of_a_run_once_it_was_loaded() -> None:
    calls = [HeldCall(divmod, (number, 3)) for number in range(3)]
    calls += [HeldCall(tuple_of, ([],)), HeldCall(tuple_of, ()), HeldCall(Adding(1), (1,)), HeldCall(Adding(1), (1,))]
    left = iter(calls)
    sent, encoded, failed = packed(lambda: next(left, None), 100)
    assert (sent, failed) == (calls, [])
    loader = CallLoader(encoded)
    shared: list[Any] = []
    for call in calls:
        shared.append(loader.shared())
        fn, args, kwargs = loader.next()
        assert (type(fn), args, kwargs) == (type(call.fn), call.args, {})
    assert shared == [None, divmod, divmod, None, tuple_of, None, None]
    assert loader.shared() is None


class HeldCall:
    def __init__(self, fn: Any, args: tuple[Any, ...]) -> None:
        self.fn, self.args = fn, args
        self.kwargs: dict[str, Any] = {}


class Adding:
    """A callable with a state of its own."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, other: int) -> int:
        return self.number + other


def test_keywords_and_functions_with_a_state_reach_tasks(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=1) as executor:
        futures = [executor.submit(start_task, number) for number in range(50)]
        futures += [executor.submit(start_task, what=number) for number in range(50, 60)]
        futures += [executor.submit(Starting(number)) for number in range(60, 70)]
        for future in futures:
            future.result(PATIENCE)
    assert sorted(books.created) == list(range(70))


class Starting:
    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self) -> str:
        return start_task(self.number)


gate = threading.Event()


def start_at_the_gate(what: Any) -> str:
    gate.wait(PATIENCE)
    return start_task(what)


def test_while_shards_have_their_fill_more_calls_wake_nobody(workers: FakeWorkers, books: Books) -> None:
    gate.clear()
    with sharded_executor(shards=1) as executor:
        calls = executor._coordinator.calls
        futures = executor.submit_many(start_at_the_gate, range(3000))  # 2,000 are all that it may be asked for
        wait_until(lambda: calls.enough == sys.maxsize)
        assert not calls.is_waiting
        gate.set()
        for future in futures:
            future.result(PATIENCE)
        wait_until(lambda: calls.is_waiting)
        assert calls.enough < 3000
