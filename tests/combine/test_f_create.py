"""Futures that are done already, and what all functions on futures are called and called with."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any

import pytest
from support import PATIENCE, SomeError, Thing, is_gone, said

import more_executors
from more_executors import Executors, f_return, f_return_cancelled, f_return_error

Made = Callable[[], Any]

every_done = pytest.mark.parametrize(
    ("make", "expected"),
    [(f_return, None), (lambda: f_return_error(SomeError()), SomeError), (f_return_cancelled, CancelledError)],
    ids=["f_return", "f_return_error", "f_return_cancelled"],
)

SIGNATURES = {
    "f_return": "(x=None)",
    "f_return_error": "(x, traceback=None)",
    "f_return_cancelled": "()",
    "f_map": "(future, fn=None, error_fn=None)",
    "f_flat_map": "(future, fn=None, error_fn=None)",
    "f_zip": "(*fs)",
    "f_sequence": "(futures)",
    "f_traverse": "(fn, xs)",
    "f_apply": "(future_fn, *future_args, **future_kwargs)",
    "f_or": "(f, *fs)",
    "f_and": "(f, *fs)",
    "f_nocancel": "(future)",
    "f_timeout": "(future, timeout)",
    "f_proxy": "(f, *, timeout=None)",
}


def test_there_are_just_these_functions() -> None:
    assert sorted(more_executors.futures.__all__) == sorted(SIGNATURES)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_has_its_name_in_both_places_and_its_signature(name: str) -> None:
    function = getattr(more_executors.futures, name)
    assert getattr(more_executors, name) is function
    assert function.__name__ == name
    assert function.__doc__
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    assert str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)) == SIGNATURES[name]


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f_return(x=1),
        lambda f: f_return_error(x=SomeError(), traceback=None),
        lambda f: more_executors.f_map(future=f, fn=str, error_fn=str),
        lambda f: more_executors.f_flat_map(future=f, fn=f_return, error_fn=f_return),
        lambda f: more_executors.f_sequence(futures=[f]),
        lambda f: more_executors.f_traverse(fn=f_return, xs=[1]),
        lambda f: more_executors.f_apply(future_fn=f_return(int)),
        lambda f: more_executors.f_or(f=f),
        lambda f: more_executors.f_and(f=f),
        lambda f: more_executors.f_nocancel(future=f),
        lambda f: more_executors.f_timeout(future=f, timeout=60),
        lambda f: more_executors.f_proxy(f=f, timeout=60),
    ],
    ids=[name for name in SIGNATURES if name not in ("f_return_cancelled", "f_zip")],
)
def test_arguments_may_be_given_by_name(call: Callable[[Future[Any]], Future[Any]]) -> None:
    assert call(f_return(1)).done()


@every_done
def test_it_is_done_and_stays_so(make: Made, expected: Any) -> None:
    future = make()
    cancelled = expected is CancelledError
    assert isinstance(future, Future)
    assert (future.done(), future.running(), future.cancelled()) == (True, False, cancelled)
    assert said(future, 0) == expected
    assert future.cancel() is cancelled
    assert future.cancel() is cancelled
    assert said(future, None) == expected


@every_done
def test_nobody_can_end_or_start_it_again(make: Made, expected: Any) -> None:
    future = make()
    with pytest.raises(concurrent.futures.InvalidStateError):
        future.set_result("another")
    with pytest.raises(concurrent.futures.InvalidStateError):
        future.set_exception(ValueError())
    with pytest.raises(RuntimeError):
        future.set_running_or_notify_cancel()
    assert said(future, 0) == expected


@every_done
def test_a_callback_runs_at_once(make: Made, expected: Any) -> None:
    future = make()
    called: list[Any] = []
    future.add_done_callback(called.append)
    assert called == [future]
    called.clear()


@every_done
def test_whoever_waits_for_futures_finds_it_done(make: Made, expected: Any) -> None:
    futures = [make(), make()]
    assert concurrent.futures.wait(futures, PATIENCE).done == set(futures)
    assert set(concurrent.futures.as_completed(futures, PATIENCE)) == set(futures)

    async def awaited() -> Any:
        try:
            return await asyncio.wrap_future(make())
        except (Exception, asyncio.CancelledError) as error:
            return type(error)

    outcome = asyncio.run(awaited())
    assert outcome == (asyncio.CancelledError if expected is CancelledError else expected)


@every_done
def test_each_call_makes_a_new_one_that_nothing_keeps(make: Made, expected: Any) -> None:
    first, second = make(), make()
    assert first is not second
    reference = weakref.ref(first)
    del first
    assert is_gone(reference)


@every_done
def test_it_is_an_ordinary_object(make: Made, expected: Any) -> None:
    future = make()
    future.note = "of the user"
    assert future.note == "of the user"
    assert future in {future}


def test_a_result_is_the_very_object() -> None:
    thing = Thing()
    assert f_return(thing).result() is thing
    assert f_return(f_return(thing)).result().result() is thing
    assert f_return().result() is None


def test_a_result_is_kept_by_nobody_else() -> None:
    future = f_return(Thing())
    reference = weakref.ref(future.result())
    del future
    assert is_gone(reference)


def raised() -> SomeError:
    try:
        raise SomeError
    except SomeError as error:
        return error


def test_an_exception_is_the_very_object_with_its_traceback() -> None:
    error = raised()
    before = error.__traceback__
    future = f_return_error(error)
    assert future.exception() is error
    assert error.__traceback__ is before
    with pytest.raises(SomeError) as caught:
        future.result()
    assert caught.value is error
    assert traceback.extract_tb(error.__traceback__)[-1].name == "raised"


def test_a_traceback_that_is_given_is_where_the_exception_comes_from() -> None:
    elsewhere = raised().__traceback__
    assert isinstance(elsewhere, TracebackType)
    error = SomeError("never raised")
    future = f_return_error(error, elsewhere)
    assert future.exception() is error
    assert error.__traceback__ is elsewhere
    with pytest.raises(SomeError):
        f_return_error(error, traceback=elsewhere).result()
    assert traceback.extract_tb(error.__traceback__)[-1].name == "raised"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()], ids=repr)
def test_any_exception_will_do(error: BaseException) -> None:
    assert f_return_error(error).exception() is error


def test_a_cancelled_error_is_an_error_among_others() -> None:
    future = f_return_error(CancelledError())
    assert not future.cancelled()
    assert isinstance(future.exception(), CancelledError)


def test_what_is_no_traceback_is_refused() -> None:
    with pytest.raises(TypeError, match="traceback"):
        f_return_error(SomeError(), "no traceback")  # type: ignore[arg-type]


def test_they_may_be_what_a_flat_map_returns() -> None:
    with Executors.sync().with_flat_map(lambda result: f_return(result + 1)) as executor:
        assert executor.submit(int, 1).result(PATIENCE) == 2
    with Executors.sync().with_flat_map(lambda result: f_return_cancelled()) as executor:
        assert executor.submit(int, 1).cancelled()
