"""One rule for numbers: what `float()` takes of a real number is taken everywhere, and means the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any

import pytest
from odd_values import ODD, FloatLike, IndexLike
from support import PATIENCE, PollSleeps, SomeError, returning

from more_executors import (
    Backoff,
    ExceptionRetryPolicy,
    PollExecutor,
    RateLimit,
    RetryExecutor,
    RetryPolicy,
    StatusPoll,
    SyncExecutor,
    TaskMissing,
    Throttled,
    ThrottleExecutor,
    TimeoutExecutor,
    f_proxy,
    f_return,
    f_timeout,
)
from more_executors._checks import is_real, real_number
from more_executors.progress import progress

NUMBERS: dict[str, tuple[Callable[[], Any], float]] = {
    "int": (lambda: 2, 2.0),
    "float": (lambda: 0.5, 0.5),
    "Decimal": (lambda: Decimal("0.5"), 0.5),
    "Fraction": (lambda: Fraction(1, 2), 0.5),
    "__float__": (FloatLike, 0.5),
    "__index__": (IndexLike, 2.0),
    "True": (lambda: True, 1.0),
    **{f"numpy.{name}": (ODD[name], value) for name, value in {"float32": 0.5, "int64": 2.0}.items() if name in ODD},
}

TAKES: dict[str, Callable[[Any], Any]] = {
    "default_interval": lambda number: PollExecutor(SyncExecutor(), returning(), default_interval=number).shutdown(),
    "min_interval": lambda number: PollExecutor(SyncExecutor(), returning(), min_interval=number).shutdown(),
    "timeout of PollExecutor": lambda number: PollExecutor(SyncExecutor(), returning(), timeout=number).shutdown(),
    "timeout of TimeoutExecutor": lambda number: TimeoutExecutor(SyncExecutor(), number).shutdown(),
    "count": lambda number: ThrottleExecutor(SyncExecutor(), number).shutdown(),
    "max_attempts": lambda number: ExceptionRetryPolicy(max_attempts=number),
    "sleep": lambda number: ExceptionRetryPolicy(sleep=number),
    "initial": Backoff,
    "maximum": lambda number: Backoff(0.1, maximum=number),
    "calls": RateLimit,
    "per": lambda number: RateLimit(1, number),
    "timeout of take": lambda number: RateLimit(1).take(number),
    "began": lambda number: RateLimit(1).throttled(number),
    "clock": lambda number: RateLimit(1, clock=lambda: number).try_take(),
    "retry_after": Throttled,
    "missing_after": lambda number: StatusPoll(dict, None, print, missing_after=number),  # type: ignore[arg-type]
    "timeout of f_timeout": lambda number: f_timeout(f_return(), number),
    "timeout of f_proxy": lambda number: f_proxy(f_return(5), timeout=number) + 1,
    "timeout of result": lambda number: f_return().result(number),
    "timeout of map": lambda number: list(SyncExecutor().map(int, [1], timeout=number)),
    "interval": lambda number: progress([], interval=number),
}


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("what", TAKES)
def test_every_kind_of_number_is_taken(what: str, number: str) -> None:
    if what == "interval":
        pytest.importorskip("tqdm")
    TAKES[what](NUMBERS[number][0]())


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_the_float_that_python_makes_of_it(number: str) -> None:
    make, value = NUMBERS[number]
    assert real_number("x", make()) == value
    assert type(real_number("x", make())) is float
    assert Throttled(make()).retry_after == value


@pytest.mark.parametrize("number", NUMBERS)
def test_the_delay_that_a_poll_function_returns_is_read_by_the_same_rule(
    monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    make, value = NUMBERS[number]
    sleeps = PollSleeps(monkeypatch)
    with PollExecutor(SyncExecutor(), returning(make()), default_interval=7.0):
        assert sleeps.next() == value


@pytest.mark.parametrize("options", [{}, {"batch_size": 5}], ids=["whole list", "what is due"])
@pytest.mark.parametrize(
    "seconds", [10**400, inf, Decimal("1e999"), Fraction(10**400)], ids=["int", "inf", "Decimal", "Fraction"]
)
def test_what_is_too_large_for_a_float_is_for_ever(seconds: Any, options: dict[str, Any]) -> None:
    told: Future[Any] = Future()

    def poll(descriptors: list[Any]) -> Any:
        for descriptor in descriptors:
            told.set_result(descriptor.poll_after(seconds))  # which can be done once
        return seconds

    with PollExecutor(SyncExecutor(), poll, **options) as executor:
        future = executor.adopt(1, timeout=seconds)
        told.result(PATIENCE)
        assert future.cancel()


@pytest.mark.parametrize("number", ["Decimal", "Fraction", "__float__"])
def test_a_sleep_time_is_read_by_the_same_rule(number: str) -> None:
    class Policy(RetryPolicy):
        def should_retry(self, attempt: int, future: Future[Any]) -> bool:
            return attempt < 2

        def sleep_time(self, attempt: int, future: Future[Any]) -> Any:
            return NUMBERS[number][0]()

    with RetryExecutor(SyncExecutor(), Policy()) as executor:
        assert executor.submit(int, 5).result(PATIENCE) == 5
        assert executor._table.counters.retry_seconds == NUMBERS[number][1]


@pytest.mark.parametrize(
    "value",
    ["1", b"1", bytearray(b"1"), 1j, None, [1], object()]
    + [ODD[name]() for name in ("timedelta64", "complex64", "array", "MagicMock") if name in ODD],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_is_refused_although_float_might_take_it(value: Any) -> None:
    assert not is_real(value)
    with pytest.raises(TypeError, match=r"^x must be a number of seconds, not "):
        real_number("x", value, " s")


def test_a_message_stays_readable_whatever_the_value_is() -> None:
    class Unwilling:
        def __repr__(self) -> str:
            raise SomeError

    class Long:
        def __repr__(self) -> str:
            return "x" * 1_000_000

    for value in (Unwilling(), [Unwilling()], Long(), ["x" * 1_000_000] * 1_000_000, 10**5000, "\ud800" * 10_000):
        with pytest.raises(TypeError, match=r"^delegate must be an executor") as caught:
            PollExecutor(value, returning())  # type: ignore[arg-type]
        assert len(str(caught.value)) < 3000


def test_an_error_about_a_task_can_be_read_although_the_task_has_no_repr() -> None:
    class Unwilling:
        def __repr__(self) -> str:
            raise SomeError

    assert "Unwilling" in str(TaskMissing(Unwilling(), datetime.now(), Decimal(1)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["\ud800", "a\udcffb"])
def test_a_name_that_no_scrape_can_write_is_refused(name: str) -> None:
    pytest.importorskip("prometheus_client")
    from prometheus_client import generate_latest

    for make in (SyncExecutor, lambda **given: SyncExecutor().with_map(**given)):
        with pytest.raises(ValueError, match=r"^name must be text that UTF-8 can write, not "):
            make(name=name)
    assert generate_latest()
