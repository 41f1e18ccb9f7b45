"""f_zip, f_sequence and f_traverse: cancelling, what is kept of inputs, and races between them."""

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
    SomeError,
    Thing,
    all_at_once,
    every_end,
    is_gone,
    kind_fixture,
    listening_to,
    said,
)

from more_executors import _core, f_return, f_sequence, f_traverse, f_zip

kind = kind_fixture(EVERY_KIND)

Gather = Callable[[list[Any]], Future[Any]]


def zipped(inputs: list[Any]) -> Future[Any]:
    return f_zip(*inputs)


def traversed(inputs: list[Any]) -> Future[Any]:
    return f_traverse(inputs.__getitem__, range(len(inputs)))


every_gather = pytest.mark.parametrize(
    "gather", [zipped, f_sequence, traversed], ids=["f_zip", "f_sequence", "f_traverse"]
)
before_or_after = pytest.mark.parametrize("before", [True, False], ids=["done before", "done after"])


@every_gather
def test_cancelling_it_cancels_all_inputs_that_are_not_done(kind: FutureKind, gather: Gather) -> None:
    inputs = [kind.pending() for _ in range(4)]
    future = gather(inputs)
    kind.finish(inputs[1], "result")
    assert future.running() is False
    assert future.cancel() is True
    assert (future.cancelled(), future.cancel()) == (True, True)
    assert [source.cancelled() for source in inputs] == [True, False, True, True]
    assert inputs[1].result(0) == "result"


@every_gather
@before_or_after
def test_an_input_that_is_cancelled_cancels_the_others_and_it(kind: FutureKind, gather: Gather, before: bool) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = None if before else gather(inputs)
    assert inputs[1].cancel() is True
    future = future or gather(inputs)
    assert future.cancelled()
    assert all(source.cancelled() for source in inputs)


@every_gather
def test_an_input_that_runs_goes_on_while_it_is_cancelled(kind: FutureKind, gather: Gather) -> None:
    inputs = [kind.pending() for _ in range(3)]
    future = gather(inputs)
    kind.start(inputs[1])
    assert future.running() is False
    assert future.cancel() is True
    assert [source.cancelled() for source in inputs] == [True, False, True]
    assert inputs[1].running()
    kind.finish(inputs[1], "result")
    assert inputs[1].result(0) == "result"
    assert future.cancelled()


@every_gather
def test_inputs_that_are_done_are_not_asked(gather: Gather) -> None:
    class StatusRequest(Future):  # type: ignore[type-arg]
        def cancel(self) -> bool:
            asked.append(self)
            return super().cancel()

    asked: list[Any] = []
    inputs: list[Any] = [StatusRequest(), StatusRequest()]
    future = gather(inputs)
    inputs[0].set_result(1)
    future.cancel()
    assert asked == [inputs[1]]
    asked.clear()


@every_gather
def test_it_is_cancelled_before_its_inputs_are_asked(gather: Gather) -> None:
    seen: list[bool] = []
    source: Future[Any] = Future()
    future = gather([source, Future()])
    source.add_done_callback(lambda _: seen.append(future.cancelled()))
    assert future.cancel() is True
    assert seen == [True]


@every_gather
def test_an_input_whose_cancel_raises_is_logged_and_the_others_are_cancelled(gather: Gather) -> None:
    class Angry(DuckFuture):
        def cancel(self) -> Any:
            raise SomeError("not now")

    duck, source = Angry(), _core.Future[Any]()
    future = gather([duck, source])
    with listening_to("more_executors.futures") as heard:
        assert future.cancel() is True
    assert [line[2].args for line in heard.lines if line[2] is not None] == [("not now",)]
    assert source.cancelled()


@every_gather
def test_it_is_an_outsiders_to_end(gather: Gather) -> None:
    inputs: list[Future[Any]] = [Future(), Future()]
    future = gather(inputs)
    future.set_result("set by hand")
    inputs[0].set_result(1)
    inputs[1].set_result(2)
    assert future.result(0) == "set by hand"


@every_gather
@before_or_after
def test_ducks_will_do(gather: Gather, before: bool) -> None:
    ducks = [DuckFuture(), DuckFuture()]
    failing = DuckFuture()
    error = SomeError()
    if before:
        for duck in ducks:
            duck.end(5)
        failing.end(error=error)
    future, failed = gather(ducks), gather([failing, DuckFuture()])
    if not before:
        for duck in ducks:
            duck.end(5)
        failing.end(error=error)
    assert list(future.result(0)) == [5, 5]
    assert failed.exception(0) is error


@every_gather
def test_a_duck_that_calls_back_twice_counts_once(gather: Gather) -> None:
    ducks = [DuckFuture(), DuckFuture()]
    future = gather(ducks)
    ducks[0].end(1)
    ducks[0].end(2)
    assert not future.done()
    ducks[1].end(3)
    assert list(future.result(0)) == [1, 3]


@every_gather
def test_an_input_that_is_lost_cancels_it_and_the_others(gather: Gather) -> None:
    others: list[Future[Any]] = [Future(), _core.Future()]
    future = gather([others[0], Future(), others[1]])
    gc.collect()
    assert future.cancelled()
    assert all(other.cancelled() for other in others)


# -- what is kept --------------------------------------------------------------------------------------------------


@every_gather
@before_or_after
def test_no_input_is_kept_once_it_is_done(kind: FutureKind, gather: Gather, before: bool) -> None:
    other: Future[Any] = _core.Future()
    source = kind.pending()
    if before:
        kind.finish(source, 1)
    future = gather([source, other])
    if not before:
        kind.finish(source, 1)
    reference = weakref.ref(source)
    del source
    assert is_gone(reference)
    other.set_result(2)
    assert list(future.result(0)) == [1, 2]


@every_gather
def test_pending_inputs_of_ours_are_kept(gather: Gather) -> None:
    inputs: list[Future[Any]] = [_core.Future(), _core.Future()]
    references = [weakref.ref(source) for source in inputs]
    future = gather(list(inputs))
    inputs.clear()
    gc.collect()
    for number, reference in enumerate(references):
        source = reference()
        assert source is not None
        source.set_result(number)
        del source
    assert list(future.result(0)) == [0, 1]


@every_gather
@every_end
def test_neither_inputs_nor_results_are_kept_once_it_is_over(gather: Gather, how: str) -> None:
    inputs: list[Future[Any]] = [_core.Future() for _ in range(3)]
    future = gather(inputs)
    inputs[0].set_result(Thing())
    result = weakref.ref(inputs[0].result(0))
    if how == "fail":
        inputs[1].set_exception(SomeError())
    elif how == "cancel":
        future.cancel()
    else:
        future.set_result("set by hand")
    assert future.done()
    references = [weakref.ref(source) for source in inputs] + [result]
    del inputs
    assert all(is_gone(reference) for reference in references)


@every_gather
def test_what_nobody_refers_to_any_more_goes_away_unfinished(gather: Gather) -> None:
    inputs: list[Future[Any]] = [_core.Future(), _core.Future()]
    future = gather(inputs)
    references = [weakref.ref(thing) for thing in (*inputs, future)]
    del inputs, future
    assert all(is_gone(reference) for reference in references)


# -- races ---------------------------------------------------------------------------------------------------------


def wait_until_counted(source: Future[Any]) -> None:
    """Wait until what gathers `source`, a future of ours, has taken note that it is done: it keeps it no more."""
    for _ in range(int(PATIENCE * 1000)):
        if not any(type(referrer) is list for referrer in gc.get_referrers(source)):
            return
        InThread(int).outcome()
    raise AssertionError("it is still kept")


@every_gather
@pytest.mark.parametrize("how", ["fail", "cancel"])
def test_a_last_result_does_not_overtake_a_failure_or_cancellation(gather: Gather, how: str) -> None:
    # 1. The test holds the condition of the output, so that nobody else can end it.
    # 2. Another thread fails or cancels the first input: it is counted, and the thread waits for the condition.
    # 3. The test finishes the second input, the last one, and lets go.
    first: Future[Any] = _core.Future()
    second: Future[Any] = _core.Future()
    future = gather([first, second])
    with future._condition:
        thread = InThread(first.set_exception, SomeError()) if how == "fail" else InThread(first.cancel)
        wait_until_counted(first)
        second.set_result(2)
    thread.outcome()
    assert said(future) is (SomeError if how == "fail" else CancelledError)


@every_gather
def test_inputs_that_end_at_once_end_it_once(gather: Gather) -> None:
    for _ in range(100):
        inputs: list[Future[Any]] = [_core.Future() for _ in range(3)]
        future = gather(inputs)
        ends: list[Any] = []
        future.add_done_callback(ends.append)
        all_at_once(*(lambda source=source: source.set_result(1) for source in inputs))
        assert list(future.result(0)) == [1, 1, 1]
        assert ends == [future]
        ends.clear()


@every_gather
def test_a_failure_and_a_cancellation_at_once_end_it_once(gather: Gather) -> None:
    for _ in range(100):
        inputs: list[Future[Any]] = [_core.Future() for _ in range(3)]
        future = gather(inputs)
        ends: list[Any] = []
        future.add_done_callback(ends.append)

        def failing(source: Future[Any] = inputs[0]) -> bool:
            try:
                source.set_exception(SomeError())
            except Exception:
                return False
            return True

        failed, _ = all_at_once(failing, inputs[1].cancel)
        outcome = said(future, 0)
        assert outcome is CancelledError or (failed and outcome is SomeError)
        if outcome is CancelledError:
            assert inputs[2].cancelled()
        assert ends == [future]
        ends.clear()


@every_gather
def test_a_cancel_and_the_last_result_at_once_end_it_once(gather: Gather) -> None:
    for _ in range(100):
        source: Future[Any] = _core.Future()
        future = gather([f_return(1), source])
        ends: list[Any] = []
        future.add_done_callback(ends.append)

        def finish(source: Future[Any] = source) -> bool:
            try:
                source.set_result(2)
            except Exception:
                return False
            return True

        cancelled, finished = all_at_once(future.cancel, finish)
        assert cancelled or finished
        assert future.cancelled() is cancelled
        if not cancelled:
            assert list(future.result(0)) == [1, 2]
        assert ends == [future]
        ends.clear()
