"""f_apply: whose running() it is."""

from __future__ import annotations

import itertools
from concurrent.futures import Future
from typing import Any

import pytest
from support import EVERY_KIND, PATIENCE, DuckFuture, FutureKind, InThread, Parking, kind_fixture

from more_executors import f_apply, f_map, f_return

kind = kind_fixture(EVERY_KIND)


def given(*args: Any, **kwargs: Any) -> Any:
    """A function that returns what it was called with."""
    return args, kwargs


def in_state(kind: FutureKind, state: str, result: object) -> Any:
    future = kind.pending()
    if state != "pending":
        kind.start(future)
    if state == "done":
        kind.finish(future, result)
    return future


STATES = ["pending", "running", "done"]


@pytest.mark.parametrize("states", list(itertools.product(STATES, repeat=3)), ids="-".join)
def test_it_is_running_when_the_last_input_that_is_not_done_is(kind: FutureKind, states: tuple[str, ...]) -> None:
    function, first, key = (in_state(kind, state, given) for state in states)
    future = f_apply(function, first, key=key)
    left = [state for state in states if state != "done"]
    assert future.running() is (bool(left) and left[-1] == "running")
    assert future.done() is (not left)


def test_it_goes_by_the_state_that_the_inputs_are_in_now(kind: FutureKind) -> None:
    function, first, second = (kind.pending() for _ in range(3))
    future = f_apply(function, first, second)
    assert not future.running()
    kind.start(function)
    assert not future.running(), "the last one is pending"
    kind.finish(second, 2)
    assert not future.running()
    kind.finish(first, 1)
    assert future.running(), "only the function is left"
    kind.finish(function, given)
    assert not future.running()
    assert future.result(0) == ((1, 2), {})


def test_it_is_running_while_the_function_is_called() -> None:
    parking = Parking()
    source: Future[Any] = Future()
    future = f_apply(f_return(parking), source)
    assert not future.running()
    thread = InThread(source.set_result, 1)
    parking.wait_for_one()
    assert future.running()
    parking.let_go()
    thread.outcome()
    assert not future.running()
    assert future.done()


def test_an_input_that_cannot_be_asked_is_not_running() -> None:
    assert not f_apply(f_return(given), DuckFuture()).running()


def test_long_chains_ask_the_input_at_their_end() -> None:
    source: Future[Any] = Future()
    future: Future[Any] = f_map(source)
    for _ in range(10_000):
        future = f_apply(f_return(lambda x: x), future)
    assert not future.running()
    source.set_running_or_notify_cancel()
    assert future.running()
    source.set_result("whatever")
    assert future.result(PATIENCE) == "whatever"
