"""Batches: how many tasks a call gets, which of them together, and whose turn it is."""

from __future__ import annotations

import weakref
from collections import Counter
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, paced, poll_fixture
from support import DuckDelegate, SomeError, Thing

from more_executors import Executors, PollExecutor, SyncExecutor
from more_executors.rate_limit import RateLimit

clock = clock_fixture()
poll = poll_fixture()


def sizes(poll: NotedPoll) -> list[int]:
    return [len(results) for _, results in poll.calls]


@pytest.mark.parametrize(
    ("batch_size", "expected"), [(1, [1] * 10), (4, [4, 4, 2]), (5, [5, 5]), (10, [10]), (11, [10]), (10**18, [10])]
)
def test_a_call_gets_at_most_a_batch(clock: PacedClock, poll: NotedPoll, batch_size: int, expected: list[int]) -> None:
    with paced(poll, batch_size=batch_size, default_interval=3) as executor:
        executor.adopt_many(range(10))
        clock.run()
        poll.calls.clear()
        clock.run(3)
        assert sizes(poll) == expected
        assert Counter(result for _, results in poll.calls for result in results) == Counter(range(10))


def test_a_batch_may_be_large(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, batch_size=9000) as executor:
        executor.adopt_many(range(10_000))
        clock.run()
        poll.calls.clear()
        clock.run(5)
        assert sizes(poll) == [9000, 1000]
        assert len({result for _, results in poll.calls for result in results}) == 10_000


def test_without_a_batch_size_a_call_gets_all_that_is_due(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, batch_size=None, group_by=lambda result: 0) as executor:
        executor.adopt_many(range(10_000))
        clock.run()
        poll.calls.clear()
        executor.notify()
        clock.run()
        assert sizes(poll) == [10_000]


def test_the_methods_that_chain_take_the_same_keywords(clock: PacedClock, poll: NotedPoll) -> None:
    executor = Executors.sync().with_poll(poll, default_interval=3, min_interval=0, batch_size=2)
    try:
        for i in range(4):
            executor.submit(int, i)
        clock.run(3)
        assert max(sizes(poll)) == 2
        assert all(poll.times(i) == [0, 3] for i in range(4))
    finally:
        executor.shutdown(cancel_futures=True)


@pytest.mark.parametrize("option", ["batch_size", "max_concurrency"])
@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-1, ValueError), (2.0, TypeError), ("3", TypeError), (True, TypeError), ([], TypeError)],
)
def test_what_is_no_count_is_refused_by_name(option: str, value: Any, error: type[Exception]) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(error, match=f"{option} must be"):
        PollExecutor(SyncExecutor(), print, **options)


@pytest.mark.parametrize(
    ("option", "value"), [("group_by", 3), ("group_by", "key"), ("rate_limit", 50), ("retry_policy", 3)]
)
def test_options_of_the_wrong_kind_are_refused_by_name(option: str, value: Any) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(TypeError, match=option):
        PollExecutor(SyncExecutor(), print, **options)


def test_what_a_poll_function_does_to_its_list_is_its_own_affair(clock: PacedClock, poll: NotedPoll) -> None:
    poll.does = list.clear
    with paced(poll, batch_size=3) as executor:
        executor.adopt_many(range(5))
        clock.run(5)
        assert all(poll.times(i) == [0, 5] for i in range(5))


# -- groups --------------------------------------------------------------------------------------------------------


def test_a_call_gets_tasks_of_one_group(clock: PacedClock, poll: NotedPoll) -> None:
    asked = []

    def region(result: int) -> str:
        asked.append(result)
        return "north" if result % 3 else "south"

    with paced(poll, batch_size=4, group_by=region) as executor:
        executor.adopt_many(range(20))
        clock.run(10)
        assert asked == list(range(20))
        for _, results in poll.calls:
            assert len({result % 3 == 0 for result in results}) == 1
        assert all(poll.times(i) == [0, 5, 10] for i in range(20))


def test_keys_that_are_equal_are_one_group_and_none_is_one_as_well(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, group_by=lambda result: result) as executor:
        executor.adopt_many([1, None, 1.0, True, None, (), ()])
        clock.run()
        poll.calls.clear()
        clock.run(5)
        assert sorted(map(sorted, ([str(r) for r in results] for _, results in poll.calls))) == [
            ["()", "()"],
            ["1", "1.0", "True"],
            ["None", "None"],
        ]


def test_what_group_by_raises_fails_that_task(clock: PacedClock, poll: NotedPoll) -> None:
    errors = {"bad": SomeError()}

    def key(result: str) -> int:
        if result in errors:
            raise errors[result]
        return 0

    with paced(poll, group_by=key) as executor:
        futures = [*executor.adopt_many(["a", "bad"]), executor.submit(str, "bad"), executor.submit(str, "b")]
        clock.run(5)
        assert futures[1].exception(0) is futures[2].exception(0) is errors["bad"]
        assert poll.times("a") == poll.times("b") == [0, 5]
        assert not poll.times("bad")
        assert len(executor.outstanding()) == 2
    errors["bad"].__traceback__ = None


def test_a_key_that_cannot_be_hashed_fails_its_task(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, group_by=lambda result: [result]) as executor:
        future = executor.submit(str, "a")
        assert isinstance(future.exception(0), TypeError)
        assert isinstance(executor.adopt("a").exception(0), TypeError)
        clock.run(5)
        assert poll.calls == []
        assert executor.stats().outstanding == 0


def test_a_system_exit_out_of_group_by_goes_to_who_adopts(clock: PacedClock, poll: NotedPoll) -> None:
    def key(result: str) -> str:
        if result == "bad":
            raise SystemExit
        return result

    with paced(poll, group_by=key) as executor:
        for adopt in (lambda: executor.adopt("bad"), lambda: executor.adopt_many(["a", "b", "bad"])):
            with pytest.raises(SystemExit):
                adopt()
        stats = executor.stats()
        assert (stats.outstanding, stats.done, stats.cancelled) == (0, 0, 0)


def test_group_by_may_use_the_executor(clock: PacedClock, poll: NotedPoll) -> None:
    keys: list[Any] = []

    def key(result: int) -> int:
        executor.notify()
        if result:
            keys.append(executor.adopt(result - 1))
        return executor.stats().polled * 0

    with paced(poll, group_by=key) as executor:
        executor.adopt(10)
        clock.run()
        assert all(poll.times(i) for i in range(11))
        assert len(keys) == 10
        keys.clear()


def test_groups_take_turns(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, batch_size=10, group_by=lambda result: result // 1000) as executor:
        executor.adopt_many([*range(1000), 1000, 2000])
        clock.run()
        poll.calls.clear()
        clock.run(5)
        groups = [results[0] // 1000 for _, results in poll.calls]
        assert sorted(groups[:3]) == [0, 1, 2]
        assert groups[3:] == [0] * 99


def test_a_group_that_becomes_due_does_not_wait_for_all_that_is_due(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, batch_size=1, group_by=lambda result: result // 1000) as executor:
        executor.adopt_many(range(500))
        executor.adopt_many(range(1000, 1010))
        clock.run()
        poll.calls.clear()
        clock.run(5)
        first = [results[0] // 1000 for _, results in poll.calls[:20]]
        assert Counter(first) == {0: 10, 1: 10}


def test_groups_that_are_over_are_forgotten(clock: PacedClock, poll: NotedPoll) -> None:
    keys: list[Any] = [Thing() for _ in range(3000)]
    alive = [weakref.ref(key) for key in keys]
    poll.does = lambda descriptors: [descriptor.yield_result() for descriptor in descriptors] and None
    with paced(poll, group_by=lambda result: keys.pop()) as executor:
        for _ in range(10):
            executor.adopt_many(range(300))
            clock.run(1)
        poll.descriptors.clear()
        assert not keys
        assert sum(key() is not None for key in alive) <= 64
        assert executor.stats().done == 3000
        keys += [Thing() for _ in range(100)]
        executor.adopt_many(range(5000, 5100))
        clock.run()
        assert all(poll.times(i) for i in range(5000, 5100))


def test_a_group_that_is_over_may_come_again(clock: PacedClock, poll: NotedPoll) -> None:
    poll.does = lambda descriptors: [descriptor.yield_result() for descriptor in descriptors] and None
    with paced(poll, group_by=lambda result: result) as executor:
        for _ in range(5):
            futures = executor.adopt_many(range(200))
            clock.run(1)
            assert all(future.done() for future in futures)


def test_a_rate_limit_makes_no_batches(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, batch_size=None, rate_limit=RateLimit(1e6, clock=lambda: clock.now)) as executor:
        executor.adopt_many(range(1000))
        clock.run(1)
        poll.calls.clear()
        executor.notify()
        clock.run()
        assert sizes(poll) == [1000]


def test_groups_of_what_is_cancelled_as_it_joins_are_forgotten(clock: PacedClock, poll: NotedPoll) -> None:
    alive: list[weakref.ref[Any]] = []

    def group_by(number: int) -> Thing:
        if number < 300:
            assert futures[number].cancel()
        alive.append(weakref.ref(key := Thing()))
        return key

    delegate = DuckDelegate()
    with PollExecutor(delegate, poll, group_by=group_by, min_interval=0.0) as executor:
        futures = [executor.submit(int) for _ in range(300)]
        for number, given in enumerate(delegate.given):
            given.agrees_to_cancel = True
            given.end(number)
        last = executor.adopt(300)
        clock.run(1)
        assert poll.calls == [(0.0, [300])]
        assert sum(key() is not None for key in alive) <= 64
        last.cancel()
