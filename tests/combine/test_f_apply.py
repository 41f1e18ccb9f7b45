"""f_apply: a future of a function, applied to futures of its arguments."""

from __future__ import annotations

import gc
import threading
import traceback
import weakref
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
    said,
)

from more_executors import Executors, _core, f_apply, f_return, f_return_cancelled, f_return_error

kind = kind_fixture(EVERY_KIND)

before_or_after = pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])


def given(*args: Any, **kwargs: Any) -> Any:
    """A function that returns what it was called with."""
    return args, kwargs


def test_it_calls_the_function_with_the_arguments() -> None:
    assert f_apply(f_return(given)).result(0) == ((), {})
    assert f_apply(f_return(given), f_return(1), f_return(2)).result(0) == ((1, 2), {})
    assert f_apply(f_return(given), f_return(1), b=f_return(2), a=f_return(3)).result(0) == ((1,), {"b": 2, "a": 3})
    assert f_apply(f_return(given), b=f_return(2)).result(0) == ((), {"b": 2})


def test_keywords_keep_their_order() -> None:
    _, kwargs = f_apply(f_return(given), z=f_return(1), a=f_return(2), m=f_return(3)).result(0)
    assert list(kwargs) == ["z", "a", "m"]


@pytest.mark.parametrize("keyword", ["f", "fn", "x", "self", "args", "kwargs", "future", "results"])
def test_any_other_keyword_is_the_functions(keyword: str) -> None:
    assert f_apply(f_return(given), **{keyword: f_return(1)}).result(0) == ((), {keyword: 1})


def test_the_function_may_be_given_by_name() -> None:
    assert f_apply(future_fn=f_return(given)).result(0) == ((), {})
    assert f_apply(future_fn=f_return(given), a=f_return(1)).result(0) == ((), {"a": 1})


def test_hundreds_of_arguments_will_do() -> None:
    assert f_apply(f_return(given), *map(f_return, range(500))).result(0) == (tuple(range(500)), {})


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_they_may_arrive_in_any_order(kind: FutureKind, order: tuple[int, ...]) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = f_apply(inputs[0], inputs[1], key=inputs[2])
    assert isinstance(future, Future)
    for index in order:
        assert not future.done()
        kind.finish(inputs[index], given if index == 0 else index)
    assert future.result(0) == ((1,), {"key": 2})


def test_the_function_runs_once_on_the_thread_of_the_last_to_arrive() -> None:
    source: Future[Any] = Future()
    calls: list[Any] = []
    future = f_apply(f_return(lambda _: calls.append(threading.current_thread())), source)
    thread = InThread(source.set_result, 1)
    thread.outcome()
    assert future.result(0) is None
    assert calls == [thread]
    calls.clear()


def test_a_future_that_the_function_returns_is_a_result_like_others() -> None:
    inner = f_return("inner")
    assert f_apply(f_return(lambda: inner)).result(0) is inner


# -- failing -------------------------------------------------------------------------------------------------------


@before_or_after
@pytest.mark.parametrize("which", [0, 1, 2], ids=["function", "argument", "keyword"])
def test_the_first_failure_decides_at_once(kind: FutureKind, which: int, before: bool) -> None:
    inputs = [kind.pending() for _ in range(3)]
    error = SomeError()
    if before:
        kind.fail(inputs[which], error)
    future = f_apply(inputs[0], inputs[1], key=inputs[2])
    if not before:
        kind.fail(inputs[which], error)
    assert future.exception(0) is error
    assert [source.done() for source in inputs] == [index == which for index in range(3)]


def test_an_argument_that_failed_goes_before_a_function_that_did() -> None:
    error = SomeError()
    assert f_apply(f_return_error(ValueError()), f_return_error(error)).exception(0) is error


def failing(*args: Any) -> Any:
    raise SomeError


def test_what_the_function_raises_is_the_exception() -> None:
    error = f_apply(f_return(failing), f_return(1)).exception(0)
    assert isinstance(error, SomeError)
    assert traceback.extract_tb(error.__traceback__)[-1].name == "failing"


@pytest.mark.parametrize(
    ("function", "arguments"), [(5, []), (None, [1]), (int, [1, 2, 3])], ids=["a number", "None", "too many arguments"]
)
def test_what_cannot_be_called_so_fails_with_a_type_error(function: Any, arguments: list[Any]) -> None:
    assert said(f_apply(f_return(function), *map(f_return, arguments)), 0) is TypeError


def test_an_interrupt_out_of_the_function_is_the_exception() -> None:
    def leaving() -> None:
        raise SystemExit

    source: Future[Any] = Future()
    future = f_apply(source)
    assert InThread(source.set_result, leaving).outcome() is None
    assert said(future, 0) is SystemExit


def test_a_ctrl_c_in_the_function_on_the_main_thread_is_raised_there_too() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    source: Future[Any] = Future()
    future = f_apply(source)

    def finish() -> None:
        source.set_result(interrupted)
        InThread(int).outcome()

    with pytest.raises(KeyboardInterrupt):
        finish()
    assert said(future, 0) is KeyboardInterrupt


# -- cancelling ----------------------------------------------------------------------------------------------------


def test_cancelling_it_cancels_its_inputs(kind: FutureKind) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = f_apply(inputs[0], inputs[1], key=inputs[2])
    assert future.running() is False
    assert future.cancel() is True
    assert future.cancelled()
    assert all(source.cancelled() for source in inputs)
    assert future.cancel() is True


@before_or_after
@pytest.mark.parametrize("which", [0, 1, 2], ids=["function", "argument", "keyword"])
def test_an_input_that_is_cancelled_cancels_it(kind: FutureKind, which: int, before: bool) -> None:
    inputs = [kind.pending() for _ in range(3)]
    if before:
        assert inputs[which].cancel()
    future = f_apply(inputs[0], inputs[1], key=inputs[2])
    if not before:
        assert inputs[which].cancel()
    assert future.cancelled()


def test_cancelled_ones_will_do() -> None:
    assert f_apply(f_return_cancelled(), f_return(1)).cancelled()
    assert f_apply(f_return(given), f_return_cancelled()).cancelled()


def test_while_the_function_runs_it_is_running() -> None:
    parking = Parking("result")
    source: Future[Any] = Future()
    future = f_apply(f_return(parking), source)
    thread = InThread(source.set_result, 1)
    parking.wait_for_one()
    assert (future.running(), future.done()) == (True, False)
    parking.let_go()
    thread.outcome()
    assert (future.result(0), future.running()) == ("result", False)


def test_a_cancel_while_the_function_runs_and_what_it_returns_end_it_once() -> None:
    parking = Parking("result")
    source: Future[Any] = Future()
    future = f_apply(f_return(parking), source)
    ends: list[Any] = []
    future.add_done_callback(ends.append)
    thread = InThread(source.set_result, 1)
    parking.wait_for_one()
    cancelled = future.cancel()
    parking.let_go()
    thread.outcome()
    assert said(future, 0) == (CancelledError if cancelled else "result")
    assert ends == [future]
    ends.clear()


# -- inputs of other kinds, and what is kept of them ---------------------------------------------------------------


@pytest.mark.parametrize("value", [5, None, "text", int], ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda value: f_apply(value),
        lambda value: f_apply(f_return(given), value),
        lambda value: f_apply(f_return(given), a=value),
        lambda value: f_apply(f_return(given), f_return(1), value, a=f_return(1)),
    ],
    ids=["function", "argument", "keyword", "second argument"],
)
def test_what_is_no_future_is_refused_at_once(call: Any, value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        call(value)
    assert "f_apply" in str(caught.value)
    assert repr(value) in str(caught.value)


def test_a_function_is_needed() -> None:
    with pytest.raises(TypeError):
        f_apply()  # type: ignore[call-arg]


def test_ducks_will_do() -> None:
    function, argument = DuckFuture(), DuckFuture()
    future = f_apply(function, argument)  # type: ignore[arg-type]
    argument.end(1)
    function.end(given)
    assert future.result(0) == ((1,), {})


def test_an_input_that_is_lost_cancels_it() -> None:
    without_function = f_apply(Future(), f_return(1))
    without_argument = f_apply(f_return(given), f_return(1), a=Future())
    gc.collect()
    assert without_function.cancelled()
    assert without_argument.cancelled()


@before_or_after
def test_no_input_is_kept_once_it_is_done(kind: FutureKind, before: bool) -> None:
    function: Future[Any] = _core.Future()
    argument = kind.pending()
    if before:
        kind.finish(argument, 1)
    future = f_apply(function, argument)
    if not before:
        kind.finish(argument, 1)
    reference = weakref.ref(argument)
    del argument
    assert is_gone(reference)
    function.set_result(given)
    assert future.result(0) == ((1,), {})


@every_end
def test_nothing_is_kept_once_it_is_over(how: str) -> None:
    class Function:
        def __call__(self, *args: Any) -> str:
            return "result"

    function: Future[Any] = _core.Future()
    argument: Future[Any] = _core.Future()
    future = f_apply(function, argument)
    function.set_result(Function())
    references = [weakref.ref(function.result()), weakref.ref(function), weakref.ref(argument)]
    if how == "finish":
        argument.set_result(1)
    elif how == "fail":
        argument.set_exception(SomeError())
    else:
        argument.cancel()
    assert future.done()
    del function, argument
    assert all(is_gone(reference) for reference in references)


def test_what_ends_at_once_ends_it_once() -> None:
    for _ in range(100):
        inputs: list[Future[Any]] = [_core.Future() for _ in range(3)]
        future = f_apply(inputs[0], inputs[1], key=inputs[2])
        ends: list[Any] = []
        future.add_done_callback(ends.append)
        all_at_once(
            lambda source=inputs[0]: source.set_result(given),
            lambda source=inputs[1]: source.set_result(1),
            lambda source=inputs[2]: source.set_result(2),
        )
        assert future.result(0) == ((1,), {"key": 2})
        assert ends == [future]
        ends.clear()


def test_it_mixes_with_executors() -> None:
    with Executors.thread_pool(max_workers=2) as executor:
        assert f_apply(executor.submit(lambda: given), executor.submit(int, 1)).result(PATIENCE) == ((1,), {})
