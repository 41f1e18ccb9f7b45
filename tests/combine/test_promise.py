"""Futures that a program ends itself: exactly once, whoever comes first, and asked before they are cancelled."""

from __future__ import annotations

import concurrent.futures
import gc
import threading
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Any

import pytest
from support import PATIENCE, InThread, Parking, SomeError, all_at_once, listening_to

from more_executors import f_map, f_sequence, f_timeout
from more_executors.promise import PROMISES, Promise

ENDS: dict[str, tuple[Callable[[Promise[Any]], bool], str]] = {
    "result": (lambda p: p.yield_result(5), "5"),
    "exception": (lambda p: p.yield_exception(SomeError("no")), "SomeError('no')"),
    "cancelled": (lambda p: p.yield_cancelled(), "cancelled"),
}
every_end = pytest.mark.parametrize("how", ENDS)


def outcome_of(future: Future[Any]) -> str:
    try:
        return repr(future.exception(PATIENCE) or future.result(PATIENCE))
    except CancelledError:
        return "cancelled"


@every_end
def test_it_ends_its_future_once(how: str) -> None:
    promise: Promise[Any] = Promise()
    future = promise.future
    assert isinstance(future, concurrent.futures.Future)
    assert (future.done(), promise.done, future.running(), promise.future is future) == (False, False, False, True)
    end, outcome = ENDS[how]
    assert end(promise) is True
    for late, _ in ENDS.values():
        assert late(promise) is False
    assert outcome_of(future) == outcome
    assert promise.done
    assert future.cancel() is (how == "cancelled")


def test_a_result_of_none() -> None:
    promise: Promise[None] = Promise()
    assert promise.yield_result()
    assert promise.future.result() is None


def test_an_exception_as_a_class_and_with_a_traceback() -> None:
    try:
        raise SomeError
    except SomeError as error:
        trace = error.__traceback__
    promise: Promise[None] = Promise()
    promise.yield_exception(SomeError, trace)
    error = promise.future.exception()  # type: ignore[assignment]
    assert type(error) is SomeError
    assert traceback.extract_tb(error.__traceback__)[-1].lineno == traceback.extract_tb(trace)[-1].lineno


@pytest.mark.parametrize("wrong", [5, None, object])
def test_what_is_no_exception_is_refused(wrong: Any) -> None:
    promise: Promise[Any] = Promise()
    with pytest.raises(TypeError, match=r"^yield_exception"):
        promise.yield_exception(wrong)
    with pytest.raises(TypeError, match=r"^yield_exception: traceback must be a traceback, not 5"):
        promise.yield_exception(SomeError(), 5)  # type: ignore[arg-type]
    assert not promise.done


async def an_async_function() -> bool:
    return True


@pytest.mark.parametrize("wrong", [5, "x", an_async_function])
def test_a_cancel_fn_that_cannot_be_called_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^cancel_fn must"):
        Promise(wrong)


def test_repr() -> None:
    assert repr(Promise()).startswith("<Promise of <Future at 0x")


# -- cancelling --------------------------------------------------------------------------------------------------------


def test_without_a_function_it_is_cancelled_at_once() -> None:
    promise: Promise[Any] = Promise()
    assert promise.future.cancel() is True
    assert promise.future.cancel() is True
    assert promise.future.cancelled()
    assert promise.yield_result(1) is False


@pytest.mark.parametrize("answer", [True, 1, "yes"])
def test_the_function_decides_yes(answer: Any) -> None:
    promise: Promise[Any] = Promise(lambda: answer)
    assert promise.future.cancel() is True
    assert outcome_of(promise.future) == "cancelled"


@pytest.mark.parametrize("answer", [False, 0, None])
def test_the_function_decides_no_and_is_asked_again(answer: Any) -> None:
    asked: list[int] = []

    def cancel_fn() -> Any:
        asked.append(1)
        return answer

    promise: Promise[Any] = Promise(cancel_fn)
    assert promise.future.cancel() is False
    assert promise.future.cancel() is False
    assert len(asked) == 2
    assert promise.yield_result(3) is True
    assert promise.future.cancel() is False
    assert len(asked) == 2


class Odd:
    """Has no truth value."""

    def __bool__(self) -> bool:
        raise SomeError("neither")


def raising() -> bool:
    raise SomeError("no")


@pytest.mark.parametrize("cancel_fn", [raising, Odd])
def test_what_it_raises_is_logged_and_means_no(cancel_fn: Any) -> None:
    promise: Promise[Any] = Promise(cancel_fn)
    with listening_to("more_executors.futures") as logger:
        assert promise.future.cancel() is False
    ((level, message, error),) = logger.lines
    assert (level, message, type(error)) == ("ERROR", f"Exception during cancel on {promise.future}", SomeError)
    assert not promise.done


def test_what_is_made_from_it_asks_it_too() -> None:
    answers = [False, True]
    promise: Promise[Any] = Promise(lambda: answers.pop(0))
    mapped = f_map(promise.future, str)
    assert mapped.cancel() is False
    assert f_timeout(mapped, 3600).cancel() is True
    assert mapped.cancelled()
    assert promise.done


def test_a_gather_that_is_cancelled_asks_each() -> None:
    refusing: Promise[Any] = Promise(lambda: False)
    agreeing: Promise[Any] = Promise(lambda: True)
    gathered = f_sequence([refusing.future, agreeing.future])
    assert gathered.cancel() is True
    assert (refusing.done, agreeing.done) == (False, True)


@every_end
@pytest.mark.parametrize("answer", [True, False])
def test_the_function_may_end_it_itself(how: str, answer: bool) -> None:
    ended: list[Any] = []

    def cancel_fn() -> bool:
        ended.append(ENDS[how][0](promise))
        return answer

    promise: Promise[Any] = Promise(cancel_fn)
    assert promise.future.cancel() is (how == "cancelled")
    assert ended == [True]
    assert outcome_of(promise.future) == ENDS[how][1]


def test_the_function_may_cancel_the_future_which_is_no_for_now() -> None:
    answers: list[bool] = []

    def cancel_fn() -> bool:
        answers.append(promise.future.cancel())
        return True

    promise: Promise[Any] = Promise(cancel_fn)
    assert promise.future.cancel() is True
    assert answers == [False]


def test_it_is_cancelled_later_where_the_function_can_only_ask() -> None:
    asked = threading.Event()
    promise: Promise[Any] = Promise(asked.set)
    assert promise.future.cancel() is False
    assert asked.is_set()
    assert promise.yield_cancelled() is True
    assert promise.future.cancel() is True


# -- races -------------------------------------------------------------------------------------------------------------


@every_end
@pytest.mark.parametrize("answer", [True, False])
def test_it_ends_while_the_function_is_asked(how: str, answer: bool) -> None:
    # 1. A thread cancels, and is held up in the function; another one cancels, and shares the answer. 2. The promise
    # is kept: the second one has its answer. 3. The function answers: the truth is how the future has ended.
    parking = Parking(answer)
    promise: Promise[Any] = Promise(parking)
    first = InThread(promise.future.cancel)
    parking.wait_for_one()
    second = InThread(promise.future.cancel)  # 1
    assert ENDS[how][0](promise) is True  # 2
    assert second.outcome() is (how == "cancelled")
    parking.let_go()  # 3
    assert first.outcome() is (how == "cancelled")
    assert outcome_of(promise.future) == ENDS[how][1]


@pytest.mark.parametrize("answer", [True, False])
def test_threads_that_cancel_share_one_answer(answer: bool) -> None:
    parking = Parking(answer)
    promise: Promise[Any] = Promise(parking)
    first = InThread(promise.future.cancel)
    parking.wait_for_one()
    others = [InThread(promise.future.cancel) for _ in range(3)]
    parking.let_go()
    assert first.outcome() is answer
    found = [other.outcome() for other in others]
    assert promise.done is answer
    assert set(found) == {answer}


def test_nothing_is_held_while_the_function_is_asked() -> None:
    # 1. A thread cancels, and is held up in the function. 2. Others wait, call back, ask, and end the future.
    parking = Parking(True)
    promise: Promise[Any] = Promise(parking)
    cancelling = InThread(promise.future.cancel)
    parking.wait_for_one()  # 1
    called: list[Any] = []
    promise.future.add_done_callback(called.append)  # 2
    assert promise.future.running() is False
    with pytest.raises(concurrent.futures.TimeoutError):
        promise.future.result(0)
    assert concurrent.futures.wait([promise.future], 0).done == set()
    assert promise.yield_result(7)
    assert called == [promise.future]
    parking.let_go()
    assert cancelling.outcome() is False


def test_of_all_threads_one_ends_it() -> None:
    for _ in range(50):
        promise: Promise[Any] = Promise(lambda: True)
        called: list[Any] = []
        promise.future.add_done_callback(called.append)
        calls = [partial(end, promise) for end, _ in ENDS.values()]
        *won, cancelled = all_at_once(*calls, promise.future.cancel)
        assert sum(won) == (0 if cancelled and not won[2] else 1)
        assert cancelled is promise.future.cancelled()
        assert called == [promise.future]


# -- what is left ------------------------------------------------------------------------------------------------------


def test_a_promise_that_is_dropped_has_its_future_cancelled() -> None:
    future = Promise[Any](raising).future
    assert outcome_of(future) == "cancelled"
    waiting_for: Promise[Any] = Promise()
    waiting = InThread(outcome_of, waiting_for.future)
    del waiting_for
    gc.collect()
    assert waiting.outcome() == "cancelled"


def test_a_ring_through_the_function_is_collected() -> None:
    class Connection:
        def abort(self) -> bool:
            return True

    connection: Any = Connection()
    connection.promise = Promise(connection.abort)
    called: list[bool] = []
    connection.promise.future.add_done_callback(lambda future: called.append(future.cancelled()))
    gone = weakref.ref(connection)
    del connection
    gc.collect()
    assert gone() is None
    assert called == [True]


@every_end
def test_a_promise_that_is_over_keeps_no_function(how: str) -> None:
    class Function:
        def __call__(self) -> bool:
            return True

    function = Function()
    gone = weakref.ref(function)
    promise: Promise[Any] = Promise(function)
    del function
    ENDS[how][0](promise)
    assert gone() is None


def test_they_are_counted() -> None:
    before = (PROMISES.counters.finished, PROMISES.counters.failed, PROMISES.counters.cancelled)
    promises: list[Promise[Any]] = [Promise() for _ in range(4)]
    for promise, (end, _) in zip(promises, ENDS.values(), strict=False):
        end(promise)
    promises[3].future.cancel()
    after = (PROMISES.counters.finished, PROMISES.counters.failed, PROMISES.counters.cancelled)
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 2]
