"""A call of a poll function that failed for some of its tasks: it is as if these had been in a call of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, SomeError

from more_executors import ExceptionRetryPolicy, Executors, PartialFailure, RetryPolicy, Throttled

WHOLE: dict[str, Any] = {}
PACED: dict[str, Any] = {"batch_size": 1000}
either = pytest.mark.parametrize("mode", [WHOLE, PACED], ids=["whole lists", "what is due"])


def polling(poll: Any, **options: Any) -> Any:
    return Executors.sync().with_poll(poll, **{"default_interval": 0.001, "logger": HeardLogger(), **options})


@contextmanager
def polling_together(many: int, poll: Any, **options: Any) -> Iterator[tuple[Any, list[Any]]]:
    """An executor and so many tasks, which come while a call goes on: the next call, the first of `poll`, has all."""
    has_begun, are_there = Event(), Event()

    def poll_first(descriptors: list[Any]) -> None:
        if [one.result for one in descriptors] == [None]:
            has_begun.set()
            assert are_there.wait(PATIENCE)
            descriptors[0].yield_result(None)
        elif descriptors:
            poll(descriptors)

    with polling(poll_first, **options) as executor:
        executor.adopt(None)
        assert has_begun.wait(PATIENCE)
        futures = executor.adopt_many(range(many))
        are_there.set()
        yield executor, futures


@either
def test_tasks_fail_that_it_is_about_and_no_others(mode: dict[str, Any]) -> None:
    errors = {n: SomeError(str(n)) for n in range(0, 20, 3)}

    def poll(descriptors: list[Any]) -> None:
        raise PartialFailure({one: errors[one.result] for one in descriptors if one.result in errors})

    with polling(poll, **mode) as executor:
        futures = executor.adopt_many(range(20))
        for number, error in errors.items():
            assert futures[number].exception(PATIENCE) is error
        assert [future.done() for future in futures] == [n in errors for n in range(20)]
        executor.cancel_all()
        assert executor.stats().errors > 0


@either
def test_the_retry_policy_is_asked_about_these_alone(mode: dict[str, Any]) -> None:
    seen: dict[int, int] = {}
    asked: list[tuple[int, BaseException | None]] = []

    class Policy(RetryPolicy):
        def should_retry(self, attempt: int, future: Any) -> bool:
            asked.append((attempt, future.exception()))
            return attempt < 3

    error = SomeError("now and then")

    def poll(descriptors: list[Any]) -> None:
        failed = {}
        for one in descriptors:
            seen[one.result] = seen.get(one.result, 0) + 1
            if one.result % 2:
                failed[one] = error
            elif seen[one.result] == 5:
                one.yield_result(one.result)
        raise PartialFailure(failed)

    with polling_together(6, poll, retry_policy=Policy(), **mode) as (_, futures):
        assert [futures[n].result(PATIENCE) for n in (0, 2, 4)] == [0, 2, 4]
        assert [str(futures[n].exception(PATIENCE)) for n in (1, 3, 5)] == ["now and then"] * 3
        assert {seen[n] for n in (1, 3, 5)} == {3}
        assert sorted(attempt for attempt, _ in asked) == [1, 2, 3]
        assert {str(cause) for _, cause in asked} == {"now and then"}


@either
def test_throttled_tasks_wait_for_the_longest_pause_that_was_asked_for(mode: dict[str, Any]) -> None:
    begins: list[float] = []

    def poll(descriptors: list[Any]) -> None:
        throttled = {one: Throttled(0.01 * one.result) for one in descriptors if one.result >= 5}
        begins.append(monotonic())
        for one in descriptors:
            if one not in throttled or len(begins) > 1:
                one.yield_result(one.result)
        if len(begins) == 1:
            raise PartialFailure(throttled)

    with polling_together(10, poll, **mode) as (executor, futures):
        assert [future.result(PATIENCE) for future in futures] == list(range(10))
    assert begins[1] - begins[0] >= 0.08
    assert executor.stats().errors == 0
    assert executor.stats().throttled == 1


def test_none_of_them_is_a_success() -> None:
    def poll(descriptors: list[Any]) -> None:
        for one in descriptors:
            one.yield_result(one.result)
        raise PartialFailure({})

    with polling(poll) as executor:
        assert executor.adopt(1).result(PATIENCE) == 1
    assert executor.stats().errors == 0


def test_a_task_of_another_call_is_not_touched() -> None:
    others: list[Any] = []

    def poll(descriptors: list[Any]) -> None:
        for one in descriptors:
            if one.result == "kept":
                others.append(one)
                one.poll_after(3600)
            elif others:
                one.yield_result(1)
                raise PartialFailure({others[0]: SomeError()})

    with polling(poll, batch_size=1) as executor:
        kept = executor.adopt("kept")
        assert executor.adopt("other").result(PATIENCE) == 1
        assert not kept.done()
        kept.cancel()


def test_deadlines_are_kept_whatever_part_of_a_call_fails() -> None:
    def poll(descriptors: list[Any]) -> None:
        raise PartialFailure({one: SomeError() for one in descriptors if one.result % 2})

    policy = ExceptionRetryPolicy(max_attempts=10**9, sleep=0.001, max_sleep=0.001)
    for mode in (WHOLE, PACED):
        with polling(poll, timeout=0.02, retry_policy=policy, **mode) as executor:
            for future in executor.adopt_many(range(10)):
                assert isinstance(future.exception(PATIENCE), TimeoutError)


@pytest.mark.parametrize("errors", [None, [], {"x": SomeError()}, 5])
def test_only_a_mapping_of_descriptors_to_exceptions_can_be_one(errors: Any) -> None:
    with pytest.raises(TypeError, match="errors must be a mapping of descriptors"):
        PartialFailure(errors)


def test_it_says_how_many_and_what() -> None:
    said: list[str] = []

    def poll(descriptors: list[Any]) -> None:
        if not descriptors:
            return
        failure = PartialFailure(dict.fromkeys(descriptors, SomeError()))
        said.append(str(failure))
        with pytest.raises(TypeError, match="not to 'x'"):
            PartialFailure({descriptors[0]: "x"})  # type: ignore[dict-item]
        raise failure

    with polling(poll) as executor:
        assert isinstance(executor.adopt(1).exception(PATIENCE), SomeError)
    assert said[-1] == "1 task could not be asked about: SomeError"
