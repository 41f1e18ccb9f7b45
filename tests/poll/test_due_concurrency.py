"""Several calls at a time: on threads of the executor's own, each holding up its own batch only."""

from __future__ import annotations

import queue
import threading
import weakref
from math import inf
from typing import Any

import pytest
from paced_support import PacedClock, begin, clock_fixture, end, paced, results
from support import PATIENCE, InThread, SteppedPoll, assert_ends, is_gone

from more_executors import PollExecutor, SyncExecutor

clock = clock_fixture()


def callers(name: str = "default") -> list[threading.Thread]:
    """The threads on which the executor of that name makes calls."""
    prefix = f"PollExecutor-{name}-"
    return [thread for thread in threading.enumerate() if thread.name.startswith(prefix)]


def test_so_many_calls_go_on_at_a_time_on_daemon_threads_with_numbers() -> None:
    stepped = SteppedPoll()
    with paced(stepped, batch_size=2, max_concurrency=3, name="jobs") as executor:
        futures = executor.adopt_many(range(10))
        calls = begin(stepped, 3)
        assert sorted(call.thread.name for call in calls) == [f"PollExecutor-jobs-{i}" for i in (1, 2, 3)]
        assert all(call.thread.daemon for call in calls)
        assert len({*results(calls)}) == len(results(calls)) <= 6
        stats = executor.stats()
        assert (stats.in_calls, stats.polled) == (len(results(calls)), 10)
        end(calls)
        while not all(future.done() for future in futures):
            end([stepped.next()])
        assert [future.result() for future in futures] == list(range(10))


def test_threads_start_as_they_are_needed() -> None:
    stepped = SteppedPoll()
    with paced(stepped, max_concurrency=50) as executor:
        executor.adopt("a")
        first = stepped.next()
        assert len(callers()) == 1
        executor.adopt("b")
        second = stepped.next()
        assert len(callers()) == 2
        end([first, second])


def test_a_task_is_in_one_call_whatever_makes_it_due() -> None:
    # 1. A call has the task, and there is room for others. 2. The task is to be polled now, for every reason there is.
    # 3. Another task joins: its call, and nothing else, begins. 4. The first call ends: now its task is polled again.
    stepped = SteppedPoll()
    with paced(stepped, max_concurrency=4) as executor:
        executor.adopt("a")
        first = stepped.next()
        executor.notify()
        first.descriptors[0].poll_after(0)
        first.descriptors[0].restart_backoff()
        executor.notify()
        executor.adopt("b")
        second = stepped.next()
        assert results([second]) == ["b"]
        first.end(inf)
        third = stepped.next()
        assert results([third]) == ["a"]
        end([second, third])


def test_notify_before_a_call_ends_is_for_its_tasks_as_well() -> None:
    # 1. Both tasks are in calls. 2. notify; a third task shows that it has been seen. 3. The calls end, and ask for no
    # more. 4. Both are polled once more.
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=3, default_interval=inf) as executor:
        executor.adopt_many(list("ab"))
        calls = begin(stepped, 2)
        executor.notify()
        executor.adopt("c")
        third = stepped.next()
        assert results([third]) == ["c"]
        for call in calls:
            call.end(inf)
        again = begin(stepped, 2)
        assert sorted(results(again)) == ["a", "b"]
        end([third, *again])


def test_a_call_that_hangs_holds_up_its_own_batch_only() -> None:
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=2) as executor:
        futures = executor.adopt_many(range(30))
        hanging = stepped.next()
        (stuck,) = results([hanging])
        for _ in range(29):
            end([stepped.next()])
        for i, future in enumerate(futures):
            if i != stuck:
                assert future.result(PATIENCE) == i
        assert not futures[stuck].done()
        assert executor.stats().in_calls == 1
        end([hanging])
        assert futures[stuck].result(PATIENCE) == stuck


def test_a_task_in_a_call_that_hangs_can_be_cancelled_and_is_polled_no_more() -> None:
    stepped = SteppedPoll()
    with paced(stepped, max_concurrency=2) as executor:
        future = executor.adopt("a")
        hanging = stepped.next()
        assert future.cancel()
        stats = executor.stats()
        assert (stats.in_calls, stats.polled, stats.outstanding, stats.cancelled) == (0, 0, 0, 1)
        executor.adopt("b")
        other = stepped.next()
        hanging.end(0)
        end([other])
        executor.adopt("c")
        last = stepped.next()
        assert results([last]) == ["c"]
        end([last])
        hanging.descriptors.clear()


class HeldBack:
    """Stands in for the count of calls that go on: holds back who says that one is over, until the test lets go."""

    def __init__(self, going_on: Any) -> None:
        self._going_on = going_on
        self._arrivals = threading.Semaphore(0)
        self._free = threading.Event()

    @property
    def count(self) -> int:
        return self._going_on.count  # type: ignore[no-any-return]

    def begin(self) -> None:
        self._going_on.begin()

    def end(self) -> None:
        self._arrivals.release()
        assert self._free.wait(PATIENCE)
        self._going_on.end()

    def wait_for_one(self) -> None:
        assert self._arrivals.acquire(timeout=PATIENCE), "nobody came"

    def let_go(self) -> None:
        self._free.set()


def test_room_that_a_call_leaves_is_seen(clock: PacedClock) -> None:
    # 1. Both calls are over, but their threads do not get to say so. 2. The executor's thread is woken, sees no room,
    # and sleeps. 3. They say so. 4. What is due is polled, although nothing else happens.
    def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)
        return inf

    with paced(poll, batch_size=1, max_concurrency=2) as executor:
        threads = executor._engine.callers
        held = HeldBack(threads._unfinished)
        threads._unfinished = held  # type: ignore[assignment]
        futures = executor.adopt_many(range(6))
        held.wait_for_one()
        held.wait_for_one()
        executor._poll_table.waker.set()
        clock.settle()
        held.let_go()
        assert [future.result(PATIENCE) for future in futures] == list(range(6))


def test_calls_are_made_on_the_executors_thread_while_no_other_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def cannot_start(thread: threading.Thread) -> None:
        if thread.name.startswith("PollExecutor-default-"):
            raise RuntimeError("can't start new thread")
        start(thread)

    on: queue.SimpleQueue[str] = queue.SimpleQueue()

    def poll(descriptors: list[Any]) -> float:
        on.put(threading.current_thread().name)
        for descriptor in descriptors:
            descriptor.yield_result()
        return inf

    monkeypatch.setattr(threading.Thread, "start", cannot_start)
    with paced(poll, batch_size=5, max_concurrency=3) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(20))] == [None] * 20
        assert {on.get() for _ in range(on.qsize())} == {"PollExecutor-default"}
        monkeypatch.undo()
        assert executor.adopt("a").result(PATIENCE) is None
        assert on.get(timeout=PATIENCE) == "PollExecutor-default-1"


def test_the_threads_end_at_shutdown_when_all_is_done() -> None:
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=2) as executor:
        executor.adopt_many(list("ab"))
        calls = begin(stepped, 2)
        threads = callers()
        closing = InThread(executor.shutdown)
        end(calls)
        closing.outcome()
        assert not any(thread.is_alive() for thread in threads)


def test_the_threads_end_with_an_executor_that_is_dropped() -> None:
    stepped = SteppedPoll()
    executor: Any = PollExecutor(SyncExecutor(), stepped, batch_size=1, max_concurrency=2, min_interval=0)
    executor.adopt_many(list("ab"))
    calls = begin(stepped, 2)
    threads = callers()
    end(calls)
    reference = weakref.ref(executor)
    del executor, calls
    assert is_gone(reference)
    for thread in threads:
        assert_ends(thread)


def test_shutdown_in_a_call_does_not_wait_for_itself() -> None:
    ended = threading.Event()

    def poll(descriptors: list[Any]) -> None:
        executor.shutdown()
        for descriptor in descriptors:
            descriptor.yield_result("done")
        ended.set()

    executor: Any = PollExecutor(SyncExecutor(), poll, batch_size=1, max_concurrency=2, min_interval=0)
    future = executor.adopt("a")
    assert future.result(PATIENCE) == "done"
    assert ended.wait(PATIENCE)
