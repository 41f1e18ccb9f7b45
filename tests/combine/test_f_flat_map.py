"""f_flat_map: going on with another future."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import Future
from typing import Any

import pytest
from paced_support import new_table
from support import (
    EVERY_KIND,
    PATIENCE,
    DuckFuture,
    FutureKind,
    InThread,
    SomeError,
    Thing,
    every_end,
    is_gone,
    kind_fixture,
    said,
)

from more_executors import _core, f_flat_map, f_map, f_return, f_return_error

kind = kind_fixture(EVERY_KIND)


@every_end
@pytest.mark.parametrize("by_error", [False, True], ids=["fn", "error_fn"])
def test_a_flat_one_ends_as_the_future_that_its_function_returns(kind: FutureKind, how: str, by_error: bool) -> None:
    inner = kind.pending()
    seen: list[Any] = []
    if by_error:
        future = f_flat_map(f_return_error(SomeError()), seen.append, lambda error: inner)
    else:
        future = f_flat_map(f_return("a"), lambda value: inner, seen.append)
    assert not future.done()
    assert kind.end(inner, how) is said(future)
    assert seen == [], "the outcome of the second is for neither"


def test_a_flat_one_cancels_the_future_that_is_current(kind: FutureKind) -> None:
    first, second = kind.pending(), kind.pending()
    future = f_flat_map(first, lambda value: second)
    kind.finish(first, "a")
    assert future.running() is False
    kind.start(second)
    assert future.running() is True
    assert future.cancel() is False
    kind.finish(second, "b")
    assert future.result(PATIENCE) == "b"


def test_cancelling_a_flat_one_cancels_the_second(kind: FutureKind) -> None:
    first: Future[Any] = Future()
    second = kind.pending()
    future = f_flat_map(first, lambda value: second)
    first.set_result("a")
    assert future.cancel() is True
    assert (second.cancelled(), future.cancelled()) == (True, True)


@pytest.mark.parametrize("returned", [5, None, "text", int], ids=repr)
@pytest.mark.parametrize("by_error", [False, True], ids=["fn", "error_fn"])
def test_a_flat_function_that_returns_no_future_is_named_with_what_it_returned(returned: Any, by_error: bool) -> None:
    def culprit(value: object) -> Any:
        return returned

    source = f_return_error(SomeError()) if by_error else f_return("a")
    error = f_flat_map(source, error_fn=culprit) if by_error else f_flat_map(source, culprit)
    message = str(error.exception(0))
    assert type(error.exception(0)) is TypeError
    assert repr(culprit) in message
    assert repr(returned) in message


def test_a_flat_one_without_its_function_lets_even_a_future_through() -> None:
    inner = f_return("inner")
    assert f_flat_map(f_return(inner)).result(0) is inner


def test_a_flat_function_may_return_a_duck() -> None:
    inner = DuckFuture()
    future = f_flat_map(f_return("a"), lambda value: inner)
    assert future.cancel() is False
    inner.end("result")
    assert future.result(0) == "result"


def test_a_flat_function_may_return_its_input() -> None:
    source = f_return("a")
    assert f_flat_map(source, lambda value: source).result(0) == "a"


def test_a_second_future_that_is_lost_cancels_it() -> None:
    future = f_flat_map(f_return("a"), lambda value: Future())
    gc.collect()
    assert future.cancelled()


def test_the_first_future_is_not_kept_by_a_flat_one_that_waits_for_the_second() -> None:
    first: Future[Any] = _core.Future()
    second: Future[Any] = _core.Future()
    future = f_flat_map(first, lambda value: second)
    first.set_result(Thing())
    references = weakref.ref(first), weakref.ref(first.result())
    del first
    assert all(is_gone(reference) for reference in references)
    second.set_result("b")
    assert future.result(0) == "b"


def test_a_chain_may_grow_from_within() -> None:
    def down(left: int) -> Future[Any]:
        return f_flat_map(f_return(left - 1), down) if left else f_return("at the end")

    assert f_flat_map(f_return(50), down).result(0) == "at the end"


def test_a_loop_may_go_on_for_ever_on_futures_that_are_yet_to_end() -> None:
    steps: list[Future[Any]] = []

    def again(left: int) -> Future[Any]:
        if not left:
            return f_return("at the end")
        steps.append(_core.Future())
        return f_flat_map(steps[-1], again)

    future = again(20_000)
    for left in range(19_999, -1, -1):
        steps.pop().set_result(left)
    assert future.result(0) == "at the end"


def test_a_loop_on_futures_that_are_yet_to_end_can_be_cancelled() -> None:
    steps: list[Future[Any]] = []

    def again(value: object) -> Future[Any]:
        steps.append(_core.Future())
        return f_flat_map(steps[-1], again)

    future = again(None)
    for _ in range(20_000):
        steps[-1].set_result(None)
    assert future.cancel() is True
    assert steps[-1].cancelled()
    steps.clear()


def test_what_hangs_on_a_ring_can_be_asked_and_cancelled() -> None:
    """Two that have gone on with each other: neither will ever be done, and nobody looks for their end for ever."""
    first: Future[Any] = Future()
    second: Future[Any] = Future()
    ring: list[Any] = []
    ring.append(f_flat_map(first, lambda _: ring[1]))
    ring.append(f_flat_map(second, lambda _: ring[0]))
    above = f_map(ring[0], str)
    first.set_result(None)
    second.set_result(None)
    assert InThread(above.running).outcome() is False
    assert InThread(repr, above).outcome()
    assert InThread(above.cancel).outcome() in (True, False)
    assert InThread(_core.cancel_many, [above, *ring]).outcome() in range(4)
    for future in (above, *ring):
        if not future.done():
            future.set_result(None)
    ring.clear()


def test_a_cancel_that_is_refused_as_the_first_is_done_goes_to_the_second() -> None:
    def cancel_fn(result: Any) -> bool:
        (task,) = table.take_all()
        task.yield_result("done")
        return False

    table: Any = new_table(_core.FullListTable, cancel_fn=cancel_fn)
    second: Future[Any] = _core.Future()
    future = f_flat_map(table.adopt(table, "a"), lambda result: second)
    assert future.cancel() is True
    assert second.cancelled()
    assert future.cancelled()
