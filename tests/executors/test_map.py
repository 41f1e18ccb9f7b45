"""MapExecutor: a function of the result, another one of the exception."""

from __future__ import annotations

import threading
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from support import (
    DuckDelegate,
    HeardLogger,
    InThread,
    Parking,
    ScriptedDelegate,
    SomeError,
    Thing,
    without_collector,
)

from more_executors import Executors, FlatMapExecutor, MapExecutor, SyncExecutor, _core, f_return

KINDS = pytest.mark.parametrize("kind", [Future, _core.Future], ids=["stdlib", "ours"])


def fail(error: BaseException) -> Any:
    raise error


def frames(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def never(argument: Any) -> Any:
    raise AssertionError("called")


# -- what becomes of outcomes -------------------------------------------------------------------------------------


def test_fn_makes_the_result_of_a_result_and_error_fn_is_left_alone() -> None:
    executor = MapExecutor(SyncExecutor(), str, error_fn=never)
    assert executor.submit(pow, 2, 3).result(0) == "8"


def test_error_fn_makes_a_result_of_the_very_exception_and_fn_is_left_alone() -> None:
    error, given = SomeError(), list[BaseException]()
    executor = MapExecutor(SyncExecutor(), never, error_fn=lambda e: given.append(e))
    future = executor.submit(fail, error)
    assert future.exception(0) is None
    assert future.result(0) is None
    assert given == [error]


@pytest.mark.parametrize("functions", [{}, {"fn": None}, {"fn": None, "error_fn": None}])
def test_what_has_no_function_passes_through(functions: dict[str, Any]) -> None:
    executor, result, error = MapExecutor(SyncExecutor(), **functions), Thing(), SomeError()
    assert executor.submit(lambda: result).result(0) is result
    assert executor.submit(fail, error).exception(0) is error
    assert frames(error) == ["fail"]


def test_fn_alone_lets_errors_pass_and_error_fn_alone_lets_results_pass() -> None:
    error, result = SomeError(), Thing()
    assert MapExecutor(SyncExecutor(), never).submit(fail, error).exception(0) is error
    assert MapExecutor(SyncExecutor(), error_fn=never).submit(lambda: result).result(0) is result


def test_an_exception_that_is_returned_is_a_result() -> None:
    error = SomeError()
    assert MapExecutor(SyncExecutor(), lambda _: error).submit(int).result(0) is error
    assert MapExecutor(SyncExecutor(), error_fn=lambda e: e).submit(fail, error).result(0) is error


def test_a_future_that_is_returned_is_a_result() -> None:
    inner = f_return(1)
    assert MapExecutor(SyncExecutor(), lambda _: inner).submit(int).result(0) is inner


@pytest.mark.parametrize("kind", [SomeError, CancelledError, SystemExit])
@pytest.mark.parametrize("which", ["fn", "error_fn"])
def test_what_a_function_raises_is_the_exception_with_its_traceback(which: str, kind: type[BaseException]) -> None:
    error = kind("of the function")

    def deep() -> None:
        raise error

    def function(_: Any) -> None:
        deep()

    executor = MapExecutor(SyncExecutor(), **{which: function})
    call = (int,) if which == "fn" else (fail, KeyError())
    future = InThread(executor.submit, *call).outcome()  # on the main thread an interrupt is raised there, too
    assert future.exception(0) is error
    assert not future.cancelled()
    assert frames(error) == ["function", "deep"]


def raise_it(error: BaseException) -> None:
    raise error


def raise_it_deeper(error: BaseException) -> None:
    raise_it(error)


def catch_it_and_raise_it(error: BaseException) -> None:
    try:
        raise_it(error)
    except SomeError:
        raise


@pytest.mark.parametrize("error_fn", [raise_it, raise_it_deeper, catch_it_and_raise_it])
@pytest.mark.parametrize("executor_type", [MapExecutor, FlatMapExecutor])
def test_an_error_fn_that_raises_what_it_was_given_leaves_it_as_it_was(
    executor_type: type[MapExecutor], error_fn: Callable[[BaseException], Any]
) -> None:
    error, cause = SomeError(), KeyError()

    def task() -> None:
        raise error from cause

    executor = executor_type(SyncExecutor(), error_fn=error_fn)
    assert executor.submit(task).exception(0) is error
    assert frames(error) == ["task"]
    assert error.__cause__ is cause
    assert error.__context__ is None


def test_an_error_fn_may_raise_another_exception_from_the_one_it_was_given() -> None:
    error = SomeError()

    def error_fn(given: BaseException) -> None:
        raise KeyError("other") from given

    other = MapExecutor(SyncExecutor(), error_fn=error_fn).submit(fail, error).exception(0)
    assert type(other) is KeyError
    assert other.__cause__ is error
    assert frames(error) == ["fail"]


def test_an_exception_goes_through_many_layers_as_it_is() -> None:
    error, executor = SomeError(), Executors.sync()
    for _ in range(50):
        executor = executor.with_map(never, error_fn=raise_it).with_map(never)  # type: ignore[attr-defined]
    assert executor.submit(fail, error).exception(0) is error
    assert frames(error) == ["fail"]


def test_functions_of_a_chain_are_called_from_the_delegate_up() -> None:
    executor = Executors.sync().with_map(lambda r: r + ["a"]).with_map(lambda r: r + ["b"])  # type: ignore[attr-defined]
    assert executor.submit(list).result(0) == ["a", "b"]


def test_a_function_is_called_once_on_the_thread_that_completes_the_delegates_future() -> None:
    delegate, threads = DuckDelegate(), list[threading.Thread]()
    future = MapExecutor(delegate, lambda _: threads.append(threading.current_thread())).submit(int)
    completing = InThread(delegate.given[0].end, 1)
    completing.outcome()
    delegate.given[0].call_back()
    assert future.done()
    assert threads == [completing]


# -- cancelling ---------------------------------------------------------------------------------------------------


@KINDS
def test_cancel_is_the_delegates_decision(kind: type[Future[Any]]) -> None:
    delegate = ScriptedDelegate(kind)
    executor = MapExecutor(delegate, str, error_fn=never)
    waiting, running = executor.submit(int), executor.submit(int)
    delegate.given[1].set_running_or_notify_cancel()
    assert (waiting.running(), running.running()) == (False, True)
    assert (waiting.cancel(), waiting.cancel()) == (True, True)
    assert delegate.given[0].cancelled()
    assert running.cancel() is False
    delegate.given[1].set_result(8)
    assert running.result(0) == "8"
    assert (running.running(), running.cancel()) == (False, False)


@pytest.mark.parametrize("which", ["fn", "error_fn"])
@KINDS
def test_while_a_function_runs_the_future_runs_and_cannot_be_cancelled(which: str, kind: type[Future[Any]]) -> None:
    function, delegate = Parking("made"), ScriptedDelegate(kind)
    future = MapExecutor(delegate, **{which: function}).submit(int)
    given = delegate.given[0]
    completing = InThread(*((given.set_result, 1) if which == "fn" else (given.set_exception, SomeError())))
    function.wait_for_one()
    assert future.running()
    assert "running" in repr(future)
    assert InThread(future.cancel).outcome() is False
    assert (future.done(), future.running()) == (False, True)
    function.let_go()
    completing.outcome()
    assert future.result(0) == "made"
    assert not future.running()


def test_a_function_may_ask_its_own_future_and_its_executor() -> None:
    def fn(_: Any) -> Any:
        future.add_done_callback(lambda f: heard.append(f.result(0)))
        return future.cancel(), future.running(), future.done(), executor.submit(str.upper, "b") is not None

    heard: list[Any] = []
    delegate = DuckDelegate()
    executor = MapExecutor(delegate, fn)
    future = executor.submit(int)
    delegate.given[0].end()
    assert future.result(0) == (False, True, False, True)
    assert heard == [future.result(0)]
    delegate.given[1].end(error=SomeError())


def test_a_delegate_that_agreed_to_cancel_and_ends_all_the_same_has_no_function_called() -> None:
    delegate = DuckDelegate()
    future = MapExecutor(delegate, never, error_fn=never).submit(int)
    delegate.given[0].agrees_to_cancel = True
    assert future.cancel() is True
    delegate.given[0].end(1)
    assert future.cancelled()


@KINDS
@pytest.mark.parametrize("executor_type", [MapExecutor, FlatMapExecutor])
def test_a_delegates_future_that_anyone_cancels_or_loses_ends_cancelled_without_functions(
    executor_type: type[MapExecutor], kind: type[Future[Any]]
) -> None:
    delegate = ScriptedDelegate(kind)
    executor = executor_type(delegate, never, error_fn=never)
    futures = [executor.submit(int) for _ in range(2)]
    assert delegate.given[0].cancel()
    if kind is Future:
        delegate.given[0].set_running_or_notify_cancel()
        delegate.given.clear()
        assert futures[1].cancelled()
    else:
        futures[1].cancel()
    assert futures[0].cancelled()
    with pytest.raises(CancelledError):
        futures[0].result(0)


# -- the delegate's submit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SomeError, KeyboardInterrupt])
@pytest.mark.parametrize("executor_type", [MapExecutor, FlatMapExecutor])
def test_what_the_delegates_submit_raises_comes_out_of_submit(
    executor_type: type[MapExecutor], kind: type[BaseException]
) -> None:
    error, delegate = kind(), DuckDelegate()
    executor = executor_type(delegate, never)
    delegate.submit = lambda *_: fail(error)  # type: ignore[method-assign]
    with pytest.raises(kind) as raised:
        executor.submit(int)
    assert raised.value is error
    executor.shutdown()
    assert delegate.shutdowns == [{"wait": True}]


# -- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor_type", [MapExecutor, FlatMapExecutor])
@pytest.mark.parametrize("name", ["fn", "error_fn", "delegate", "logger", "name"])
def test_an_argument_of_the_wrong_type_raises_a_type_error(executor_type: type[MapExecutor], name: str) -> None:
    arguments: dict[str, Any] = {"delegate": SyncExecutor(), name: 42}
    with pytest.raises(TypeError, match=f"{name} must be .*42"):
        executor_type(**arguments)


@pytest.mark.parametrize("executor_type", [MapExecutor, FlatMapExecutor])
def test_error_fn_is_given_by_keyword_only(executor_type: type[MapExecutor]) -> None:
    with pytest.raises(TypeError):
        executor_type(SyncExecutor(), None, HeardLogger(), "name", never)  # type: ignore[misc]


# -- references ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["made", "raised", "passed", "cancelled"])
def test_a_done_future_holds_its_outcome_and_nothing_else(how: str) -> None:
    class Function(Thing):
        def __call__(self, *_: Any, **__: Any) -> Any:
            return fail(outcome) if how == "raised" else outcome

    class Callback(Thing):
        def __call__(self, _: Any) -> None:
            pass

    outcome = SomeError()
    with without_collector():
        fn, callback, argument, delegate = Function(), Callback(), Thing(), DuckDelegate()
        executor = MapExecutor(delegate, None if how == "passed" else fn)
        future = executor.submit(Callback(), argument, word=argument)
        future.add_done_callback(callback)
        given = delegate.given[0]
        given.agrees_to_cancel = True
        if how == "cancelled":
            assert future.cancel()
        else:
            given.end(outcome)
        gone = [weakref.ref(thing) for thing in (executor, fn, callback, argument, delegate, given)]
        del fn, callback, argument, delegate, executor, given
        outcome.__traceback__ = None
        assert [reference() for reference in gone] == [None] * 6
        assert future.done()
