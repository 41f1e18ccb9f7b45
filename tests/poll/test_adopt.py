"""Adopting: futures for tasks that exist already, and for which the delegate is not asked."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait
from math import inf, nan
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, in_both_modes, paced, poll_fixture
from support import PATIENCE, DuckDelegate, Hostile, InThread, SomeError, said

from more_executors import Executors, PollExecutor
from more_executors._core import Future

clock = clock_fixture()
poll = poll_fixture()


def resolve(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(("done", descriptor.result))
    return inf


@in_both_modes
def test_what_is_adopted_is_polled_and_resolved_like_what_is_submitted(mode: dict[str, Any]) -> None:
    with paced(resolve, **mode) as executor:
        future = executor.adopt("a")
        assert type(future) is Future
        assert future.result(PATIENCE) == ("done", "a")
        assert [f.result(PATIENCE) for f in executor.adopt_many(["b", "c"])] == [("done", "b"), ("done", "c")]
    stats = executor.stats()  # while it is not shut down, the last may not have been counted yet
    assert (stats.done, stats.outstanding) == (3, 0)


def test_the_delegate_is_not_asked(poll: NotedPoll) -> None:
    delegate = DuckDelegate()
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, poll)
    futures = [executor.adopt("a"), *executor.adopt_many(list("bc"))]
    assert delegate.submitted == []
    executor.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)


@in_both_modes
def test_any_iterable_will_do_and_the_order_is_kept(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    with paced(poll, **mode) as executor:
        clock.run()
        for results in ([], (), iter([]), {}, range(0)):
            assert executor.adopt_many(results) == []
        futures = executor.adopt_many(str(i) for i in range(2000))
        clock.run()
        for i in range(2000):
            poll.descriptors.pop(str(i)).yield_result(i)
        assert [future.result(0) for future in futures] == list(range(2000))


@in_both_modes
def test_the_value_is_only_handed_over(clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]) -> None:
    seen: list[Any] = []

    def note(descriptors: list[Any]) -> None:
        seen.extend(descriptors)

    value = Hostile()
    with paced(note, **mode) as executor:
        executor.adopt(value)
        clock.run()
        assert seen[0].result is value
        seen.clear()


def test_equal_values_are_different_tasks(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll) as executor:
        futures = executor.adopt_many(["a", "a"])
        clock.run()
        poll.finish("a")
        assert sum(future.done() for future in futures) == 1


@pytest.mark.parametrize("results", [None, 3, object()])
def test_what_is_not_iterable_is_refused(poll: NotedPoll, results: Any) -> None:
    with paced(poll) as executor:
        with pytest.raises(TypeError, match="iterable"):
            executor.adopt_many(results)
        assert executor.stats().outstanding == 0


def test_an_iterable_that_raises_leaves_nothing(clock: PacedClock, poll: NotedPoll) -> None:
    def results() -> Iterator[str]:
        yield "a"
        raise SomeError

    with paced(poll) as executor:
        with pytest.raises(SomeError):
            executor.adopt_many(results())
        clock.run(10)
        assert poll.calls == []
        stats = executor.stats()
        assert (stats.outstanding, stats.done) == (0, 0)


@pytest.mark.parametrize(
    ("timeout", "error"), [(-1, ValueError), (nan, ValueError), ("1", TypeError), ([], TypeError), (1j, TypeError)]
)
@pytest.mark.parametrize("adopt", [PollExecutor.adopt, PollExecutor.adopt_many])
def test_what_is_no_timeout_is_refused(
    poll: NotedPoll, adopt: Callable[..., Any], timeout: Any, error: type[Exception]
) -> None:
    with paced(poll) as executor:
        with pytest.raises(error, match="timeout must be"):
            adopt(executor, ("a", "b"), timeout=timeout)
        assert executor.stats().outstanding == 0


@pytest.mark.parametrize("adopt", [PollExecutor.adopt, PollExecutor.adopt_many])
def test_after_shutdown_nothing_is_adopted(poll: NotedPoll, adopt: Callable[..., Any]) -> None:
    with paced(poll) as executor:
        executor.shutdown()
        with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
            adopt(executor, ("a", "b"))
        assert executor.stats().outstanding == 0


def test_nothing_to_adopt_is_no_error_after_shutdown(poll: NotedPoll) -> None:
    with paced(poll) as executor:
        executor.shutdown()
        assert executor.adopt_many([]) == []


def test_a_shutdown_between_two_of_many_takes_back_the_first() -> None:
    def key(result: str) -> int:
        if result == "b":
            InThread(executor.shutdown, False).outcome()
        return 0

    calls: list[Any] = []
    with paced(calls.append, group_by=key, min_interval=3600, default_interval=inf) as executor:
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.adopt_many(list("abc"))
        stats = executor.stats()
        assert (stats.outstanding, stats.done, stats.cancelled) == (0, 0, 0)
    calls.clear()


# -- timeouts ------------------------------------------------------------------------------------------------------


@in_both_modes
def test_an_adopted_task_has_the_timeout_it_was_given_else_the_executors(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    with paced(poll, timeout=20, default_interval=inf, **mode) as executor:
        futures = {
            "executor's": executor.adopt(0),
            "longer": executor.adopt(1, timeout=30),
            "shorter": executor.adopt(2, timeout=10.5),
            "never": executor.adopt(3, timeout=inf),
            "many": executor.adopt_many([4], timeout=15)[0],
            "at once": executor.adopt(5, timeout=0),
        }
        ended: dict[str, float] = {}
        for _ in range(80):
            clock.run(0.5)
            clock.wait_for_calls(executor)
            for name, future in futures.items():
                if future.done():
                    ended.setdefault(name, clock.now)
        assert all(type(futures[name].exception(0)) is builtins.TimeoutError for name in ended)
        assert ended.pop("at once") <= 1  # its last look is in the first call, or in the one after that
        assert ended == {"executor's": 20, "longer": 30, "shorter": 10.5, "many": 15}
        assert executor.stats().outstanding == 1


def test_without_a_timeout_there_is_none(clock: PacedClock, poll: NotedPoll) -> None:
    with paced(poll, default_interval=inf) as executor:
        without, timed = executor.adopt("a"), executor.adopt("b", timeout=1)
        clock.run(1e9)
        assert (without.done(), timed.done()) == (False, True)


# -- as a future ---------------------------------------------------------------------------------------------------


@in_both_modes
def test_an_adopted_task_is_cancelled_as_cancel_fn_says(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    asked: list[Any] = []
    with paced(poll, cancel_fn=lambda result: asked.append(result) or result == "yes", **mode) as executor:
        yes, no = executor.adopt_many(["yes", "no"])
        assert (yes.running(), no.running()) == (False, False)
        assert (yes.cancel(), no.cancel()) == (True, False)
        assert asked == ["yes", "no"]
        assert said(yes) is CancelledError
        poll.calls.clear()
        executor.notify()
        clock.run()
        assert poll.calls[-1][1] == ["no"]
        poll.finish("no")
        assert no.result(0) is None


def test_adopted_tasks_are_at_the_foot_of_chains() -> None:
    with paced(resolve) as executor:
        mapped = Executors.with_map(executor, lambda result: result[1] * 2)
        assert mapped.submit(lambda: "a").result(PATIENCE) == "aa"
        done, pending = wait(executor.adopt_many(range(100)), PATIENCE)
        assert (len(done), len(pending)) == (100, 0)


def test_threads_may_adopt_at_once() -> None:
    with paced(resolve, batch_size=50, max_concurrency=2) as executor:
        threads = [InThread(executor.adopt_many, range(i, 4000, 4)) for i in range(4)]
        results = [future.result(PATIENCE)[1] for thread in threads for future in thread.outcome()]
        assert sorted(results) == list(range(4000))
