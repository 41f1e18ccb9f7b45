"""Retry policies: what the ready-made ones say, and what becomes of an answer that cannot be used."""

from __future__ import annotations

import concurrent.futures
import inspect
from concurrent.futures import Future
from math import inf, nan
from typing import Any

import pytest
from retry_support import Clock, Deciding, Scripted, WatchedDelegate, retrying
from support import FOREVER, PATIENCE, HeardLogger, SomeError, listening_to

from more_executors import ExceptionRetryPolicy, RetryExecutor, RetryPolicy, SyncExecutor, f_return, f_return_error


def failed(error: BaseException | None = None) -> Future[Any]:
    return f_return_error(error or SomeError())


# -- the base class -----------------------------------------------------------------------------------------------


def test_the_base_policy_never_retries_and_would_not_wait() -> None:
    policy = RetryPolicy()
    assert policy.should_retry(1, failed()) is False
    assert policy.sleep_time(1, failed()) == 0


def test_with_the_base_policy_the_first_attempt_is_the_last() -> None:
    error = SomeError()
    with RetryExecutor(SyncExecutor(), RetryPolicy()) as executor:
        assert executor.submit(raising(error)).exception(PATIENCE) is error


def raising(*errors: BaseException) -> Any:
    """A function that raises one after the other of `errors`, and then returns how often it was called."""
    left = iter(errors)

    def fn() -> int:
        for error in left:
            raise error
        return len(errors) + 1

    return fn


# -- ExceptionRetryPolicy -----------------------------------------------------------------------------------------


def test_its_arguments_are_keywords_with_the_defaults_of_the_contract() -> None:
    parameters = inspect.signature(ExceptionRetryPolicy).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "max_attempts": 3,
        "exponent": 2.0,
        "sleep": 1.0,
        "max_sleep": 120,
        "exception_base": Exception,
    }
    assert issubclass(ExceptionRetryPolicy, RetryPolicy)
    with pytest.raises(TypeError):
        ExceptionRetryPolicy(3)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({}, [1, 2, 4, 8, 16, 32, 64, 120, 120]),
        ({"sleep": 0.5, "exponent": 3}, [0.5, 1.5, 4.5, 13.5, 40.5, 120, 120]),
        ({"sleep": 5, "exponent": 1}, [5, 5, 5]),
        ({"sleep": 8, "exponent": 0.5}, [8, 4, 2, 1, 0.5]),
        ({"sleep": 8, "exponent": 0}, [8, 0, 0]),
        ({"sleep": 0}, [0, 0, 0]),
        ({"sleep": 10, "max_sleep": 7}, [7, 7]),
        ({"max_sleep": 0}, [0, 0]),
        ({"max_sleep": inf, "exponent": 10}, [1, 10, 100, 1000]),
    ],
)
def test_pauses_grow_by_the_exponent_up_to_max_sleep(keywords: dict[str, Any], expected: list[float]) -> None:
    policy = ExceptionRetryPolicy(**keywords)
    assert [policy.sleep_time(attempt, failed()) for attempt in range(1, len(expected) + 1)] == expected


def test_a_pause_too_long_for_a_float_is_max_sleep() -> None:
    assert ExceptionRetryPolicy().sleep_time(5000, failed()) == 120
    assert ExceptionRetryPolicy(max_sleep=inf).sleep_time(5000, failed()) == inf


@pytest.mark.parametrize(
    ("max_attempts", "expected"),
    [(3, [True, True, False, False]), (1, [False] * 4), (0, [False] * 4), (inf, [True] * 4)],
)
def test_there_are_max_attempts_in_all(max_attempts: Any, expected: list[bool]) -> None:
    policy = ExceptionRetryPolicy(max_attempts=max_attempts)
    assert [policy.should_retry(attempt, failed()) for attempt in range(1, 5)] == expected


@pytest.mark.parametrize(
    ("base", "error", "expected"),
    [
        (Exception, SomeError(), True),
        (Exception, SystemExit(), False),
        (BaseException, SystemExit(), True),
        (OSError, FileNotFoundError(), True),
        (OSError, SomeError(), False),
        ((OSError, SomeError), SomeError(), True),
        ([OSError, SomeError], FileNotFoundError(), True),
        ({OSError, KeyError}, SomeError(), False),
    ],
)
def test_what_is_an_instance_of_exception_base_is_retried(base: Any, error: BaseException, expected: bool) -> None:
    assert ExceptionRetryPolicy(exception_base=base).should_retry(1, failed(error)) is expected


def test_a_sequence_of_exceptions_that_can_be_read_once_is_used_again_and_again() -> None:
    policy = ExceptionRetryPolicy(exception_base=(base for base in (OSError, SomeError)))
    assert [policy.should_retry(1, failed()) for _ in range(2)] == [True, True]


def test_a_success_is_not_retried() -> None:
    assert ExceptionRetryPolicy().should_retry(1, f_return(None)) is False
    assert ExceptionRetryPolicy().should_retry(1, f_return(SomeError())) is False


@pytest.mark.parametrize("name", ["max_attempts", "exponent", "sleep", "max_sleep"])
@pytest.mark.parametrize(("value", "kind"), [("3", TypeError), (None, TypeError), (-1, ValueError), (nan, ValueError)])
def test_a_number_that_cannot_be_used_is_named(name: str, value: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=name):
        ExceptionRetryPolicy(**{name: value})


@pytest.mark.parametrize("value", [None, 42, int, (SomeError, int), SomeError()])
def test_an_exception_base_that_is_no_exception_class_raises_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        ExceptionRetryPolicy(exception_base=value)


def test_a_subclass_may_override_one_method() -> None:
    class OnceMore(ExceptionRetryPolicy):
        def sleep_time(self, attempt: int, future: Future[Any]) -> float:
            return 0

    with RetryExecutor(SyncExecutor(), OnceMore(max_attempts=4)) as executor:
        assert executor.submit(raising(*[SomeError()] * 3)).result(PATIENCE) == 4


# -- keywords of the executor -------------------------------------------------------------------------------------


def test_keywords_of_the_executor_make_an_exception_retry_policy() -> None:
    with RetryExecutor(SyncExecutor(), max_attempts=5, sleep=0, exception_base=[SomeError]) as executor:
        assert executor.submit(raising(*[SomeError()] * 4)).result(PATIENCE) == 5
        assert type(executor.submit(raising(*[SomeError()] * 5)).exception(PATIENCE)) is SomeError
        assert type(executor.submit(raising(KeyError())).exception(PATIENCE)) is KeyError


def test_without_a_policy_there_are_three_attempts_one_and_two_seconds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, delegate = Clock(monkeypatch), WatchedDelegate()
    with retrying(delegate) as executor:
        assert clock.sleep() == FOREVER
        future = executor.submit(int)
        assert clock.sleep() == FOREVER
        for pause in (1, 2):
            delegate.next().set_exception(SomeError())
            assert clock.sleep() == pause
            assert clock.set_on(pause, executor) == FOREVER
        assert not future.done()
        delegate.next().set_exception(SomeError())
        assert type(future.exception(0)) is SomeError


def test_a_policy_wins_over_keywords() -> None:
    policy = Scripted(0)
    with RetryExecutor(SyncExecutor(), policy, max_attempts=1) as executor:
        assert executor.submit(raising(SomeError())).result(PATIENCE) == 2


@pytest.mark.parametrize("keywords", [{"max_attempts": "3"}, {"unknown": 1}])
def test_keywords_that_cannot_be_used_start_no_thread(keywords: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(keywords))):
        RetryExecutor(SyncExecutor(), **keywords)


@pytest.mark.parametrize("policy", [42, object(), int])
def test_what_is_no_policy_raises_a_type_error(policy: Any) -> None:
    with pytest.raises(TypeError, match="retry_policy"):
        RetryExecutor(SyncExecutor(), policy)
    with RetryExecutor(SyncExecutor()) as executor:
        with pytest.raises(TypeError, match="retry_policy"):
            executor.submit_retry(policy, int)


def test_anything_with_both_methods_is_a_policy() -> None:
    class Duck:
        def should_retry(self, attempt: int, future: Any) -> bool:
            return attempt < 2

        def sleep_time(self, attempt: int, future: Any) -> float:
            return 0

    duck: Any = Duck()
    with RetryExecutor(SyncExecutor(), duck) as executor:
        assert executor.submit(raising(SomeError())).result(PATIENCE) == 2


# -- what it is asked ---------------------------------------------------------------------------------------------


def test_a_policy_is_given_the_number_of_the_attempt_and_its_done_future() -> None:
    policy, delegate = Scripted(0, 0), WatchedDelegate()
    with retrying(delegate, policy) as executor:
        future = executor.submit(int)
        given = []
        for end in (lambda f: f.set_exception(SomeError()), lambda f: f.set_result(2), lambda f: f.set_result(3)):
            given.append(delegate.next())
            end(given[-1])
        assert future.result(0) == 3
        assert policy.asked == [(1, given[0]), (2, given[1]), (3, given[2])]
        assert policy.timed == policy.asked[:2]
        assert all(isinstance(f, concurrent.futures.Future) and f.done() for _, f in policy.asked)


def test_a_success_may_be_retried_too() -> None:
    policy = Deciding(lambda attempt, future: future.result(0) < 3)
    count = iter(range(10))
    with RetryExecutor(SyncExecutor(), policy) as executor:
        assert executor.submit(lambda: next(count)).result(PATIENCE) == 3


# -- answers that cannot be used ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["should_retry", "sleep_time"])
@pytest.mark.parametrize("kind", [SomeError, SystemExit])
@pytest.mark.parametrize("after", [0, 1])
def test_a_policy_that_raises_is_logged_and_ends_the_retries(
    method: str, kind: type[BaseException], after: int
) -> None:
    error, logger = kind("of the policy"), HeardLogger()
    policy = Scripted(*[0] * after, error, at=method)
    last = SomeError("last")
    with RetryExecutor(SyncExecutor(), policy, logger) as executor:
        future = executor.submit(raising(*[SomeError()] * after, last, last))
        assert future.exception(PATIENCE) is last
        assert executor.submit_retry(RetryPolicy(), int).result(PATIENCE) == 0
    assert logger.lines == [("ERROR", f"Exception while evaluating retry policy {policy!r}", error)]


def test_by_default_that_is_logged_to_the_logger_called_after_the_class() -> None:
    policy = Scripted(SomeError())
    with listening_to("RetryExecutor") as heard, RetryExecutor(SyncExecutor(), policy) as executor:
        assert executor.submit(int).result(PATIENCE) == 0
    assert heard.of_level("ERROR") == [f"Exception while evaluating retry policy {policy!r}"]
    assert len(heard.lines) == 1


def test_a_policy_that_raises_after_a_success_leaves_the_success() -> None:
    logger = HeardLogger()
    with RetryExecutor(SyncExecutor(), Scripted(SomeError(), at="should_retry"), logger) as executor:
        assert executor.submit(int, 5).result(PATIENCE) == 5
    assert len(logger.lines) == 1


@pytest.mark.parametrize("seconds", [None, "soon", nan, 1j], ids=["None", "str", "nan", "complex"])
def test_a_sleep_time_that_is_no_time_is_logged_and_ends_the_retries(seconds: Any) -> None:
    logger, policy, error = HeardLogger(), Deciding(sleep_time=lambda attempt, future: seconds), SomeError()
    with RetryExecutor(SyncExecutor(), policy, logger) as executor:
        assert executor.submit(raising(error)).exception(PATIENCE) is error
    assert logger.of_level("ERROR") == [f"Exception while evaluating retry policy {policy!r}"]


@pytest.mark.parametrize("seconds", [-1, -1e300, -inf, 0, False])
def test_a_sleep_time_that_is_not_positive_is_none_at_all(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    clock, logger, delegate = Clock(monkeypatch), HeardLogger(), WatchedDelegate()
    with retrying(delegate, Scripted(seconds), logger) as executor:
        future = executor.submit(int)
        delegate.next().set_exception(SomeError())
        delegate.next().set_result("at once")
        assert future.result(0) == "at once"
    assert logger.lines == []
    assert clock.now == 1000.0


@pytest.mark.parametrize("seconds", [inf, 10**400], ids=["inf", "overflow"])
def test_an_infinite_sleep_time_waits_until_the_future_is_cancelled(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    clock, delegate = Clock(monkeypatch), WatchedDelegate()
    with retrying(delegate, Scripted(seconds)) as executor:
        assert clock.sleep() == FOREVER
        future, other = executor.submit(int), None
        delegate.next().set_exception(SomeError())
        assert clock.set_on(1e9, executor) == FOREVER
        assert not future.done()
        other = executor.submit_retry(RetryPolicy(), int)
        delegate.next().set_result("others go on")
        assert other.result(0) == "others go on"
        assert future.cancel() is True


@pytest.mark.parametrize("truth", [1, "yes", [0]], ids=repr)
def test_whether_to_retry_is_a_truth_value(truth: object) -> None:
    answers = iter([truth, None])
    with RetryExecutor(SyncExecutor(), Deciding(lambda attempt, future: next(answers))) as executor:
        assert executor.submit(raising(SomeError())).result(PATIENCE) == 2


def test_a_truth_value_that_raises_is_an_error_of_the_policy() -> None:
    class Undecided:
        def __bool__(self) -> bool:
            raise SomeError

    logger, policy = HeardLogger(), Deciding(lambda attempt, future: Undecided())
    with RetryExecutor(SyncExecutor(), policy, logger) as executor:
        assert executor.submit(int).result(PATIENCE) == 0
    assert logger.of_level("ERROR") == [f"Exception while evaluating retry policy {policy!r}"]


@pytest.mark.parametrize(("sleep", "exponent"), [(0.0, 1e300), (inf, 0.0)])
def test_nothing_times_infinity_is_nothing(sleep: float, exponent: float) -> None:
    policy = ExceptionRetryPolicy(sleep=sleep, exponent=exponent, max_sleep=60)
    assert policy.sleep_time(5, f_return()) == 0
