"""What is kept in C of tasks of shards: on the client by number, in the table of its executor, and on workers."""

from __future__ import annotations

import gc
import logging
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future as StandardFuture
from typing import Any

import pytest
from support import PATIENCE

from more_executors import Executors
from more_executors._core import (
    CallRuns,
    EventLog,
    Future,
    HostedTask,
    NumberedTasks,
    RemoteCall,
    RemoteCalls,
    ShardedTable,
    ShardTask,
    ShardTasks,
    TaskRegister,
    Waker,
    WayIn,
)

PLAIN = frozenset({int, str, type(None)})
LOGGER = logging.getLogger("it")


@pytest.mark.parametrize("seed", range(3))
def test_tasks_are_found_by_number_as_long_as_they_are_there(seed: int) -> None:
    chance = random.Random(seed)
    tasks = ShardTasks()
    there: dict[int, ShardTask] = {}
    for number in range(4000):
        if there and chance.random() < (0.2 if number < 2000 else 0.8):
            other = chance.choice(list(there))
            assert tasks.pop(other) is there.pop(other)
            assert tasks.pop(other) is None
        else:
            there[number] = ShardTask(number, None, None)
            tasks.put(there[number])
        if number % 97 == 0:
            assert len(tasks) == len(there)
            assert sorted(task.number for task in tasks.all()) == sorted(there)
            assert all(other in tasks for other in there)
    numbers = [*there, 10_000]
    assert tasks.pop_all(numbers) == [*there.values(), None]
    assert len(tasks) == 0
    assert numbers[0] not in tasks


def test_very_many_that_are_known_as_the_same_are_forgotten() -> None:
    register = TaskRegister()
    for number in range(50_000):  # one chain, which is longer than calls may be deep
        task = ShardTask(number, None, None)
        task.result = "the same"
        register.add_all([task])
    del task
    register.clear()
    assert len(register) == 0
    assert register.of("the same") is None


def test_calls_that_have_created_tasks_are_not_starting_any_more() -> None:
    calls = {number: RemoteCall(Future(), abs, (), {}) for number in (1, 2, 3)}
    starting = dict(calls)
    tasks = ShardTasks()
    made_by, created = tasks.create_all(starting, "link", [2, 7, 1], ["b", "x", "a"])
    assert made_by == [calls[2], None, calls[1]]
    assert [task and (task.number, task.sent, task.link) for task in created] == [
        (2, "b", "link"),
        None,
        (1, "a", "link"),
    ]
    assert starting == {3: calls[3]}
    assert sorted(task.number for task in tasks.all()) == [1, 2]
    with pytest.raises(ValueError, match="as many tasks"):
        tasks.create_all(starting, "link", [3], [])


# -- the table --------------------------------------------------------------------------------------------------------


def test_a_task_that_the_register_has_is_not_handed_out() -> None:
    table = ShardedTable(LOGGER)
    table.register = register = TaskRegister(PLAIN)
    known, result = ShardTask(1, None, "a"), "a" * 40
    known.result = result
    register.add_all([known])
    owner = object()
    first, second = table.adopt(owner, result), table.adopt(owner, "b")
    assert known.descriptor.result is result
    assert table.has_new()
    assert [descriptor.result for descriptor in table.take_new()] == ["b"]
    assert not table.has_new()
    assert register.end_all([known], ["done"]) == []
    assert first.result(0) == "done"
    assert second.cancel()
    assert table.next_due() == float("inf")


def test_a_task_that_ended_before_it_joined_is_handed_out_with_its_end() -> None:
    table = ShardedTable(LOGGER)
    known = ShardTask(1, None, "a")
    known.result = "a"
    table.register.add_all([known])
    assert table.register.end_all([known], [b"ended"]) == []
    future = table.adopt(object(), "a")
    taken = table.take_new()
    assert table.register.claim_all(taken) == [known]
    assert known.outcome == [b"ended"]
    taken[0].yield_result(1)
    assert future.result(0) == 1
    table.register.remove(known)


def test_what_was_in_a_call_that_broke_is_handed_out_again() -> None:
    table = ShardedTable(LOGGER)
    futures = [table.adopt(table, result) for result in "abc"]
    taken = table.take_new()
    taken[0].yield_result()
    table.postpone(taken, 1.0)
    assert [descriptor.result for descriptor in table.take_new()] == ["b", "c"]
    assert all(future.cancel() for future in futures[1:])


# -- calls that wait ---------------------------------------------------------------------------------------------------


class Delegate:
    """What a WayIn leads to; `refused` is what its own `submit` got."""

    def __init__(self, calls: RemoteCalls) -> None:
        self.refused: list[Any] = []
        self.way = WayIn(self, Delegate.submit, calls, list)

    def submit(self, *call: Any) -> Any:
        self.refused.append(call)
        return Future()


def waiting(take_back: Callable[[RemoteCall], Any] = print) -> tuple[RemoteCalls, Delegate]:
    calls = RemoteCalls(LOGGER, Waker(), 3, take_back)
    return calls, Delegate(calls)


def test_calls_wait_in_order_and_wake_who_waits_for_them() -> None:
    calls, delegate = waiting()
    calls.is_waiting = False
    future = delegate.way.submit(abs, 1)
    delegate.way.submit(abs, 2)
    assert not calls.waker.wait(0)
    delegate.way.submit(abs, 3)
    assert calls.waker.wait(0)  # there are enough
    assert [call.args for call in calls.waiting] == [(1,), (2,), (3,)]
    assert calls.waiting[0].future is future
    assert not gc.is_tracked(future)
    calls.is_waiting = True
    delegate.way.submit(abs, key=4)
    assert calls.waker.wait(0)
    assert delegate.refused == []


def test_a_single_call_wakes_who_waits() -> None:
    calls, delegate = waiting()
    delegate.way.submit(abs, 1)
    assert calls.waker.wait(0)


@pytest.mark.parametrize("part", ["waiting", "take_back"])
def test_a_call_that_could_not_be_submitted_is_not_counted(part: str) -> None:
    class Refusing(deque[Any]):
        """A queue without memory for more."""

        def append(self, call: RemoteCall) -> None:
            seen.append(call.future)
            raise MemoryError

    def take_back(call: RemoteCall) -> None:
        seen.append(call.future)
        raise MemoryError

    seen: list[Any] = []
    calls, _ = waiting(take_back)
    if part == "waiting":
        calls.waiting = Refusing()
    else:
        calls.is_closed = True
    with pytest.raises(MemoryError):
        calls.submit(abs, (1,), {})
    assert [future.cancelled() for future in seen] == [True]
    assert (calls.counters.started, calls.counters.cancelled) == (0, 0)


def test_calls_of_an_executor_are_counted_and_hidden_from_the_collector() -> None:
    calls, _ = waiting()
    began = time.monotonic()
    futures = [calls.submit(divmod, (number, 1), {}) for number in range(100)]
    assert not any(map(gc.is_tracked, futures))
    assert "Counting" not in {type(thing).__name__ for thing in gc.get_objects()}
    assert futures[0].cancel()
    taken = [calls.waiting.popleft() for _ in futures]
    assert [call.begin() for call in taken] == [False] + [True] * 99
    futures[1].set_exception(KeyError())
    for future in futures[2:]:
        future.set_result(None)
    counters = calls.counters
    assert (counters.started, counters.finished, counters.failed, counters.cancelled) == (100, 98, 1, 1)
    assert counters.pending == 0
    assert 0.0 <= counters.seconds <= 100 * (time.monotonic() - began + 1.0)


def test_what_is_of_another_kind_and_what_comes_when_it_is_closed_is_for_the_delegate() -> None:
    calls, delegate = waiting()
    delegate.way.submit([], 1)
    calls.is_closed = True
    delegate.way.submit(abs, 2)
    assert delegate.refused == [([], 1), (abs, 2)]
    assert not calls.waiting


def test_a_call_that_comes_as_it_is_closed_is_taken_back() -> None:
    def take_back(call: RemoteCall) -> None:
        calls.waiting.remove(call)
        raise KeyError("closed")

    calls, _ = waiting(take_back)
    calls.is_closed = True
    with pytest.raises(KeyError, match="closed"):
        calls.put(RemoteCall(Future(), abs, (), {}))
    assert not calls.waiting


def test_calls_are_packed_up_to_one_that_is_not_plain() -> None:
    calls, delegate = waiting()
    futures = [delegate.way.submit(abs, number) for number in range(4)]
    assert futures[1].cancel()
    delegate.way.submit(abs, [])
    delegate.way.submit(abs, 4)
    sent: list[Any] = []
    runs = CallRuns()
    cancelled: list[Any] = []
    size = calls.pack(sent, runs, {id(abs): 7}, PLAIN, 100, 1000, cancelled)
    assert size == 3 * 32
    assert runs.runs == [(7, 1, [0, 2, 3])]
    assert [call.future for call in sent] == [futures[0], *futures[2:]]
    assert all(future.running() for future in (futures[0], *futures[2:]))
    assert [call.future for call in cancelled] == [futures[1]]
    assert [call.args for call in calls.waiting] == [([],), (4,)]  # the first was taken out, and put back
    calls.waiting.clear()
    delegate.way.submit(len, "not known")
    assert calls.pack(sent, runs, {id(abs): 7}, PLAIN, 100, 1000, cancelled) == 0
    assert len(calls.waiting) == 1
    calls.waiting.popleft()
    for text in ["a" * 500, b"a" * 500, "a" * 500, "a" * 500, "a" * 500]:
        delegate.way.submit(abs, text)
    assert calls.pack([], CallRuns(), {id(abs): 7}, PLAIN | {bytes}, 100, 1000, cancelled) > 1000
    assert len(calls.waiting) == 3
    assert calls.pack([], CallRuns(), {id(abs): 7}, PLAIN, 2, 10_000, cancelled) > 1000
    assert len(calls.waiting) == 1


# -- on the worker -----------------------------------------------------------------------------------------------------


class OverError(Exception):
    """Of a lease."""


def log_of(now: float = 0.0) -> EventLog:
    def check() -> None:
        raise OverError

    log = EventLog(lambda: now, check, PLAIN, 3)
    log.expires = 1.0
    return log


def test_what_becomes_of_a_task_is_noted_by_itself() -> None:
    log, tasks = log_of(), NumberedTasks()
    log.is_waiting = False
    hosted = [HostedTask(log, number) for number in (5, 6, 7)]
    with Executors.thread_pool(1) as pool:
        for number, task in enumerate(hosted):
            tasks.put(task)
            task.to_call(divmod, (number, number))
            task.keep(pool.submit(task))
    assert [task.is_started for task in hosted] == [False, True, True]
    assert len(log) == 5
    assert log.waker.wait(0)
    numbers, known_as, plain, results, others = log.take(tasks)
    assert (numbers, known_as) == ([6, 7], [(1, 0), (1, 0)])
    assert (plain, results) == ([], [])
    assert others == hosted  # what is no plain value is for others to send
    assert len(tasks) == len(log) == 0


def test_plain_results_are_taken_with_their_numbers() -> None:
    log, tasks = log_of(), NumberedTasks()
    adopted = HostedTask(log, 9, True)
    tasks.put(adopted)
    adopted.keep(Executors.sync().submit(abs, -3))
    assert log.take(tasks) == ([], [], [9], [3], [])
    assert adopted.future is None
    adopted = HostedTask(log, 10, True)
    theirs: StandardFuture[int] = StandardFuture()
    adopted.keep(theirs)
    theirs.set_result(1)
    assert log.take(tasks)[4] == [adopted]


@pytest.mark.parametrize("why", ["time", "stopped"])
def test_nothing_is_started_once_the_lease_is_over(why: str) -> None:
    log = log_of(2.0 if why == "time" else 0.5)
    log.is_stopped = why == "stopped"
    task = HostedTask(log, 1)
    called: list[int] = []
    task.to_call(called.append, (1,))
    with pytest.raises(OverError):
        task()
    assert called == []
    assert not task.is_started


def test_what_is_called_is_let_go_of() -> None:
    task = HostedTask(log_of(), 1)
    task.to_call(divmod, (7, 2))
    assert task() == (3, 1)
    with pytest.raises(TypeError):
        task()


def test_at_the_end_nothing_is_kept() -> None:
    log = log_of()
    task = HostedTask(log, 1)
    future: Any = Future()
    task.keep(future)
    log.end()
    future.set_result(1)
    assert task.future is None
    assert len(log) == 0


class Host:
    """What has a log, and looks at the lease for that."""

    def __init__(self) -> None:
        self.log = EventLog(lambda: 0.0, self.check, PLAIN, 1_000)

    def check(self) -> None:
        pass


def ended_while_tasks_are_done(many: int, first: int) -> weakref.ref[Host]:
    """End a log about when the future of the task `first` is done, of so many that are done one after another."""
    host = Host()
    log, tasks = host.log, NumberedTasks()
    futures: list[Future[Any]] = [Future() for _ in range(many)]
    for number, future in enumerate(futures):
        task = HostedTask(log, number)
        tasks.put(task)
        task.keep(future)

    def end_all() -> None:
        for future in futures:
            future.set_result(futures)

    thread = threading.Thread(target=end_all)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not futures[first].done():
        assert time.monotonic() < until
    log.end()
    for task in [*tasks.all(), *log.take(tasks)[4]]:
        task.let_go()
    tasks.clear()
    thread.join(PATIENCE)
    return weakref.ref(host)


def test_nothing_is_kept_of_what_is_done_at_the_very_end() -> None:
    hosts = [ended_while_tasks_are_done(100, random.randrange(100)) for _ in range(500)]
    gc.collect()
    assert [host() for host in hosts if host() is not None] == []


def test_what_stays_is_listed_while_others_come_and_go() -> None:
    log, tasks = log_of(), NumberedTasks()
    for number in range(100):
        tasks.put(HostedTask(log, number))

    def come_and_go() -> None:
        for _ in range(20):
            for number in range(100, 600):  # so many that there are more buckets
                tasks.put(HostedTask(log, number))
            for number in range(100, 600):
                tasks.pop(number)

    coming = threading.Thread(target=come_and_go)
    coming.start()
    while coming.is_alive():
        assert set(range(100)) <= {task.number for task in tasks.all()}
    coming.join(PATIENCE)
    assert sorted(task.number for task in tasks.all()) == list(range(100))


def test_threads_note_at_the_same_time() -> None:
    log, tasks = log_of(), NumberedTasks()
    taken: list[Any] = []

    def note(first: int) -> None:
        for number in range(first, first + 500):
            task = HostedTask(log, number)
            tasks.put(task)
            log.created(task, number)
            task.keep(Executors.sync().submit(int, number))

    threads = [threading.Thread(target=note, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken.append(log.take(tasks))
    for thread in threads:
        thread.join(PATIENCE)
    taken.append(log.take(tasks))
    created: set[int] = set()
    ended: list[int] = []
    for numbers, known_as, plain, results, others in taken:
        assert (numbers, plain, others) == (known_as, results, [])
        created.update(numbers)
        assert created.issuperset(plain)  # first that it was created, then how it ended
        ended += plain
    expected = [first + number for first in (0, 1000, 2000) for number in range(500)]
    assert sorted(ended) == sorted(created) == expected
    assert len(tasks) == 0
