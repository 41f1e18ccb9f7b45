"""f_or and f_and: inputs that arrive at once, are lost, or are ducks, and what is kept of them."""

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
    Thing,
    all_at_once,
    is_gone,
    kind_fixture,
    listening_to,
    said,
)

from more_executors import _core, f_and, f_or

kind = kind_fixture(EVERY_KIND)

Logic = Callable[..., Future[Any]]

both = pytest.mark.parametrize("logic", [f_or, f_and], ids=["f_or", "f_and"])
before_or_after = pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])


def decisive(logic: Logic) -> bool:
    return logic is f_or


def finish_unless_cancelled(source: Future[Any], result: Any) -> bool:
    try:
        source.set_result(result)
    except Exception:
        return False
    return True


def wait_until_counted(source: Future[Any]) -> None:
    """Wait until what chooses between `source`, a future of ours, and others has taken note that it is done."""
    for _ in range(int(PATIENCE * 1000)):
        if not any(type(referrer) is list for referrer in gc.get_referrers(source)):
            return
        InThread(int).outcome()
    raise AssertionError("it is still kept")


@both
def test_a_last_result_does_not_overtake_the_one_that_decides(logic: Logic) -> None:
    # 1. The test holds the condition of the output, so that nobody else can end it.
    # 2. Another thread ends the first input decisively: it is counted, and the thread waits for the condition.
    # 3. The test ends the second input, the last one, the other way, and lets go.
    first: Future[Any] = _core.Future()
    second: Future[Any] = _core.Future()
    future = logic(first, second)
    with future._condition:
        thread = InThread(first.set_result, decisive(logic))
        wait_until_counted(first)
        second.set_result(not decisive(logic))
    thread.outcome()
    assert future.result(PATIENCE) is decisive(logic)


def test_a_last_result_does_not_overtake_a_failure_that_decides() -> None:
    # As above.
    first: Future[Any] = _core.Future()
    second: Future[Any] = _core.Future()
    future = f_and(first, second)
    error = SomeError()
    with future._condition:
        thread = InThread(first.set_exception, error)
        wait_until_counted(first)
        second.set_result(1)
    thread.outcome()
    assert future.exception(PATIENCE) is error


class Slow:
    """A value whose truth takes as long as the test says."""

    def __init__(self, truth: bool) -> None:
        self.parking = Parking(truth)

    def __bool__(self) -> bool:
        return self.parking()  # type: ignore[no-any-return]


@both
def test_while_the_truth_of_one_is_being_asked_for_another_may_decide(logic: Logic) -> None:
    # 1. Another thread ends the first input; its truth takes time.
    # 2. The test ends the second input decisively: that is the result.
    # 3. The truth of the first is told, too late.
    first, second, third = (_core.Future[Any]() for _ in range(3))
    future = logic(first, second, third)
    value = Slow(decisive(logic))
    thread = InThread(first.set_result, value)
    value.parking.wait_for_one()
    result = [1] if logic is f_or else []
    second.set_result(result)
    assert future.result(0) is result
    assert third.cancelled()
    value.parking.let_go()
    thread.outcome()
    assert future.result(0) is result


@both
def test_while_the_truth_of_one_is_being_asked_for_nobody_else_is_the_last(logic: Logic) -> None:
    # 1. Another thread ends the first input; its truth takes time.
    # 2. The test ends the second input, which does not decide; nor is it the last to arrive.
    # 3. The first turns out to decide.
    first, second = _core.Future[Any](), _core.Future[Any]()
    future = logic(first, second)
    value = Slow(decisive(logic))
    thread = InThread(first.set_result, value)
    value.parking.wait_for_one()
    second.set_result(not decisive(logic))
    assert not future.done()
    value.parking.let_go()
    thread.outcome()
    assert future.result(0) is value


@both
def test_it_can_be_cancelled_while_truth_is_being_asked_for(logic: Logic) -> None:
    first, second = _core.Future[Any](), _core.Future[Any]()
    future = logic(first, second)
    value = Slow(decisive(logic))
    thread = InThread(first.set_result, value)
    value.parking.wait_for_one()
    assert future.cancel() is True
    assert second.cancelled()
    value.parking.let_go()
    thread.outcome()
    assert future.cancelled()


@both
def test_of_two_that_decide_at_once_one_does(logic: Logic) -> None:
    for _ in range(100):
        inputs: list[Future[Any]] = [_core.Future() for _ in range(3)]
        future = logic(*inputs)
        ends: list[Any] = []
        future.add_done_callback(ends.append)
        values = ([1], [2]) if logic is f_or else ([], [])
        won = all_at_once(
            *(
                lambda source=source, value=value: finish_unless_cancelled(source, value)
                for source, value in zip(inputs, values, strict=False)
            )
        )
        winner = [future.result(0) is value for value in values]
        assert sorted(winner) == [False, True]
        assert won[winner.index(True)]
        assert inputs[2].cancelled()
        assert ends == [future]
        ends.clear()


@both
def test_a_cancel_and_a_decision_at_once_end_it_once(logic: Logic) -> None:
    for _ in range(100):
        inputs: list[Future[Any]] = [_core.Future() for _ in range(2)]
        future = logic(*inputs)
        ends: list[Any] = []
        future.add_done_callback(ends.append)
        cancelled, _ = all_at_once(
            future.cancel, lambda source=inputs[0]: finish_unless_cancelled(source, decisive(logic))
        )
        assert said(future, 0) is (CancelledError if cancelled else decisive(logic))
        assert inputs[1].cancelled()
        assert ends == [future]
        ends.clear()


@both
def test_it_is_done_before_what_is_not_needed_is_cancelled(logic: Logic) -> None:
    seen: list[bool] = []
    inputs: list[Future[Any]] = [Future(), Future()]
    future = logic(*inputs)
    inputs[1].add_done_callback(lambda _: seen.append(future.done()))
    inputs[0].set_result(decisive(logic))
    assert seen == [True]


# -- inputs of other kinds -----------------------------------------------------------------------------------------


@both
@before_or_after
def test_ducks_will_do(logic: Logic, before: bool) -> None:
    ducks = [DuckFuture(), DuckFuture()]
    if before:
        ducks[0].end(decisive(logic))
    future = logic(*ducks)
    if not before:
        ducks[0].end(decisive(logic))
    assert future.result(0) is decisive(logic)
    ducks[1].end(not decisive(logic))
    assert future.result(0) is decisive(logic)


@both
def test_an_input_that_refuses_to_be_cancelled_or_raises_is_no_matter(logic: Logic) -> None:
    class Angry(DuckFuture):
        def cancel(self) -> Any:
            raise SomeError("not now")

    inputs: list[Any] = [Angry(), DuckFuture(), _core.Future(), _core.Future()]
    future = logic(*inputs)
    with listening_to("more_executors.futures") as heard:
        inputs[2].set_result(decisive(logic))
    assert [line[2].args for line in heard.lines if line[2] is not None] == [("not now",)]
    assert future.result(0) is decisive(logic)
    assert inputs[3].cancelled()


def test_a_lost_input_is_a_cancelled_one() -> None:
    source: Future[Any] = Future()
    future = f_or(Future(), source)
    gc.collect()
    assert not future.done()
    source.set_result(1)
    assert future.result(0) == 1
    other: Future[Any] = Future()
    future = f_and(Future(), other)
    gc.collect()
    assert future.cancelled()
    assert other.cancelled()


# -- what is kept --------------------------------------------------------------------------------------------------


@both
@before_or_after
def test_no_input_is_kept_once_it_is_done(kind: FutureKind, logic: Logic, before: bool) -> None:
    other: Future[Any] = _core.Future()
    source = kind.pending()
    if before:
        kind.finish(source, not decisive(logic))
    future = logic(source, other)
    if not before:
        kind.finish(source, not decisive(logic))
    reference = weakref.ref(source)
    del source
    assert is_gone(reference)
    other.set_result(decisive(logic))
    assert future.result(0) is decisive(logic)


@both
def test_a_result_that_does_not_decide_is_not_kept(logic: Logic) -> None:
    class Truth(Thing):
        def __bool__(self) -> bool:
            return not decisive(logic)

    source: Future[Any] = _core.Future()
    other: Future[Any] = _core.Future()
    future = logic(source, other)
    source.set_result(Truth())
    reference = weakref.ref(source.result(0))
    del source
    assert is_gone(reference)
    assert not future.done()
    future.cancel()


@both
def test_pending_inputs_of_ours_are_kept_until_it_is_decided(logic: Logic) -> None:
    inputs: list[Future[Any]] = [_core.Future(), _core.Future()]
    references = [weakref.ref(source) for source in inputs]
    future = logic(*inputs)
    inputs.clear()
    gc.collect()
    source = references[1]()
    assert source is not None
    assert references[0]() is not None
    source.set_result(decisive(logic))
    del source
    assert all(is_gone(reference) for reference in references)
    assert future.done()
