"""f_map and f_flat_map: cancelling, inputs of every kind, and what is kept of them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    PATIENCE,
    DuckFuture,
    FutureKind,
    InThread,
    Parking,
    SomeError,
    all_at_once,
    every_end,
    is_gone,
    kind_fixture,
    listening_to,
    said,
)

from more_executors import _core, f_flat_map, f_map, f_return

kind = kind_fixture(EVERY_KIND)

Function = Callable[..., Any]

both = pytest.mark.parametrize("function", [f_map, f_flat_map], ids=["f_map", "f_flat_map"])


def result_for(function: Function, result: Any) -> Any:
    """What a mapping function for `function` returns to have `result`."""
    return f_return(result) if function is f_flat_map else result


def failing(value: object) -> Any:
    raise SomeError(value)


# -- cancel() and running() --------------------------------------------------------------------------------------


@both
def test_cancelling_it_cancels_its_input(kind: FutureKind, function: Function) -> None:
    source = kind.pending()
    future = function(source, failing)
    assert future.cancel() is True
    assert (source.cancelled(), future.cancelled()) == (True, True)
    assert future.cancel() is True


@both
def test_an_input_that_runs_refuses(kind: FutureKind, function: Function) -> None:
    source = kind.pending()
    future = function(source)
    assert future.running() is False
    kind.start(source)
    assert future.running() is True
    assert future.cancel() is False
    kind.finish(source, "result")
    assert future.result(PATIENCE) == "result"
    assert (future.running(), future.cancel()) == (False, False)


@both
def test_while_a_function_runs_it_is_running_and_refuses(function: Function) -> None:
    parking = Parking(result_for(function, "result"))
    source: Future[Any] = Future()
    future = function(source, parking)
    thread = InThread(source.set_result, 1)
    parking.wait_for_one()
    assert (future.running(), future.cancel(), future.done()) == (True, False, False)
    assert "state=running" in repr(future)
    parking.let_go()
    thread.outcome()
    assert (future.result(0), future.running()) == ("result", False)


@both
def test_a_future_that_somebody_else_ends_asks_no_function(function: Function) -> None:
    called: list[Any] = []
    source: Future[Any] = Future()
    future = function(source, called.append, called.append)
    future.set_result("set by hand")
    source.set_result(1)
    assert (future.result(0), called) == ("set by hand", [])


@both
def test_a_future_that_somebody_ends_while_its_function_runs_stays_so(function: Function) -> None:
    parking = Parking(result_for(function, "too late"))
    source: Future[Any] = Future()
    future = function(source, parking)
    thread = InThread(source.set_result, 1)
    parking.wait_for_one()
    future.set_result("set by hand")
    parking.let_go()
    thread.outcome()
    assert future.result(0) == "set by hand"


# -- inputs of other kinds -----------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("value", [5, None, "text", object, [Future]], ids=repr)
def test_what_is_no_future_is_refused_at_once(function: Function, value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        function(value, failing)
    assert function.__name__ in str(caught.value)
    assert repr(value) in str(caught.value)


@both
@pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])
def test_a_duck_will_do(function: Function, before: bool) -> None:
    duck, broken = DuckFuture(), DuckFuture()
    error = SomeError()
    if before:
        duck.end(5)
        broken.end(error=error)
    future = function(duck, lambda value: result_for(function, value + 1))
    failed = function(broken)
    if not before:
        assert future.running() is False
        assert future.cancel() is False
        duck.end(5)
        broken.end(error=error)
    assert future.result(0) == 6
    assert failed.exception(0) is error


@both
def test_a_duck_that_agrees_to_be_cancelled_need_not_call_back(function: Function) -> None:
    duck = DuckFuture()
    future = function(duck, failing)
    duck.agrees_to_cancel = True
    assert future.cancel() is True
    assert future.cancelled()
    duck.end("too late")
    assert future.cancelled()


@both
def test_a_duck_that_calls_back_twice_counts_once(function: Function) -> None:
    duck = DuckFuture()
    calls: list[Any] = []
    future = function(duck, lambda value: result_for(function, calls.append(value)))
    duck.end("first")
    duck.end("second")
    assert (future.result(0), calls) == (None, ["first"])


@both
def test_an_input_whose_cancel_raises_is_logged_and_refuses(function: Function) -> None:
    class Angry(DuckFuture):
        def cancel(self) -> Any:
            raise SomeError("not now")

    duck = Angry()
    future = function(duck)
    with listening_to("more_executors.futures") as heard:
        assert future.cancel() is False
    assert [line[2].args for line in heard.lines if line[2] is not None] == [("not now",)]
    duck.end("result")
    assert future.result(0) == "result"


@both
def test_an_input_that_is_lost_cancels_it(function: Function) -> None:
    source: Future[Any] = Future()
    future = function(source, failing, failing)
    del source
    gc.collect()
    assert future.cancelled()


# -- what is kept ----------------------------------------------------------------------------------------------------


@both
def test_an_input_of_ours_is_kept_until_it_is_done_and_no_longer(function: Function) -> None:
    source: Future[Any] = _core.Future()
    reference = weakref.ref(source)
    future = function(source)
    del source
    gc.collect()
    source = reference()  # type: ignore[assignment]
    assert source is not None
    source.set_result(1)
    del source
    assert is_gone(reference)
    assert future.done()


@both
@every_end
def test_no_input_is_kept_once_it_is_done(kind: FutureKind, function: Function, how: str) -> None:
    source = kind.pending()
    future = function(source)
    kind.end(source, how)
    said(future)
    reference = weakref.ref(source)
    del source
    assert is_gone(reference)


@both
@every_end
def test_functions_are_not_kept_once_it_is_done(function: Function, how: str) -> None:
    class Call:
        def __call__(self, value: Any) -> Any:
            return result_for(function, None)

    source: Future[Any] = Future()
    fn, error_fn = Call(), Call()
    references = weakref.ref(fn), weakref.ref(error_fn)
    future = function(source, fn, error_fn)
    del fn, error_fn
    if how == "finish":
        source.set_result(1)
    elif how == "fail":
        source.set_exception(SomeError())
    else:
        source.cancel()
    assert future.done()
    assert all(is_gone(reference) for reference in references)


@both
def test_what_nobody_refers_to_any_more_goes_away_unfinished(function: Function) -> None:
    source: Future[Any] = _core.Future()
    future = function(source)
    references = weakref.ref(source), weakref.ref(future)
    del source, future
    assert all(is_gone(reference) for reference in references)


# -- races ---------------------------------------------------------------------------------------------------------


@both
def test_a_cancel_and_a_result_at_once_end_it_once(function: Function) -> None:
    for _ in range(200):
        source: Future[Any] = _core.Future()
        ends: list[Any] = []
        future = function(source, lambda value: result_for(function, value))
        future.add_done_callback(ends.append)

        def finish(source: Future[Any] = source) -> bool:
            try:
                source.set_result("result")
            except Exception:
                return False
            return True

        finished, cancelled = all_at_once(finish, future.cancel)
        assert finished is not cancelled
        assert said(future, 0) == (CancelledError if cancelled else "result")
        assert ends == [future]
        ends.clear()
