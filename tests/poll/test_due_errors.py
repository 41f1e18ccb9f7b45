"""Calls that fail: they concern their own batch, and what becomes of that is for the retry policy to say."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from math import inf, nan
from typing import Any

import pytest
from paced_support import (
    NotedPolicy,
    NotedPoll,
    PacedClock,
    clock_fixture,
    failing,
    in_both_modes,
    paced,
    poll_fixture,
)
from support import HeardLogger, SomeError

from more_executors.retry import ExceptionRetryPolicy, RetryPolicy

clock = clock_fixture()
poll = poll_fixture()


def test_without_a_policy_the_batch_fails_with_the_exception(clock: PacedClock, poll: NotedPoll) -> None:
    error = SomeError()
    failing(poll, 2, error=lambda: error)
    with paced(poll, batch_size=2, logger=HeardLogger()) as executor:
        futures = executor.adopt_many(range(6))
        clock.run()
        failed = [future for future in futures if future.done()]
        assert 1 <= len(failed) <= 2
        assert all(type(future.exception()) is SomeError for future in failed)
        clock.run(5)
        assert sum(future.done() for future in futures) == len(failed)
        del futures, failed
    error.__traceback__ = None


@in_both_modes
def test_a_call_that_fails_is_tried_again_after_the_policys_time(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    policy = NotedPolicy(seconds=3)
    with paced(poll, retry_policy=policy, logger=HeardLogger(), **mode) as executor:
        clock.run()
        future = executor.adopt("a")
        clock.run(4)
        number = len(poll.calls)
        failing(poll, number + 1, number + 2)
        clock.run(7)
        assert poll.times("a") == [0, 5, 8, 11]
        assert policy.asked == [1, 2]
        assert policy.errors == {SomeError}
        assert not future.done()


@in_both_modes
def test_tasks_end_when_the_policy_says_so(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    policy = NotedPolicy(most=3, seconds=1)
    with paced(poll, retry_policy=policy, logger=HeardLogger(), **mode) as executor:
        clock.run()
        before = len(poll.calls)
        failing(poll, *range(100))
        futures = executor.adopt_many(list("ab"))
        clock.run(10)
        assert all(isinstance(future.exception(0), SomeError) for future in futures)
        assert set(policy.asked) == {1, 2, 3}
        assert executor.stats().errors == len(poll.calls) - before


def test_the_policy_is_asked_once_per_count_in_a_batch(clock: PacedClock, poll: NotedPoll) -> None:
    policy = NotedPolicy(most=3, seconds=50)
    with paced(poll, retry_policy=policy, default_interval=50, logger=HeardLogger()) as executor:

        def fail_all(times: int) -> None:
            for _ in range(times):
                failing(poll, len(poll.calls) + 1)
                executor.notify()
                clock.run()

        old = executor.adopt_many(range(100))
        clock.run()
        fail_all(2)
        assert policy.asked == [1, 2]
        poll.does = lambda descriptors: None
        new = executor.adopt_many(range(100, 150))
        clock.run()
        fail_all(1)
        assert sorted(policy.asked) == [1, 1, 2, 3]
        assert all(future.done() for future in old)
        assert not any(future.done() for future in new)


def test_counts_are_each_tasks_own_and_success_sets_them_back(clock: PacedClock, poll: NotedPoll) -> None:
    bad = {"a"}

    def does(descriptors: list[Any]) -> None:
        if bad & {descriptor.result for descriptor in descriptors}:
            raise SomeError

    poll.does = does
    policy = NotedPolicy(most=4, seconds=1)
    with paced(poll, group_by=str, retry_policy=policy, default_interval=1, logger=HeardLogger()) as executor:
        executor.adopt_many(list("ab"))
        clock.run(2)
        assert (poll.descriptors["a"].failures, poll.descriptors["b"].failures) == (3, 0)
        assert {task.result: task.failures for task in executor.outstanding()} == {"a": 3, "b": 0}
        bad.clear()
        clock.run(1)
        assert poll.descriptors["a"].failures == 0
        bad.add("a")
        clock.run(3)
        assert {task.result: (task.polls, task.failures) for task in executor.outstanding()} == {
            "a": (7, 3),
            "b": (7, 0),
        }
        clock.run(1)
        assert [task.result for task in executor.outstanding()] == ["b"]


def test_only_the_batch_that_failed_is_concerned(clock: PacedClock, poll: NotedPoll) -> None:
    def does(descriptors: list[Any]) -> None:
        if descriptors[0].result % 10 == 0:
            raise SomeError

    poll.does = does
    with paced(poll, group_by=lambda i: i % 10, retry_policy=NotedPolicy(seconds=2), logger=HeardLogger()) as executor:
        executor.adopt_many(range(100))
        clock.run(6)
        assert all(poll.times(i) == ([0, 2, 4, 6] if i % 10 == 0 else [0, 5]) for i in range(100))


@pytest.mark.parametrize("seconds", [-1, -inf, 0])
def test_a_negative_sleep_time_is_none(clock: PacedClock, poll: NotedPoll, seconds: float) -> None:
    def does(descriptors: list[Any]) -> None:
        clock.leap(0.5)
        if len(poll.calls) == 1:
            raise SomeError

    poll.does = does
    with paced(poll, retry_policy=NotedPolicy(seconds=seconds), logger=HeardLogger()) as executor:
        executor.adopt("a")
        clock.run(1)
        assert poll.times("a") == [0, 0.5]


def test_an_infinite_sleep_time_is_until_notify(clock: PacedClock, poll: NotedPoll) -> None:
    failing(poll, 1)
    with paced(poll, retry_policy=NotedPolicy(seconds=inf), logger=HeardLogger()) as executor:
        executor.adopt("a")
        clock.run(1e6)
        executor.notify()
        clock.run()
        assert poll.times("a") == [0, 1e6]


class Broken(RetryPolicy):
    """A policy `method` of which does as `does`."""

    def __init__(self, method: str, does: Callable[[], Any]) -> None:
        self.method = method
        self.does = does

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        return self.does() if self.method == "should_retry" else True

    def sleep_time(self, attempt: int, future: Future[Any]) -> Any:
        return self.does()


def raising(error: type[BaseException]) -> Callable[[], Any]:
    def does() -> Any:
        raise error

    return does


@pytest.mark.parametrize(
    ("method", "does"),
    [
        ("should_retry", raising(SomeError)),
        ("should_retry", raising(SystemExit)),
        ("sleep_time", raising(SomeError)),
        ("sleep_time", lambda: nan),
        ("sleep_time", lambda: None),
        ("sleep_time", lambda: "x"),
    ],
)
def test_a_policy_that_does_not_answer_is_logged_and_the_batch_fails(
    clock: PacedClock, poll: NotedPoll, method: str, does: Callable[[], Any]
) -> None:
    logger = HeardLogger()
    failing(poll, 1, error=lambda: KeyError("call"))
    with paced(poll, retry_policy=Broken(method, does), logger=logger) as executor:
        future = executor.adopt("a")
        clock.run()
        assert isinstance(future.exception(0), KeyError)
    (line,) = logger.of_level("ERROR")
    assert line.startswith("Exception while evaluating retry policy <")


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
@in_both_modes
def test_a_system_exit_out_of_the_poll_function_is_a_failure_like_others(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any], error: type[BaseException]
) -> None:
    logger, policy = HeardLogger(), NotedPolicy(seconds=1)
    with paced(poll, retry_policy=policy, logger=logger, **mode) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=error)
        executor.adopt("a")
        clock.run(1)
        assert poll.times("a") == [0, 1]
        assert (policy.asked, policy.errors) == ([1], {error})
    assert len(logger.of_level("ERROR")) == 1


@in_both_modes
def test_the_first_failure_of_a_row_is_a_warning(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    logger = HeardLogger()
    with paced(poll, retry_policy=NotedPolicy(seconds=1), default_interval=1, logger=logger, **mode) as executor:
        clock.run()
        begun = len(poll.calls)
        failing(poll, *(begun + i for i in (1, 2, 3, 4, 6, 7, 8)))
        executor.adopt("a")
        clock.run(10)
        assert executor.stats().errors == executor._poll_table.counters.call_errors == 7
    assert [level for level, _, _ in logger.lines] == ["WARNING"] * 2
    assert all(isinstance(error, SomeError) for _, _, error in logger.lines)
    for _, _, error in logger.lines:
        assert error is not None
        error.__traceback__ = None


def test_the_policies_of_retry_executors_will_do(clock: PacedClock, poll: NotedPoll) -> None:
    failing(poll, 1, 2, 3, 4)
    policy = ExceptionRetryPolicy(max_attempts=4, sleep=1.0, exponent=2.0, exception_base=SomeError)
    with paced(poll, retry_policy=policy, logger=HeardLogger()) as executor:
        future = executor.adopt("a")
        clock.run(7)
        assert poll.times("a") == [0, 1, 3, 7]
        assert isinstance(future.exception(0), SomeError)
