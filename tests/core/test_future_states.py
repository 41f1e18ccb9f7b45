"""Which states a future goes through, whatever made it: one outcome, decided once, told the same way ever after.

Each test runs over the standard library's futures as well: they say what is right.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    FutureKind,
    Hostile,
    MadeByHand,
    OfTheStandardLibrary,
    SomeError,
    all_at_once,
    every_end,
    in_words,
    kind_fixture,
)

kind = kind_fixture(EVERY_KIND)

BY_HAND = [OfTheStandardLibrary, MadeByHand]


def told(future: Future[Any]) -> tuple[Any, ...]:
    """All that a done future says."""
    error = CancelledError if future.cancelled() else future.exception()
    return future.done(), future.running(), future.cancelled(), error, future._state


def test_a_new_future_is_neither_done_nor_running_nor_cancelled(kind: FutureKind) -> None:
    future = kind.pending()
    assert (future.done(), future.running(), future.cancelled()) == (False, False, False)
    assert future._state == "PENDING"


def test_a_running_future_is_not_done_and_cannot_be_cancelled(kind: FutureKind) -> None:
    future = kind.pending()
    kind.start(future)
    assert (future.done(), future.running(), future.cancelled()) == (False, True, False)
    assert future.cancel() is False
    assert future.running()
    kind.finish(future, "result")
    assert (future.done(), future.running(), future.result()) == (True, False, "result")


@pytest.mark.parametrize("result", [None, 0, "", [], SomeError("as a result"), Hostile()], ids=in_words)
def test_a_finished_future_has_its_result_and_no_exception(kind: FutureKind, result: object) -> None:
    future = kind.pending()
    kind.finish(future, result)
    assert (future.done(), future.running(), future.cancelled()) == (True, False, False)
    assert future.result() is result
    assert future.result() is result
    assert future.exception() is None
    assert future.cancel() is False
    assert future._state == "FINISHED"


@pytest.mark.parametrize("error_type", [SomeError, KeyError, CancelledError, TimeoutError, StopIteration, SystemExit])
def test_a_failed_future_raises_the_very_exception(kind: FutureKind, error_type: type[BaseException]) -> None:
    error = error_type("told")
    future = kind.pending()
    kind.fail(future, error)
    assert (future.done(), future.running(), future.cancelled()) == (True, False, False)
    assert future.exception() is error
    for _ in range(2):
        with pytest.raises(error_type) as raised:
            future.result()
        assert raised.value is error
    assert future.cancel() is False
    assert future._state == "FINISHED"


def test_a_cancelled_future_raises_from_result_and_exception(kind: FutureKind) -> None:
    future = kind.pending()
    assert future.cancel() is True
    assert (future.done(), future.running(), future.cancelled()) == (True, False, True)
    with pytest.raises(CancelledError):
        future.result()
    with pytest.raises(CancelledError):
        future.exception()
    assert future._state == kind.state_when_cancelled


def test_cancelling_a_cancelled_future_is_true_again(kind: FutureKind) -> None:
    future = kind.pending()
    assert [future.cancel() for _ in range(3)] == [True, True, True]


@every_end
@pytest.mark.parametrize(
    "set_outcome",
    [lambda future: future.set_result("late"), lambda future: future.set_exception(SomeError("late"))],
    ids=["set_result", "set_exception"],
)
def test_an_outcome_for_a_future_that_is_done_is_refused_and_changes_nothing(
    kind: FutureKind, how: str, set_outcome: Callable[[Future[Any]], None]
) -> None:
    future = kind.pending()
    kind.end(future, how)
    before = told(future)
    with pytest.raises(InvalidStateError) as refused:
        set_outcome(future)
    assert str(refused.value) == f"{future._state}: {future!r}"
    assert told(future) == before


def test_anyone_may_set_the_outcome_of_a_future_that_is_not_done(kind: FutureKind) -> None:
    with_result, with_error, error = kind.pending(), kind.pending(), SomeError()
    with_result.set_result("set")
    with_error.set_exception(error)
    assert with_result.result(0) == "set"
    assert with_error.exception(0) is error


def test_a_pending_future_can_be_marked_running_once(kind: FutureKind) -> None:
    future = kind.pending()
    assert future.set_running_or_notify_cancel() is True
    assert future._state == "RUNNING"
    with pytest.raises(RuntimeError):
        future.set_running_or_notify_cancel()
    assert future.running()
    assert future.cancel() is False
    future.set_result("ran")
    assert future.result() == "ran"


@pytest.mark.parametrize("kind_type", BY_HAND)
def test_an_executor_is_told_of_a_cancel_once(kind_type: type[MadeByHand]) -> None:
    future = kind_type().pending()
    assert future.cancel()
    assert future.set_running_or_notify_cancel() is False
    assert future._state == "CANCELLED_AND_NOTIFIED"
    assert (future.done(), future.cancelled(), future.cancel()) == (True, True, True)
    with pytest.raises(RuntimeError):
        future.set_running_or_notify_cancel()


@pytest.mark.parametrize("kind_type", BY_HAND)
def test_marking_a_done_future_running_is_logged_as_critical(
    kind_type: type[MadeByHand], caplog: pytest.LogCaptureFixture
) -> None:
    future = kind_type().pending()
    future.set_result(None)
    with pytest.raises(RuntimeError, match="Future in unexpected state"):
        future.set_running_or_notify_cancel()
    assert caplog.record_tuples == [
        ("concurrent.futures", logging.CRITICAL, f"Future {id(future)} in unexpected state: FINISHED")
    ]


def test_a_snapshot_says_done_cancelled_result_and_exception(kind: FutureKind) -> None:
    pending, running, finished, failed, cancelled = (kind.pending() for _ in range(5))
    if not hasattr(pending, "_get_snapshot"):
        pytest.skip("the standard library has no snapshots in this Python")
    error = SomeError()
    assert running.set_running_or_notify_cancel()
    kind.finish(finished, "result")
    kind.fail(failed, error)
    cancelled.cancel()
    assert pending._get_snapshot() == (False, False, None, None)
    assert running._get_snapshot() == (False, False, None, None)
    assert finished._get_snapshot() == (True, False, "result", None)
    assert failed._get_snapshot() == (True, False, None, error)
    assert cancelled._get_snapshot() == (True, True, None, None)


@every_end
def test_result_and_exception_are_readable_as_the_standard_library_keeps_them(kind: FutureKind, how: str) -> None:
    future = kind.pending()
    assert (future._result, future._exception) == (None, None)
    kind.end(future, how)
    if future.cancelled():
        assert (future._result, future._exception) == (None, None)
    else:
        assert future._exception is future.exception()
        assert future._result == (None if future._exception else future.result())


@pytest.mark.parametrize("threads", [2, 6])
def test_of_many_who_end_a_future_at_once_exactly_one_succeeds(kind: FutureKind, threads: int) -> None:
    for _ in range(20):
        future = kind.pending()

        def end(number: int, future: Future[Any] = future) -> object:
            """What the future must say if this call decided it; None if it came too late."""
            if number % 3 == 2:
                return CancelledError if future.cancel() else None
            error = SomeError(number)
            try:
                if number % 3 == 1:
                    future.set_exception(error)
                else:
                    future.set_result(number)
            except InvalidStateError:
                return None
            return error if number % 3 == 1 else number

        answers = all_at_once(*(lambda number=number: end(number) for number in range(threads)))
        ends = [answer for answer in answers if answer is not None and answer is not CancelledError]
        if future.cancelled():
            assert not ends
            assert CancelledError in answers
        else:
            assert ends == [future.exception() or future.result()]
            assert CancelledError not in answers
