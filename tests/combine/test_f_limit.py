"""f_nocancel and f_timeout: the same outcome, with other rules about cancelling."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    DuckDelegate,
    DuckFuture,
    FutureKind,
    SomeError,
    every_end,
    is_gone,
    kind_fixture,
    said,
)

from more_executors import Executors, _core, f_map, f_nocancel, f_return, f_return_cancelled, f_return_error, f_timeout

kind = kind_fixture(EVERY_KIND)

Limit = Callable[[Any], Future[Any]]


def with_time(future: Any) -> Future[Any]:
    return f_timeout(future, 3600)


both = pytest.mark.parametrize("limit", [f_nocancel, with_time], ids=["f_nocancel", "f_timeout"])
before_or_after = pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])


# -- both ----------------------------------------------------------------------------------------------------------


@both
@every_end
@before_or_after
def test_it_ends_as_its_input(kind: FutureKind, limit: Limit, how: str, before: bool) -> None:
    source = kind.pending()
    if before:
        expected = kind.end(source, how)
    future = limit(source)
    assert future is not source
    assert isinstance(future, Future)
    if not before:
        assert not future.done()
        expected = kind.end(source, how)
    assert said(future, 0) is expected
    assert future.cancelled() is (how == "cancel")


@both
def test_an_exception_is_the_very_object_with_its_traceback(kind: FutureKind, limit: Limit) -> None:
    try:
        raise SomeError
    except SomeError as error:
        mine = error
    before = mine.__traceback__
    source = kind.pending()
    future = limit(limit(source))
    kind.fail(source, mine)
    assert future.exception(0) is mine
    assert mine.__traceback__ is before
    mine.__traceback__ = None


@both
def test_it_is_running_while_its_input_is(kind: FutureKind, limit: Limit) -> None:
    source = kind.pending()
    future = limit(source)
    assert future.running() is False
    kind.start(source)
    assert future.running() is True
    assert "state=running" in repr(future)
    kind.finish(source, "result")
    assert (future.running(), future.result(0)) == (False, "result")


@both
def test_an_input_that_is_lost_cancels_it(limit: Limit) -> None:
    future = limit(Future())
    gc.collect()
    assert future.cancelled()


@both
@before_or_after
def test_a_duck_will_do(limit: Limit, before: bool) -> None:
    duck, broken = DuckFuture(), DuckFuture()
    error = SomeError()
    if before:
        duck.end("result")
        broken.end(error=error)
    future, failed = limit(duck), limit(broken)
    assert future.running() is False
    if not before:
        duck.end("result")
        broken.end(error=error)
    assert future.result(0) == "result"
    assert failed.exception(0) is error


@both
def test_no_input_is_kept_once_it_is_done(kind: FutureKind, limit: Limit) -> None:
    source = kind.pending()
    future = limit(source)
    kind.finish(source, 1)
    reference = weakref.ref(source)
    del source
    assert is_gone(reference)
    assert future.result(0) == 1


@both
def test_a_pending_input_of_ours_is_kept(limit: Limit) -> None:
    source: Future[Any] = _core.Future()
    reference = weakref.ref(source)
    future = limit(source)
    del source
    gc.collect()
    source = reference()  # type: ignore[assignment]
    source.set_result(1)
    del source
    assert future.result(0) == 1


@pytest.mark.parametrize("value", [5, None, "text", object], ids=repr)
@pytest.mark.parametrize("function", [f_nocancel, f_timeout], ids=["f_nocancel", "f_timeout"])
def test_what_is_no_future_is_refused_at_once(function: Callable[..., Any], value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        function(value, *([1] if function is f_timeout else []))
    assert function.__name__ in str(caught.value)
    assert repr(value) in str(caught.value)


# -- f_nocancel ----------------------------------------------------------------------------------------------------


@every_end
def test_cancel_always_says_no(kind: FutureKind, how: str) -> None:
    source = kind.pending()
    future = f_nocancel(source)
    assert future.cancel() is False
    assert not source.done()
    expected = kind.end(source, how)
    assert said(future, 0) is expected
    assert future.cancel() is (how == "cancel"), "a cancelled future says yes, as any does"


def test_what_is_made_from_it_cannot_be_cancelled_either(kind: FutureKind) -> None:
    source = kind.pending()
    future = f_map(f_map(f_nocancel(f_map(source))))
    assert future.cancel() is False
    assert (future.done(), source.done()) == (False, False)
    kind.finish(source, "result")
    assert future.result(0) == "result"


def test_its_input_may_be_cancelled_by_others() -> None:
    source: Future[Any] = Future()
    first, second = f_nocancel(source), f_map(source)
    assert second.cancel() is True
    assert first.cancelled()


def test_done_ones_will_do() -> None:
    assert f_nocancel(f_return(1)).result(0) == 1
    assert f_nocancel(f_return(1)).cancel() is False
    assert said(f_nocancel(f_return_error(SomeError())), 0) is SomeError
    assert f_nocancel(f_return_cancelled()).cancelled()


def test_shutdown_of_an_executor_above_cancels_what_it_can() -> None:
    source: Future[Any] = Future()
    executor = Executors.with_cancel_on_shutdown(DuckDelegate(lambda: f_nocancel(source)))
    future = executor.submit(int)
    executor.shutdown(wait=False)
    assert not future.done()
    source.set_result("result")
    assert future.result(0) == "result"
