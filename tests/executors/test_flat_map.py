"""FlatMapExecutor: the future that a function returns decides, whatever becomes of it."""

from __future__ import annotations

import gc
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from support import (
    PATIENCE,
    DuckDelegate,
    DuckFuture,
    InThread,
    Parking,
    ScriptedDelegate,
    SomeError,
    every_end,
    said,
    without_collector,
)

from more_executors import Executors, FlatMapExecutor, MapExecutor, SyncExecutor, _core, f_return, f_return_error

KINDS = pytest.mark.parametrize("kind", [Future, _core.Future], ids=["stdlib", "ours"])
BY = pytest.mark.parametrize("which", ["fn", "error_fn"])


def fail(error: BaseException) -> Any:
    raise error


def never(argument: Any) -> Any:
    raise AssertionError("called")


def mapped(which: str, function: Callable[[Any], Any]) -> Future[Any]:
    """A future whose `fn` or `error_fn` is `function`, which was called in here."""
    executor = FlatMapExecutor(SyncExecutor(), **{which: function})
    return executor.submit(int) if which == "fn" else executor.submit(fail, SomeError("of the task"))


def end(future: Any, how: str) -> Any:
    if how == "finish":
        future.set_result("result")
        return "result"
    if how == "fail":
        future.set_exception(SomeError())
        return SomeError
    assert future.cancel()
    if type(future) is Future:
        future.set_running_or_notify_cancel()
    return CancelledError


# -- the inner future decides -------------------------------------------------------------------------------------


@BY
@KINDS
@every_end
@pytest.mark.parametrize("when", ["before", "after"])
def test_it_ends_as_the_future_that_the_function_returned(
    which: str, kind: type[Future[Any]], how: str, when: str
) -> None:
    inner = kind()
    if when == "before":
        expected = end(inner, how)
        future = mapped(which, lambda _: inner)
    else:
        future = mapped(which, lambda _: inner)
        assert not future.done()
        expected = end(inner, how)
    assert said(future, 0) == expected


@BY
def test_anything_with_add_done_callback_is_a_future(which: str) -> None:
    inner = DuckFuture()
    future = mapped(which, lambda _: inner)
    inner.end("result")
    assert future.result(0) == "result"


def test_the_exception_of_the_inner_future_is_the_same_object_with_its_traceback() -> None:
    error = SomeError()
    future = mapped("fn", lambda _: Executors.sync().submit(fail, error))
    assert future.exception(0) is error
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["fail"]


@pytest.mark.parametrize("functions", [{}, {"fn": None}, {"error_fn": None}])
def test_what_has_no_function_passes_through_also_a_future(functions: dict[str, Any]) -> None:
    executor, error, inner = FlatMapExecutor(SyncExecutor(), **functions), SomeError(), f_return(1)
    assert executor.submit(int, 5).result(0) == 5
    assert executor.submit(lambda: inner).result(0) is inner
    assert executor.submit(fail, error).exception(0) is error


def test_each_outcome_gets_to_its_own_function_only() -> None:
    executor = FlatMapExecutor(SyncExecutor(), lambda r: f_return(("fn", r)), error_fn=lambda e: f_return(("error", e)))
    error = SomeError()
    assert executor.submit(int).result(0) == ("fn", 0)
    assert executor.submit(fail, error).result(0) == ("error", error)


def test_neither_function_sees_what_becomes_of_the_inner_future() -> None:
    for function, inner in ((lambda r: f_return_error(SomeError()), SomeError), (lambda r: f_return(1), 1)):
        assert said(FlatMapExecutor(SyncExecutor(), function, error_fn=never).submit(int), 0) == inner


def test_the_result_of_the_inner_future_is_not_flattened_again() -> None:
    innermost = f_return(1)
    assert mapped("fn", lambda _: f_return(innermost)).result(0) is innermost


def test_several_futures_may_have_the_same_inner_future() -> None:
    inner: Future[Any] = Future()
    executor = FlatMapExecutor(SyncExecutor(), lambda _: inner)
    futures = [executor.submit(int) for _ in range(3)]
    inner.set_result("shared")
    assert [future.result(0) for future in futures] == ["shared"] * 3


@KINDS
def test_the_function_may_return_the_delegates_own_future(kind: type[Future[Any]]) -> None:
    delegate = ScriptedDelegate(kind)
    future = FlatMapExecutor(delegate, lambda _: delegate.given[0]).submit(int)
    delegate.given[0].set_result("same")
    assert future.result(0) == "same"


def test_a_chain_of_inner_futures_of_any_length_ends_without_recursion() -> None:
    first: Future[Any] = Future()
    last: Future[Any] = first
    for _ in range(3000):
        last = FlatMapExecutor(SyncExecutor(), lambda r: r).submit(lambda inner=last: inner)
    assert (last.running(), last.done()) == (False, False)
    first.set_result("far")
    assert last.result(0) == "far"


# -- what is no future --------------------------------------------------------------------------------------------


def no_future(_: Any) -> Any:
    return 42


@BY
def test_what_is_no_future_fails_it_with_a_type_error_naming_function_and_value(which: str) -> None:
    error = mapped(which, no_future).exception(0)
    assert type(error) is TypeError
    assert repr(no_future) in str(error)
    assert "42" in str(error)


@BY
@pytest.mark.parametrize("value", [None, Future, "future"], ids=["None", "class", "str"])
def test_a_type_error_is_what_any_other_value_ends_as(which: str, value: Any) -> None:
    assert type(mapped(which, lambda _: value).exception(0)) is TypeError


@BY
def test_a_function_that_raises_fails_the_future_with_that(which: str) -> None:
    error = SomeError()
    assert mapped(which, lambda _: fail(error)).exception(0) is error


def test_an_inner_future_that_takes_no_callback_fails_the_future() -> None:
    inner, error = DuckFuture(), SomeError()
    inner.add_done_callback = lambda _: fail(error)  # type: ignore[method-assign]
    assert mapped("fn", lambda _: inner).exception(0) is error


# -- cancelling ---------------------------------------------------------------------------------------------------


@BY
@KINDS
def test_cancel_reaches_the_inner_future(which: str, kind: type[Future[Any]]) -> None:
    inner = kind()
    future = mapped(which, lambda _: inner)
    assert future.running() is False
    assert (future.cancel(), future.cancel()) == (True, True)
    assert inner.cancelled()
    assert future.cancelled()


@KINDS
def test_an_inner_future_that_runs_refuses(kind: type[Future[Any]]) -> None:
    inner = kind()
    future = mapped("fn", lambda _: inner)
    inner.set_running_or_notify_cancel()
    assert future.running() is True
    assert future.cancel() is False
    inner.set_result("went on")
    assert future.result(0) == "went on"


@KINDS
def test_before_the_function_cancel_is_the_delegates_decision(kind: type[Future[Any]]) -> None:
    delegate = ScriptedDelegate(kind)
    executor = FlatMapExecutor(delegate, never, error_fn=never)
    future, running = executor.submit(int), executor.submit(int)
    delegate.given[1].set_running_or_notify_cancel()
    assert (future.cancel(), running.cancel()) == (True, False)
    assert delegate.given[0].cancelled()
    assert running.running()
    assert delegate.given[1].cancel() is False
    delegate.given.clear()
    del running


@BY
def test_while_the_function_runs_the_future_runs_and_cannot_be_cancelled(which: str) -> None:
    inner: Future[Any] = Future()
    function, delegate = Parking(inner), DuckDelegate()
    future = FlatMapExecutor(delegate, **{which: function}).submit(int)
    completing = InThread(lambda: delegate.given[0].end(error=SomeError() if which == "error_fn" else None))
    function.wait_for_one()
    assert future.running() is True
    assert InThread(future.cancel).outcome() is False
    function.let_go()
    completing.outcome()
    assert not inner.cancelled()
    assert future.running() is False
    assert future.cancel() is True
    assert inner.cancelled()


def test_cancel_goes_through_a_chain_to_the_future_that_is_current() -> None:
    inner = DuckFuture()
    upper = FlatMapExecutor(SyncExecutor(), lambda _: inner).with_map(str).with_map(never)  # type: ignore[attr-defined]
    future = upper.submit(int)
    assert future.cancel() is False
    inner.agrees_to_cancel = True
    assert future.cancel() is True
    assert future.cancelled()


def test_an_inner_future_that_agreed_to_cancel_may_end_otherwise_later() -> None:
    inner = DuckFuture()
    inner.agrees_to_cancel = True
    future = mapped("fn", lambda _: inner)
    assert future.cancel() is True
    inner.end("too late")
    assert future.cancelled()


# -- rings --------------------------------------------------------------------------------------------------------


def test_a_future_that_waits_for_itself_can_be_asked_and_comes_to_an_end() -> None:
    delegate = DuckDelegate()
    future = FlatMapExecutor(delegate, lambda _: future).submit(int)
    delegate.given[0].end()
    answers = InThread(lambda: (future.running(), "Future" in repr(future), future.cancel() or future.done()))
    assert answers.outcome() == (False, True, True)
    assert future.done()


def test_futures_that_wait_for_each_other_can_be_asked_and_cancelled() -> None:
    delegate, futures = DuckDelegate(), list[Any]()
    executor = FlatMapExecutor(delegate, lambda i: futures[i])
    futures += [executor.submit(int) for _ in range(3)]
    for i in range(3):
        delegate.given[i].end((i + 1) % 3)
    outer = MapExecutor(SyncExecutor()).with_flat_map(lambda _: futures[0]).submit(int)  # type: ignore[attr-defined]
    answers = InThread(lambda: (outer.running(), repr(outer) != "", outer.cancel() or outer.done()))
    assert answers.outcome() == (False, True, True)
    assert outer.done()
    assert InThread(lambda: [futures[0].running(), futures[0].cancel()]).outcome() == [False, True]
    assert [future.cancelled() for future in futures] == [True] * 3


# -- lost and dropped ---------------------------------------------------------------------------------------------


def test_an_inner_future_that_nobody_holds_is_lost_and_cancels_at_once() -> None:
    with without_collector():
        assert mapped("fn", lambda _: Future()).cancelled()


def test_an_inner_future_that_is_lost_later_cancels() -> None:
    held = [Future[Any]()]
    future = mapped("fn", lambda _: held[0])
    assert not future.done()
    held.clear()
    gc.collect()
    assert future.cancelled()


def test_an_inner_future_of_this_library_is_held_by_the_one_made_from_it() -> None:
    inner: DuckDelegate = DuckDelegate()
    future = mapped("fn", lambda _: MapExecutor(inner, str).submit(int))
    gc.collect()
    inner.given[0].end(8)
    assert future.result(0) == "8"


@every_end
def test_once_done_neither_holds_the_other(how: str) -> None:
    with without_collector():
        inners = [_core.Future[Any]()]
        future = mapped("fn", lambda _: inners[0])
        end(inners[0], how)
        gone = weakref.ref(inners[0])
        assert future.done()
        inners.clear()
        assert gone() is None


# -- on threads ---------------------------------------------------------------------------------------------------


def test_two_pools_in_turn() -> None:
    with Executors.thread_pool(1) as downloads:
        with Executors.thread_pool(1).with_flat_map(lambda n: downloads.submit(pow, n, 2)) as executor:  # type: ignore[attr-defined]
            futures = [executor.submit(int, n) for n in range(20)]
            assert [future.result(PATIENCE) for future in futures] == [n * n for n in range(20)]
