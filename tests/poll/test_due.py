"""What is due: a call gets tasks whose time has come, in the order of their times, and never an empty list."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, new_table, paced, poll_fixture
from support import DuckDelegate, InThread, SteppedPoll, poll_thread

from more_executors import PollExecutor
from more_executors.backoff import Backoff

FIXED = Backoff(7.0, factor=1.0, jitter=0.0)
DOUBLING = Backoff(1.0, factor=2.0, maximum=300.0, jitter=0.0)


clock = clock_fixture()
poll = poll_fixture()


def test_a_task_is_due_when_it_joins(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        clock.run(3)
        executor.adopt("a")
        clock.run()
        executor.submit(str, "b")
        clock.run()
        assert poll.calls == [(3, ["a"]), (3, ["b"])]


def test_without_tasks_there_is_no_call(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        clock.run(100)
        executor.notify()
        clock.run(100)
        assert poll.calls == []


def test_a_task_that_is_still_with_the_delegate_is_not_polled(clock: PacedClock, poll: NotedPoll) -> None:
    delegate = DuckDelegate()
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, poll, batch_size=10, min_interval=0)
    futures = [executor.submit(str) for _ in range(3)]
    executor.notify()
    clock.run(20)
    assert poll.calls == []
    delegate.given[1].end("b")
    clock.run()
    assert poll.calls == [(20, ["b"])]
    for given in delegate.given:
        given.agrees_to_cancel = True
    assert all(future.cancel() for future in futures)
    executor.shutdown()


def test_tasks_come_in_the_order_of_their_times(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, batch_size=3) as executor:
        executor.adopt_many(range(5))
        clock.run()
        delays = {0: 40, 1: 10, 2: 30, 3: 20, 4: 10.5}
        for result, seconds in delays.items():
            poll.descriptors[result].poll_after(seconds)
        poll.calls.clear()
        clock.settle()
        clock.leap(50)
        clock.run()
        assert [result for _, results in poll.calls for result in results] == [1, 4, 3, 2, 0]
        assert [len(results) for _, results in poll.calls] == [3, 2]


def test_a_task_that_ends_before_its_time_is_in_no_call(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        futures = executor.adopt_many(list("abc"))
        clock.run()
        poll.finish("a")
        assert futures[1].cancel()
        clock.run(5)
        assert (poll.times("a"), poll.times("b"), poll.times("c")) == ([0], [0], [0, 5])
        assert futures[2].cancel()
        before = len(poll.calls)
        clock.run(50)
        assert len(poll.calls) == before


# -- when a task is due again --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "returned", "after", "seconds"),
    [
        ({}, None, None, 5),
        ({"default_interval": 9}, None, None, 9),
        ({"default_interval": 9}, "3", None, 9),
        ({"schedule": FIXED}, None, None, 7),
        ({"schedule": FIXED}, 3, None, 3),
        ({"schedule": FIXED}, 3.5, None, 3.5),
        ({"schedule": FIXED}, -1, None, 7),
        ({"schedule": FIXED}, nan, None, 7),
        ({"schedule": FIXED}, 3, 11, 11),
        ({"schedule": FIXED}, 30, 11, 11),
        ({"schedule": FIXED}, None, 11, 11),
        ({}, inf, 11, 11),
        ({}, None, 2, 2),
    ],
)
def test_poll_after_goes_before_what_the_call_returned_before_the_schedule_before_the_interval(
    clock: PacedClock, poll: NotedPoll, options: dict[str, Any], returned: object, after: float | None, seconds: float
) -> None:
    def does(descriptors: list[Any]) -> object:
        if after is not None and len(poll.calls) == 1:
            descriptors[0].poll_after(after)
        return returned

    poll.does = does
    with paced(poll, **options) as executor:
        executor.adopt("a")
        clock.run(seconds)
        assert poll.times("a") == [0, seconds]


@pytest.mark.parametrize(("duration", "again"), [(1, 6), (2, 6), (3, 6), (4, 7), (9, 12), (100, 103)])
def test_the_time_counts_from_the_begin_of_the_call_but_at_least_half_of_it_is_to_come(
    clock: PacedClock, poll: NotedPoll, duration: float, again: float
) -> None:
    poll.does = lambda descriptors: clock.leap(duration if len(poll.calls) == 1 else 0)
    with paced(poll, default_interval=6) as executor:
        executor.adopt("a")
        clock.run(again)
        clock.run()
        assert poll.times("a")[:2] == [0, again]


def test_poll_after_holds_once(clock: PacedClock, poll: NotedPoll) -> None:
    poll.does = lambda descriptors: (len(poll.calls) == 1 and descriptors[0].poll_after(20)) or None
    with paced(poll) as executor:
        executor.adopt_many(list("ab"))
        clock.run(35)
        assert poll.times("a") == [0, 20, 25, 30, 35]
        assert poll.times("b")[:3] == [0, 5, 10]


def test_poll_after_from_another_thread_moves_a_task_that_waits(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt_many(list("abc"))
        clock.run()
        InThread(poll.descriptors["a"].poll_after, 1).outcome()
        InThread(poll.descriptors["b"].poll_after, 8).outcome()
        clock.run(9)
        assert (poll.times("a"), poll.times("b"), poll.times("c")) == ([0, 1, 6], [0, 8], [0, 5])


def test_the_last_poll_after_counts(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run()
        for seconds in (3, inf, 1, 2):
            poll.descriptors["a"].poll_after(seconds)
        clock.run(2)
        assert poll.times("a") == [0, 2]


def test_poll_after_infinity_waits_for_notify(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run()
        poll.descriptors["a"].poll_after(inf)
        clock.run(1e6)
        assert poll.times("a") == [0]
        assert clock.sleeps_for() == inf
        executor.notify()
        clock.run(5)
        assert poll.times("a") == [0, 1e6, 1e6 + 5]


def test_poll_after_zero_is_at_once(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run(1)
        poll.descriptors["a"].poll_after(0)
        clock.run()
        assert poll.times("a") == [0, 1]


@pytest.mark.parametrize("seconds", [-1, -0.001, nan, -inf])
def test_poll_after_refuses_what_is_no_delay(clock: PacedClock, poll: NotedPoll, seconds: float) -> None:
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run()
        with pytest.raises(ValueError, match=f"seconds.*{seconds}"):
            poll.descriptors["a"].poll_after(seconds)
        clock.run(5)
        assert poll.times("a") == [0, 5]


def test_poll_after_and_restart_backoff_of_a_task_that_is_done_do_nothing(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, schedule=DOUBLING) as executor:
        executor.adopt("a")
        clock.run()
        descriptor = poll.descriptors["a"]
        poll.finish("a")
        descriptor.poll_after(1)
        descriptor.restart_backoff()
        clock.run(50)
        assert poll.times("a") == [0]


def test_poll_after_from_another_thread_in_a_call_is_for_after_it() -> None:
    # 1. The task is in a call. 2. Another thread asks for it to be polled at once. 3. The call asks for no more.
    # 4. It is polled once more, and not again.
    stepped = SteppedPoll()
    with paced(stepped, default_interval=inf) as executor:
        future = executor.adopt("a")
        call = stepped.next()
        InThread(call.descriptors[0].poll_after, 0).outcome()
        call.end(inf)
        again = stepped.next()
        assert [descriptor.result for descriptor in again.descriptors] == ["a"]
        again.descriptors[0].yield_result("done")
        again.end()
        assert future.result(0) == "done"


# -- back-off ------------------------------------------------------------------------------------------------------


def test_the_schedule_is_each_tasks_own(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, schedule=DOUBLING) as executor:
        executor.adopt("a")
        clock.run(4)
        executor.adopt("b")
        clock.run(12)
        assert poll.times("a") == [0, 1, 3, 7, 15]
        assert poll.times("b") == [4, 5, 7, 11]


def test_restart_backoff_of_a_task_that_waits_begins_anew_now(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, schedule=DOUBLING) as executor:
        executor.adopt("a")
        clock.run(9)
        InThread(poll.descriptors["a"].restart_backoff).outcome()
        clock.run(7)
        assert poll.times("a") == [0, 1, 3, 7, 10, 12, 16]


def test_restart_backoff_puts_nothing_off(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, schedule=DOUBLING) as executor:
        executor.adopt("a")
        clock.run(14.5)
        poll.descriptors["a"].restart_backoff()
        clock.run(3.5)
        assert poll.times("a") == [0, 1, 3, 7, 15, 17]


def test_restart_backoff_in_a_call_is_for_after_it(clock: PacedClock, poll: NotedPoll) -> None:
    poll.does = lambda descriptors: (len(poll.calls) == 4 and descriptors[0].restart_backoff()) or None
    with paced(poll, schedule=DOUBLING) as executor:
        executor.adopt("a")
        clock.run(14)
        assert poll.times("a") == [0, 1, 3, 7, 8, 10, 14]


def test_restart_backoff_without_a_schedule_does_nothing(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt("a")
        clock.run(3)
        poll.descriptors["a"].restart_backoff()
        clock.run(2)
        assert poll.times("a") == [0, 5]


# -- idle ----------------------------------------------------------------------------------------------------------


def test_nothing_due_is_one_sleep(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, default_interval=inf) as executor:
        executor.adopt_many(range(1000))
        clock.run()
        before = clock.sleeps
        clock.run(1e6)
        assert clock.sleeps == before
        assert clock.sleeps_for() == inf


def test_the_executor_sleeps_until_the_next_task_is_due(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, default_interval=3600) as executor:
        executor.adopt_many(range(1000))
        clock.run()
        assert clock.sleeps_for() == 3600
        sleeps, calls = clock.sleeps, len(poll.calls)
        clock.run(36000)
        assert len(poll.calls) == calls + 10
        assert clock.sleeps == sleeps + 10
        assert poll_thread("default").is_alive()


class TakingWatcher:
    """What `concurrent.futures.wait` puts at a future: this one takes what is due when that is cancelled."""

    def __init__(self, table: Any) -> None:
        self.found: list[Any] = []
        self._table = table

    def add_cancelled(self, future: Any) -> None:
        self.found.extend(self._table.take_due(inf, 10, 0.0)[0])


def test_a_task_that_tells_just_now_that_it_is_done_is_not_handed_out() -> None:
    table = new_table()
    watcher = TakingWatcher(table)
    first, second = table.adopt_many(table, ["a", "b"])
    with first._condition:
        first._waiters.append(watcher)
    assert first.cancel()
    assert [task.result for task in watcher.found] == ["b"]
    assert table.in_calls == 1
    assert second.cancel()
    assert table.in_calls == 0
