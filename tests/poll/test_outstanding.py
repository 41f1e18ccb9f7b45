"""What an executor tells of itself: `outstanding()` and `stats()`, in each state that a task can be in."""

from __future__ import annotations

import time
from math import inf
from typing import Any

import pytest
from paced_support import NotedPolicy, NotedPoll, PacedClock, clock_fixture, failing, in_both_modes, paced, poll_fixture
from support import PATIENCE, DuckDelegate, HeardLogger, Hostile, InThread, Parking, SteppedPoll

from more_executors import PollExecutor
from more_executors.poll_stats import OutstandingTask, PollStats
from more_executors.rate_limit import RateLimit, Throttled

clock = clock_fixture()
poll = poll_fixture()


def figures(executor: PollExecutor[Any, Any], *names: str) -> tuple[Any, ...]:
    stats = executor.stats()
    assert type(stats) is PollStats
    assert stats.outstanding == stats.with_delegate + stats.polled
    assert 0 <= stats.in_calls + stats.due <= stats.polled
    assert stats.errors + stats.throttled <= stats.calls
    assert stats.failed + stats.cancelled <= stats.done
    return tuple(getattr(stats, name) for name in names)


@in_both_modes
def test_at_first_there_is_nothing(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **mode) as executor:
        clock.run()
        assert executor.outstanding() == []
        assert figures(executor, "outstanding", "due", "in_calls", "done", "errors") == (0, 0, 0, 0, 0)
        assert figures(executor, "oldest_age", "rate", "seconds_left") == (0.0, None, 0.0)


@in_both_modes
def test_what_is_with_the_delegate_is_counted_and_not_listed(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    delegate = DuckDelegate()
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, poll, min_interval=0, **{"batch_size": 10, **mode})
    for _ in range(5):
        executor.submit(print)
    delegate.given[3].end("d")
    delegate.given[1].end("b")
    clock.run()
    assert figures(executor, "outstanding", "with_delegate", "polled") == (5, 3, 2)
    assert [task.result for task in executor.outstanding()] == ["d", "b"]
    for given in delegate.given:
        given.agrees_to_cancel = True
    executor.shutdown(cancel_futures=True)
    assert figures(executor, "outstanding", "with_delegate", "polled", "done", "cancelled") == (0, 0, 0, 5, 5)


@in_both_modes
def test_every_way_to_end_is_counted(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **mode) as executor:
        futures = executor.adopt_many(range(10))
        clock.run()
        poll.finish(0, 1, 2)
        poll.descriptors.pop(3).yield_exception(ValueError)
        assert futures[4].cancel()
        assert futures[5].cancel()
        assert figures(executor, "outstanding", "done", "failed", "cancelled") == (4, 6, 1, 2)
        assert [task.result for task in executor.outstanding()] == [6, 7, 8, 9]


def test_what_is_in_calls_is_counted() -> None:
    stepped = SteppedPoll()
    with paced(stepped, batch_size=3, max_concurrency=2, default_interval=inf) as executor:
        executor.adopt("a")
        first = stepped.next()
        assert figures(executor, "in_calls", "polled", "calls") == (1, 1, 0)
        executor.adopt("b")
        second = stepped.next()
        assert figures(executor, "in_calls", "polled", "calls") == (2, 2, 0)
        assert [task.polls for task in executor.outstanding()] == [1, 1]
        first.descriptors[0].yield_result()
        assert figures(executor, "in_calls", "polled", "done", "calls") == (1, 1, 1, 0)
        first.end()
        executor.adopt("c")
        third = stepped.next()
        assert figures(executor, "in_calls", "polled", "done", "calls") == (2, 2, 1, 1)
        for call in (second, third):
            call.end()
        for call in (first, second, third):
            call.descriptors.clear()


def test_what_is_in_the_call_of_a_whole_list_is_counted() -> None:
    stepped = SteppedPoll()
    with paced(stepped, batch_size=None) as executor:
        call = stepped.next()
        futures = executor.adopt_many(list("abc"))
        call.end()
        call = stepped.next()
        assert figures(executor, "in_calls", "polled") == (3, 3)
        assert futures[0].cancel()
        call.descriptors[1].yield_result()
        assert figures(executor, "in_calls", "polled") == (1, 1)
        assert futures[2].cancel()
        call.end()
        call.descriptors.clear()


@pytest.mark.parametrize("limited", [False, True], ids=["in a pause", "with a rate limit"])
def test_what_is_due_and_cannot_be_polled_is_counted(clock: PacedClock, poll: NotedPoll, limited: bool) -> None:
    failing(poll, 1, error=lambda: Throttled(1000))
    limit = RateLimit(1 / 1000, clock=lambda: clock.now) if limited else None
    with paced(poll, batch_size=1, rate_limit=limit) as executor:
        futures = executor.adopt_many(range(4))
        clock.run(2)
        futures.append(executor.adopt(4))
        clock.run()
        assert figures(executor, "due", "polled", "throttled", "errors") == (5, 5, 1, 0)
        assert all(future.cancel() for future in futures)
        assert figures(executor, "due", "polled") == (0, 0)


def test_lag_is_how_late_the_first_of_a_call_was(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, min_interval=10, default_interval=60) as executor:
        executor.adopt("a")
        clock.run(3)
        assert figures(executor, "lag") == (0,)
        executor.adopt("b")
        clock.run(4)
        assert figures(executor, "lag") == (4,)
        clock.run(3)
        assert poll.times("b") == [10]
        assert figures(executor, "lag") == (7,)


def test_calls_errors_and_throttles_are_counted_apart(clock: PacedClock, poll: NotedPoll) -> None:
    def does(descriptors: list[Any]) -> None:
        if len(poll.calls) in (2, 3):
            raise Throttled(0)
        if len(poll.calls) in (4, 5, 6):
            raise ValueError

    poll.does = does
    policy = NotedPolicy(seconds=1)
    with paced(poll, retry_policy=policy, default_interval=1, logger=HeardLogger()) as executor:
        executor.adopt("a")
        clock.run(6)
        assert figures(executor, "calls", "throttled", "errors", "done") == (len(poll.calls), 2, 3, 0)


def test_tasks_are_listed_in_the_order_they_joined_with_their_counts(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.adopt_many(list("ab"))
        clock.run(5)
        executor.adopt("c")
        clock.run()
        tasks = executor.outstanding()
        assert all(type(task) is OutstandingTask for task in tasks)
        assert [(task.result, task.polls, task.failures) for task in tasks] == [("a", 2, 0), ("b", 2, 0), ("c", 1, 0)]
        assert [(d.polls, d.failures) for d in map(poll.descriptors.get, "abc") if d] == [(2, 0), (2, 0), (1, 0)]
        assert all(0 <= task.age < 60 for task in tasks)


@in_both_modes
def test_each_leads_to_its_future(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **mode) as executor:
        futures = executor.adopt_many(list("abc"))
        tasks = executor.outstanding()
        assert [task.future for task in tasks] == futures
        assert tasks[1].future.cancel()
        assert [task.result for task in executor.outstanding()] == ["a", "c"]
        for future in futures:
            future.cancel()


@pytest.mark.parametrize("options", [{}, {"retry_policy": NotedPolicy()}, {"timeout": 100}])
def test_whole_lists_keep_no_count_of_polls(clock: PacedClock, poll: NotedPoll, options: dict[str, Any]) -> None:
    with paced(poll, batch_size=None, logger=HeardLogger(), **options) as executor:
        executor.adopt("a")
        clock.run(10)
        poll.descriptors["a"].poll_after(3)
        (task,) = executor.outstanding()
        assert (task.polls, poll.descriptors["a"].polls) == (None, None)


def test_the_rate_in_force_is_that_of_the_limit(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, rate_limit=RateLimit(25, per=5)) as executor:
        assert figures(executor, "rate") == (5.0,)


@in_both_modes
def test_values_are_listed_and_not_looked_at(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    value = Hostile()
    with paced(lambda descriptors: None, **mode) as executor:
        executor.adopt(value)
        clock.run()
        assert executor.outstanding()[0].result is value


def test_both_may_be_asked_for_while_a_call_goes_on_and_within_it() -> None:
    parking = Parking(inf)
    seen: list[Any] = []

    def poll(descriptors: list[Any]) -> Any:
        seen.append(executor.stats().in_calls)
        seen.append(len(executor.outstanding()))
        return parking()

    with paced(poll) as executor:
        executor.adopt("a")
        parking.wait_for_one()
        assert InThread(executor.stats).outcome().in_calls == 1
        assert len(InThread(executor.outstanding).outcome()) == 1
        parking.let_go()
        assert seen[:2] == [1, 1]


@in_both_modes
@pytest.mark.parametrize("stage", ["with the delegate", "polled"])
def test_the_oldest_age_is_that_of_a_task_in_either_stage(mode: dict[str, Any], stage: str) -> None:
    delegate = DuckDelegate()
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, lambda descriptors: 3600, **mode)
    future = executor.submit(print) if stage == "with the delegate" else executor.adopt("a")
    deadline = time.monotonic() + PATIENCE
    while executor.stats().oldest_age == 0.0:
        assert time.monotonic() < deadline, "it does not grow older"
    future.set_result(None)
    assert executor.stats().oldest_age == 0.0
    executor.shutdown(wait=False)


def test_nothing_is_due_any_more_when_a_round_is_over(clock: PacedClock, poll: NotedPoll) -> None:
    class Closed(RateLimit):
        """Lets calls go when the test says so."""

        is_open = False

        def try_take(self) -> float:
            return 0.0 if self.is_open else 1.0

    limit = Closed(1)
    with paced(poll, batch_size=10, rate_limit=limit, default_interval=inf) as executor:
        executor.adopt_many(range(5))
        clock.run(5)
        assert executor.stats().due == 5
        limit.is_open = True
        executor.notify()
        clock.run()
        assert len(poll.calls) == 1
        assert executor.stats().due == 0
