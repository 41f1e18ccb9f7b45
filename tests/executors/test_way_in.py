"""An executor on top of another one of ours submits to it without a call of Python, or calls what stands there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from support import PATIENCE, SomeError

from more_executors import ExceptionRetryPolicy, Executors, f_return, pools


def resolve(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


BELOW: dict[str, Callable[[], Any]] = {
    "sync": Executors.sync,
    "thread_pool": lambda: Executors.thread_pool(1),
    "map": lambda: Executors.thread_pool(1).with_map(int),
    "flat_map": lambda: Executors.thread_pool(1).with_flat_map(f_return),
    "poll": lambda: Executors.thread_pool(1).with_poll(resolve),
    "retry": lambda: Executors.thread_pool(1).with_retry(sleep=0.0),
    "throttle": lambda: Executors.thread_pool(1).with_throttle(1),
    "blocking throttle": lambda: Executors.thread_pool(1).with_throttle(1, block=True),
    "timeout": lambda: Executors.thread_pool(1).with_timeout(600),
    "cancel_on_shutdown": lambda: Executors.thread_pool(1).with_cancel_on_shutdown(),
}
ABOVE: dict[str, Callable[[Any], Any]] = {
    "map": lambda below: below.with_map(int),
    "retry": lambda below: below.with_retry(sleep=0.0),
    "throttle": lambda below: below.with_throttle(2),
    "timeout": lambda below: below.with_timeout(600),
}


def given(*args: Any, **kwargs: Any) -> int:
    return sum(args) + sum(kwargs.values())


@pytest.fixture(params=BELOW, ids=str)
def lower(request: pytest.FixtureRequest) -> str:
    """Which one is below: an executor in a fixture would be alive when it is looked at what is left."""
    name: str = request.param
    return name


@pytest.fixture(params=ABOVE, ids=str)
def upper(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def made(lower: str, upper: str) -> tuple[Any, Any]:
    below = BELOW[lower]()
    return below, ABOVE[upper](below)


def test_arguments_get_there(lower: str, upper: str) -> None:
    _, above = made(lower, upper)
    with above:
        assert above.submit(given).result(PATIENCE) == 0
        assert above.submit(given, 1, 2).result(PATIENCE) == 3
        assert above.submit(given, 1, self=2, fn=3).result(PATIENCE) == 6
        assert type(above.submit(int, "x").exception(PATIENCE)) is ValueError


def test_what_is_put_over_the_submit_of_an_executor_is_called(lower: str, upper: str) -> None:
    below, above = made(lower, upper)
    ready = f_return(7)
    with above:
        with mock.patch.object(below, "submit", return_value=ready) as submit:
            assert above.submit(given, 1, b=2).result(PATIENCE) == 7
        submit.assert_called_once_with(given, 1, b=2)
        assert above.submit(given, 1).result(PATIENCE) == 1


def test_what_is_put_over_the_submit_of_a_class_is_called(lower: str, upper: str) -> None:
    below, above = made(lower, upper)
    seen: list[Any] = []

    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        seen.append((fn, args, kwargs))
        return f_return(7)

    with above:
        with mock.patch.object(type(below), "submit", submit):
            assert above.submit(given, 1, b=2).result(PATIENCE) == 7
        assert seen == [(given, (1,), {"b": 2})]
        assert above.submit(given, 1).result(PATIENCE) == 1


def test_a_subclass_with_a_submit_of_its_own_is_asked() -> None:
    class Pool(pools.ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(lambda: 2 * fn(*args, **kwargs))

    with Pool(1).with_map(str) as executor:
        assert executor.submit(given, 4).result(PATIENCE) == "8"


def test_a_replaced_submit_of_the_standard_library_is_called_from_above(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    original = ThreadPoolExecutor.submit

    def traced(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        seen.append(fn)
        return original(self, fn, *args, **kwargs)

    with Executors.thread_pool(1).with_map(str) as executor:
        monkeypatch.setattr(ThreadPoolExecutor, "submit", traced)
        assert executor.submit(given, 1, b=2).result(PATIENCE) == "3"
        monkeypatch.undo()
        assert executor.submit(int).result(PATIENCE) == "0"
    assert seen == [given]


def test_after_the_shutdown_below_it_says_so(lower: str, upper: str) -> None:
    below, above = made(lower, upper)
    below.shutdown()
    try:
        future: Future[Any] = above.submit(given)
    except RuntimeError as error:
        assert "after shutdown" in str(error)  # noqa: PT017
    else:
        assert "after shutdown" in str(future.exception(PATIENCE))
    above.shutdown()


def test_a_chain_may_be_longer_than_the_stack_is_deep() -> None:
    """It works, or there is a RecursionError, and then no future is left."""
    top: Any = Executors.sync()
    chain = [top]
    for _ in range(sys.getrecursionlimit() + 100):
        top = top.with_map(int)
        chain.append(top)
    try:
        assert top.submit(int).result(PATIENCE) == 0
    except RecursionError as error:
        error.__traceback__ = None
    assert sum(len(executor._table) for executor in chain[1:]) == 0


# -- policies that are not asked ---------------------------------------------------------------------------------------


class Counting(ExceptionRetryPolicy):
    """Counts how often it was asked."""

    asked = 0

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        self.asked += 1
        return super().should_retry(attempt, future)


def test_a_policy_of_a_users_is_asked_about_results_too() -> None:
    policy = Counting()
    with Executors.sync().with_retry(retry_policy=policy) as executor:
        assert executor.submit(int).result(PATIENCE) == 0
    assert policy.asked == 1


def test_so_is_what_a_program_puts_in_the_place_of_ours() -> None:
    policy = ExceptionRetryPolicy()
    with Executors.sync().with_retry(retry_policy=policy) as executor:
        with mock.patch.object(policy, "should_retry", return_value=False) as asked:
            assert executor.submit(int).result(PATIENCE) == 0
        asked.assert_called_once()
        with mock.patch.object(ExceptionRetryPolicy, "should_retry", autospec=True, return_value=False) as asked:
            assert executor.submit(int).result(PATIENCE) == 0
        asked.assert_called_once()


def test_ours_retries_what_raised() -> None:
    attempts: list[int] = []

    def fail_once() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise SomeError
        return "done"

    with Executors.sync().with_retry(sleep=0.0) as executor:
        assert executor.submit(fail_once).result(PATIENCE) == "done"
    assert len(attempts) == 2
