"""f_map and f_flat_map: making something else of an outcome."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    PATIENCE,
    FutureKind,
    InThread,
    SomeError,
    every_end,
    kind_fixture,
    said,
)

from more_executors import Executors, f_flat_map, f_map, f_return, f_return_cancelled, f_return_error

kind = kind_fixture(EVERY_KIND)

Function = Callable[..., Any]

both = pytest.mark.parametrize("function", [f_map, f_flat_map], ids=["f_map", "f_flat_map"])


def result_for(function: Function, result: Any) -> Any:
    """What a mapping function for `function` returns to have `result`."""
    return f_return(result) if function is f_flat_map else result


@both
@every_end
def test_without_functions_it_ends_as_its_input(kind: FutureKind, function: Function, how: str) -> None:
    source = kind.pending()
    future = function(source)
    assert isinstance(future, Future)
    assert not future.done()
    assert kind.end(source, how) is said(future)
    assert future.cancelled() is (how == "cancel")


@both
@every_end
def test_of_an_input_that_is_done_it_is_done_at_once(kind: FutureKind, function: Function, how: str) -> None:
    source = kind.pending()
    expected = kind.end(source, how)
    assert said(function(source), 0) is expected


@both
@pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])
def test_a_success_is_for_the_first_function(kind: FutureKind, function: Function, before: bool) -> None:
    seen: list[Any] = []
    source = kind.pending()
    if before:
        kind.finish(source, 5)
    future = function(source, lambda value: result_for(function, seen.append(value) or value + 1), seen.append)
    if not before:
        kind.finish(source, 5)
    assert future.result(PATIENCE) == 6
    assert seen == [5]


@both
@pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])
def test_a_failure_is_for_the_second_function(kind: FutureKind, function: Function, before: bool) -> None:
    seen: list[Any] = []
    source, error = kind.pending(), SomeError()
    if before:
        kind.fail(source, error)
    future = function(source, seen.append, lambda value: result_for(function, seen.append(value) or "recovered"))
    if not before:
        kind.fail(source, error)
    assert future.result(PATIENCE) == "recovered"
    assert seen == [error]
    seen.clear()


@both
def test_what_is_cancelled_is_for_neither_function(kind: FutureKind, function: Function) -> None:
    called: list[Any] = []
    source = kind.pending()
    future = function(source, called.append, called.append)
    assert source.cancel()
    assert future.cancelled()
    assert future.cancel() is True
    assert function(source, called.append, called.append).cancelled()
    assert called == []


@both
def test_each_function_leaves_the_other_outcome_alone(function: Function) -> None:
    error = SomeError()
    assert function(f_return_error(error), lambda value: result_for(function, 1)).exception() is error
    assert function(f_return("result"), error_fn=lambda value: result_for(function, 1)).result() == "result"


def failing(value: object) -> Any:
    raise SomeError(value)


@both
@pytest.mark.parametrize("fails", [False, True], ids=["fn", "error_fn"])
def test_what_a_function_raises_is_the_exception(function: Function, fails: bool) -> None:
    source: Future[Any] = Future()
    future = function(source, error_fn=failing) if fails else function(source, failing)
    if fails:
        source.set_exception(ValueError())
    else:
        source.set_result(1)
    error = future.exception(0)
    assert isinstance(error, SomeError)
    assert traceback.extract_tb(error.__traceback__)[0].name == "failing", "begins in the function"
    with pytest.raises(SomeError) as caught:
        future.result(0)
    assert caught.value is error


def test_a_cancelled_error_that_a_function_raises_is_an_error() -> None:
    def cancelling(value: object) -> None:
        raise CancelledError

    future = f_map(f_return(), cancelling)
    assert not future.cancelled()
    assert isinstance(future.exception(), CancelledError)


@both
def test_an_exception_is_handed_on_with_its_traceback(kind: FutureKind, function: Function) -> None:
    try:
        failing("once")
    except SomeError as error:
        mine = error
    before = mine.__traceback__
    source = kind.pending()
    future = function(function(source))
    kind.fail(source, mine)
    assert future.exception(PATIENCE) is mine
    assert mine.__traceback__ is before


@both
def test_the_same_exception_raised_again_is_the_same_and_comes_from_where_it_came_from(function: Function) -> None:
    def again(error: BaseException) -> Any:
        raise error

    try:
        failing("once")
    except SomeError as error:
        mine = error
    future = function(f_return_error(mine), error_fn=again)
    assert future.exception() is mine
    assert mine.__context__ is None
    assert traceback.extract_tb(mine.__traceback__)[-1].name == "failing"


@both
@pytest.mark.parametrize("kind_of_error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_whatever_a_function_raises_on_another_thread_is_the_exception(
    function: Function, kind_of_error: type[BaseException]
) -> None:
    def raising(value: object) -> None:
        raise kind_of_error

    source: Future[Any] = Future()
    future = function(source, raising)
    assert InThread(source.set_result, 1).outcome() is None
    assert type(future.exception(0)) is kind_of_error


@both
def test_a_ctrl_c_in_a_function_on_the_main_thread_is_raised_there_too(function: Function) -> None:
    def interrupted(value: object) -> None:
        raise KeyboardInterrupt

    source: Future[Any] = Future()
    future = function(source, interrupted)

    def finish() -> None:
        source.set_result(1)
        InThread(int).outcome()

    with pytest.raises(KeyboardInterrupt):
        finish()
    assert type(future.exception(0)) is KeyboardInterrupt


@both
def test_functions_run_on_the_thread_that_ends_the_input_before_that_call_returns(function: Function) -> None:
    source: Future[Any] = Future()
    future = function(source, lambda value: result_for(function, threading.current_thread()))
    thread = InThread(source.set_result, 1)
    thread.outcome()
    assert future.result(0) is thread


@both
def test_it_is_called_back_in_turn_with_other_callbacks_of_the_input(kind: FutureKind, function: Function) -> None:
    order: list[str] = []
    source = kind.pending()
    source.add_done_callback(lambda _: order.append("before"))
    future = function(source, lambda value: result_for(function, order.append("in turn")))
    source.add_done_callback(lambda _: order.append("after"))
    kind.finish(source, 1)
    assert future.result(0) is None
    assert order == ["before", "in turn", "after"]


def test_they_mix_with_executors() -> None:
    with Executors.thread_pool(max_workers=2) as executor:
        doubled = f_map(executor.submit(int, "4"), lambda value: value * 2)
        again = f_flat_map(doubled, lambda value: executor.submit(str, value))
        recovered = f_flat_map(executor.submit(failing, 1), error_fn=lambda error: executor.submit(repr, error))
        assert (doubled.result(PATIENCE), again.result(PATIENCE)) == (8, "8")
        assert recovered.result(PATIENCE) == "SomeError(1)"
        assert f_flat_map(doubled, lambda value: f_return_cancelled()).cancelled()
