"""f_or and f_and: the first of many futures that decides."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    PATIENCE,
    DuckFuture,
    FutureKind,
    Hostile,
    SomeError,
    kind_fixture,
    said,
)

from more_executors import Executors, _core, f_and, f_or, f_return, f_return_cancelled, f_return_error

kind = kind_fixture(EVERY_KIND)

Logic = Callable[..., Future[Any]]

both = pytest.mark.parametrize("logic", [f_or, f_and], ids=["f_or", "f_and"])
before_or_after = pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])


class Way(str):
    """To end without a result."""


CANCELLED, ERROR, FIRST_ERROR, SECOND_ERROR = (Way(way) for way in ("cancelled", "error", "error 1", "error 2"))

# In the order of arrival; what f_or and what f_and makes of it.
TABLE: list[tuple[list[Any], Any, Any]] = [
    ([0, ERROR], ERROR, 0),
    ([ERROR, 0], 0, ERROR),
    ([ERROR, CANCELLED], CANCELLED, ERROR),
    ([CANCELLED, ERROR], ERROR, CANCELLED),
    ([0, CANCELLED], CANCELLED, 0),
    ([CANCELLED, 0], 0, CANCELLED),
    ([1, 2], 1, 2),
    ([2, 1, 0], 2, 0),
    ([FIRST_ERROR, SECOND_ERROR], SECOND_ERROR, FIRST_ERROR),
    ([0, False, None], None, 0),
    ([None, False, 0], 0, None),
    ([ERROR, 1], 1, ERROR),
    ([1, ERROR], 1, ERROR),
    ([1, CANCELLED], 1, CANCELLED),
    ([CANCELLED, 1], 1, CANCELLED),
    ([0, 1, ERROR, CANCELLED], 1, 0),
    ([1, ERROR, 0], 1, ERROR),
    ([1, 0, ERROR], 1, 0),
    ([CANCELLED, CANCELLED], CANCELLED, CANCELLED),
    (["", [], "text"], "text", ""),
]

the_table = pytest.mark.parametrize(("outcomes", "of_or", "of_and"), TABLE, ids=[str(row[0]) for row in TABLE])


def ended(outcome: Any) -> Future[Any]:
    if outcome is CANCELLED:
        return f_return_cancelled()
    return f_return_error(SomeError(outcome)) if isinstance(outcome, Way) else f_return(outcome)


def end(kind: FutureKind, source: Future[Any], outcome: Any) -> None:
    """End it so, unless it has been cancelled meanwhile."""
    if source.done():
        return
    if outcome is CANCELLED:
        assert source.cancel()
    elif isinstance(outcome, Way):
        kind.fail(source, SomeError(outcome))
    else:
        kind.finish(source, outcome)


def outcome_of(future: Future[Any]) -> Any:
    try:
        return future.result(0)
    except CancelledError:
        return CANCELLED
    except SomeError as error:
        return error.args[0]


@the_table
def test_inputs_that_are_done_decide_in_their_order(outcomes: list[Any], of_or: Any, of_and: Any) -> None:
    assert outcome_of(f_or(*map(ended, outcomes))) is of_or
    assert outcome_of(f_and(*map(ended, outcomes))) is of_and


@the_table
def test_inputs_decide_as_they_arrive(kind: FutureKind, outcomes: list[Any], of_or: Any, of_and: Any) -> None:
    for logic, expected in ((f_or, of_or), (f_and, of_and)):
        for order in itertools.islice(itertools.permutations(range(len(outcomes))), 6):
            # The first of `outcomes` to arrive is number order[0] of the inputs, and so on.
            inputs = [kind.pending() for _ in outcomes]
            future = logic(*inputs)
            for index, outcome in zip(order, outcomes, strict=True):
                end(kind, inputs[index], outcome)
            assert outcome_of(future) is expected
            assert all(source.done() for source in inputs), "what was not needed any more is cancelled"


@both
def test_of_one_future_it_is_that_future(kind: FutureKind, logic: Logic) -> None:
    source = kind.pending()
    assert logic(source) is source
    assert logic(f=source) is source
    duck = DuckFuture()
    assert logic(duck) is duck


@both
def test_the_very_object_that_decides_is_the_result(logic: Logic) -> None:
    false: list[Any] = []
    true = [1]
    assert logic(f_return(true if logic is f_or else false), _core.Future()).result(0) is (
        true if logic is f_or else false
    )
    assert logic(f_return(false if logic is f_or else true), f_return(false := [])).result(0) is false


def decisive(logic: Logic) -> bool:
    return logic is f_or


@both
@before_or_after
def test_what_is_not_needed_any_more_is_cancelled(kind: FutureKind, logic: Logic, before: bool) -> None:
    inputs = [kind.pending() for _ in range(4)]
    if before:
        kind.finish(inputs[2], decisive(logic))
    future = logic(*inputs)
    if not before:
        assert not future.done()
        kind.finish(inputs[2], decisive(logic))
    assert future.result(0) is decisive(logic)
    assert [source.cancelled() for source in inputs] == [True, True, False, True]


@pytest.mark.parametrize("how", ["fail", "cancel"])
def test_what_fails_or_is_cancelled_decides_f_and(kind: FutureKind, how: str) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = f_and(*inputs)
    expected = kind.end(inputs[1], how)
    assert said(future, 0) is expected
    assert [inputs[0].cancelled(), inputs[2].cancelled()] == [True, True]


@pytest.mark.parametrize("how", ["fail", "cancel"])
def test_f_or_goes_on_after_a_failure_or_cancellation(kind: FutureKind, how: str) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = f_or(*inputs)
    kind.end(inputs[1], how)
    assert not future.done()
    kind.finish(inputs[2], "result")
    assert future.result(0) == "result"
    assert inputs[0].cancelled()


@both
def test_what_does_not_decide_leaves_the_others_alone(kind: FutureKind, logic: Logic) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = logic(*inputs)
    kind.finish(inputs[0], not decisive(logic))
    assert [future.done(), inputs[1].done(), inputs[2].done()] == [False, False, False]
    kind.finish(inputs[1], not decisive(logic))
    kind.finish(inputs[2], not decisive(logic))
    assert future.result(0) is not decisive(logic)


@both
def test_cancelling_it_cancels_all_inputs(kind: FutureKind, logic: Logic) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = logic(*inputs)
    kind.start(inputs[1])
    assert future.running() is False
    assert future.cancel() is True
    assert (future.cancelled(), future.cancel()) == (True, True)
    assert [source.cancelled() for source in inputs] == [True, False, True]
    kind.finish(inputs[1], decisive(logic))
    assert future.cancelled()


@both
def test_the_same_future_may_be_there_twice(kind: FutureKind, logic: Logic) -> None:
    source = kind.pending()
    future = logic(source, source)
    kind.finish(source, 0)
    assert future.result(0) == 0


# -- truth ---------------------------------------------------------------------------------------------------------


class StatusRequest:
    """A value whose truth may be asked for once."""

    def __init__(self, truth: bool) -> None:
        self.truth = truth
        self.asked = 0

    def __bool__(self) -> bool:
        self.asked += 1
        return self.truth


def test_each_truth_is_asked_for_once_at_the_most() -> None:
    values = [StatusRequest(False), StatusRequest(False), StatusRequest(True), StatusRequest(True)]
    assert f_or(*map(f_return, values)).result(0) is values[2]
    assert [value.asked for value in values] == [1, 1, 1, 0]


def test_a_result_whose_truth_cannot_be_told_is_as_good_as_a_failure() -> None:
    assert f_or(f_return(Hostile()), f_return(1)).result(0) == 1
    assert f_or(f_return(Hostile()), f_return(0)).result(0) == 0
    source: Future[Any] = _core.Future()
    assert said(f_and(f_return(Hostile()), source), 0) is AssertionError
    assert source.cancelled()


@both
def test_the_last_to_arrive_is_the_outcome_whatever_its_truth(logic: Logic) -> None:
    source: Future[Any] = _core.Future()
    future = logic(source, f_return(not decisive(logic)))
    value = Hostile()
    source.set_result(value)
    assert future.result(0) is value


class Reentrant:
    """A value that ends a future when its truth is asked for."""

    def __init__(self, other: Future[Any]) -> None:
        self.other = other

    def __bool__(self) -> bool:
        self.other.set_result(0)
        return True


def test_truth_may_be_defined_in_terms_of_futures() -> None:
    source: Future[Any] = _core.Future()
    other: Future[Any] = _core.Future()
    future = f_or(source, other)
    value = Reentrant(other)
    source.set_result(value)
    assert future.result(0) is value


# -- inputs of other kinds, and many -------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("value", [5, None, "text", object], ids=repr)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_no_future_is_refused_at_once_with_nothing_cancelled(logic: Logic, value: Any, place: int) -> None:
    source: Future[Any] = Future()
    arguments: list[Any] = [f_return(decisive(logic)), source]
    arguments.insert(place, value)
    with pytest.raises(TypeError) as caught:
        logic(*arguments)
    assert logic.__name__ in str(caught.value)
    assert repr(value) in str(caught.value)
    assert not source.done()
    with pytest.raises(TypeError):
        logic(value)


@both
def test_one_future_is_needed(logic: Logic) -> None:
    with pytest.raises(TypeError):
        logic()


MANY = 100_000


@both
def test_of_a_hundred_thousand_one_may_decide(logic: Logic) -> None:
    inputs: list[Future[Any]] = [_core.Future() for _ in range(MANY)]
    future = logic(*inputs)
    inputs[MANY // 2].set_result(decisive(logic))
    assert future.result(0) is decisive(logic)
    assert sum(source.cancelled() for source in inputs) == MANY - 1


@both
def test_of_a_hundred_thousand_the_last_may_decide(logic: Logic) -> None:
    inputs: list[Future[Any]] = [_core.Future() for _ in range(MANY)]
    future = logic(*inputs)
    for source in inputs[1:]:
        source.set_result(not decisive(logic))
    assert not future.done()
    inputs[0].set_result("" if logic is f_or else "last")
    assert future.result(0) == ("" if logic is f_or else "last")


@both
def test_a_hundred_thousand_can_be_cancelled(logic: Logic) -> None:
    inputs: list[Future[Any]] = [_core.Future() for _ in range(MANY)]
    future = logic(*inputs)
    assert future.cancel() is True
    assert all(source.cancelled() for source in inputs)


def test_those_of_a_pool_will_do() -> None:
    with Executors.thread_pool(max_workers=2) as executor:
        assert f_or(*(executor.submit(int, digit) for digit in "0030")).result(PATIENCE) == 3
        assert f_and(*(executor.submit(int, digit) for digit in "1101")).result(PATIENCE) == 0


@pytest.mark.parametrize("function", [f_or, f_and])
@pytest.mark.parametrize("later", [False, True])
def test_one_that_is_given_twice_fails_with_the_very_exception(function: Any, later: bool) -> None:
    source, error = _core.Future(), SomeError()
    future = function(source, source) if later else None
    source.set_exception(error)
    assert (future or function(source, source)).exception(0) is error
