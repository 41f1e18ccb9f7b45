"""Shutting down: no more work is taken, and every future there is is seen through, with and without waiting for it."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError
from math import inf
from typing import Any

import pytest
from support import (
    FOREVER,
    PATIENCE,
    DuckDelegate,
    HeardLogger,
    InThread,
    Parking,
    PollSleeps,
    RecordingPoll,
    SomeError,
    all_at_once,
    assert_ends,
    poll_thread,
    without_collector,
)

from more_executors import Executors, PollExecutor, SyncExecutor


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> PollSleeps:
    return PollSleeps(monkeypatch)


REFUSED = "^cannot schedule new futures after shutdown$"


def patient_poll(polls: int) -> Callable[[list[Any]], float]:
    """A poll function that resolves a task the `polls`-th time it sees it."""
    seen: dict[Any, int] = {}

    def poll_fn(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            seen[descriptor.result] = seen.get(descriptor.result, 0) + 1
            if seen[descriptor.result] == polls:
                descriptor.yield_result(descriptor.result)
        return 0.0

    return poll_fn


def pending_in_both_phases(
    poll: RecordingPoll, cancel_fn: Callable[[Any], object] | None = None, logger: Any = None
) -> tuple[PollExecutor[Any, Any], DuckDelegate, list[Any], list[Any]]:
    """An executor with futures 0, 1 and 2 polled, 3 and 4 with the delegate; and the descriptors of the former."""
    delegate = DuckDelegate()
    executor = PollExecutor(delegate, poll, cancel_fn, logger=logger, name="both")
    futures = [executor.submit(int) for _ in range(5)]
    for key in range(3):
        delegate.given[key].end(key)
    return executor, delegate, futures, poll.next_with([0, 1, 2])


def wait_until_refused(executor: PollExecutor[Any, Any]) -> None:
    """Wait until `shutdown`, on another thread, has closed it."""
    while executor._table.closed is None:
        threading.Event().wait(0.001)


def end_all(delegate: DuckDelegate, descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result("seen through")
    for given in delegate.given[3:]:
        given.end(error=KeyError("seen through"))


# -- waiting, or not ----------------------------------------------------------------------------------------------


def test_leaving_a_with_block_waits_until_all_futures_are_done() -> None:
    with Executors.thread_pool(2).with_poll(patient_poll(10), name="waited") as executor:
        thread = poll_thread("waited")
        futures = [executor.submit(int, key) for key in range(20)]
    assert [future.done() for future in futures] == [True] * 20
    assert [future.result(0) for future in futures] == list(range(20))
    assert not thread.is_alive()


def test_an_error_in_the_with_block_shuts_down_all_the_same() -> None:
    executor = PollExecutor(SyncExecutor(), patient_poll(3))

    def fail() -> None:
        with executor:
            futures.append(executor.submit(int, 1))
            raise SomeError

    futures: list[Any] = []
    with pytest.raises(SomeError):
        fail()
    assert futures[0].done()
    assert futures[0].result(0) == 1


def test_shutdown_without_waiting_returns_at_once_and_polling_goes_on_until_all_is_done() -> None:
    poll = RecordingPoll()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll)
    thread = poll_thread("both")
    executor.shutdown(wait=False)
    assert delegate.shutdowns == []
    assert not any(future.done() for future in futures)
    descriptors[0].yield_result("a")
    delegate.given[3].end("joins after shutdown")
    assert futures[0].result(0) == "a"
    poll.next_with([1, 2, "joins after shutdown"])
    executor.notify()
    poll.next_with([1, 2, "joins after shutdown"])[-1].yield_result("b")
    assert futures[3].result(0) == "b"
    assert thread.is_alive()
    assert delegate.shutdowns == []
    end_all(delegate, descriptors)
    assert delegate.wait_for_shutdown() == {"wait": False}
    assert_ends(thread)
    executor.notify()


def test_shutdown_that_waits_returns_when_the_last_future_is_done() -> None:
    poll = RecordingPoll()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll)
    shutting_down = InThread(executor.shutdown)
    wait_until_refused(executor)
    for descriptor in descriptors:
        descriptor.yield_result()
    delegate.given[3].end(error=ValueError())
    assert shutting_down.is_alive()
    delegate.given[4].end("last")
    assert shutting_down.is_alive()
    assert delegate.shutdowns == []
    poll.next_with(["last"])[0].yield_result()
    shutting_down.outcome()
    assert all(future.done() for future in futures)
    assert delegate.shutdowns == [{"wait": True}]


def test_shutdown_that_waits_ends_although_the_poll_function_fails() -> None:
    def poll_fn(descriptors: list[Any]) -> None:
        raise SystemExit("of the poll")

    with PollExecutor(Executors.thread_pool(1), poll_fn, logger=HeardLogger()) as executor:
        futures = [executor.submit(int) for _ in range(3)]
    assert [type(future.exception(0)) for future in futures] == [SystemExit] * 3


def test_an_idle_executor_is_shut_down_without_another_poll(sleeps: PollSleeps) -> None:
    poll = RecordingPoll()
    with PollExecutor(SyncExecutor(), poll):
        assert sleeps.next() == FOREVER
    assert poll.next() == []
    assert not poll.unasked()


def test_shutdown_asks_for_no_poll_while_futures_are_pending(sleeps: PollSleeps) -> None:
    poll, delegate = RecordingPoll(), DuckDelegate()
    executor = PollExecutor(delegate, poll)
    executor.submit(int)
    assert sleeps.next() == FOREVER
    before = sleeps.wake_ups()
    executor.shutdown(wait=False)
    after = sleeps.wake_ups()
    delegate.given[0].end(error=ValueError())
    assert after == before


# -- afterwards ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [True, False])
def test_submit_after_shutdown_raises_and_asks_no_delegate(wait: bool) -> None:
    delegate = DuckDelegate()
    executor = PollExecutor(delegate, RecordingPoll())
    executor.shutdown(wait)
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.map(int, "123")
    assert not delegate.submitted


def test_a_second_shutdown_does_nothing() -> None:
    poll = RecordingPoll()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll)
    with executor:
        executor.shutdown(wait=False)
        executor.shutdown(wait=True)
        executor.shutdown(wait=False, cancel_futures=True)
    assert not any(future.done() for future in futures)
    end_all(delegate, descriptors)
    assert delegate.wait_for_shutdown() == {"wait": False}


def test_of_shutdowns_at_the_same_time_one_counts() -> None:
    delegate = DuckDelegate()
    executor = PollExecutor(delegate, RecordingPoll())
    all_at_once(*[executor.shutdown] * 5)
    assert delegate.shutdowns == [{"wait": True}]


# -- cancelling ---------------------------------------------------------------------------------------------------


def test_cancel_futures_cancels_what_can_be_cancelled_and_sees_the_rest_through() -> None:
    poll = RecordingPoll()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll, lambda result: result == 1)
    delegate.given[4].agrees_to_cancel = True
    shutting_down = InThread(lambda: executor.shutdown(cancel_futures=True))
    with pytest.raises(CancelledError):
        futures[4].result(PATIENCE)
    with pytest.raises(CancelledError):
        futures[1].result(PATIENCE)
    assert shutting_down.is_alive()
    executor.notify()
    poll.next_with([0, 2])
    end_all(delegate, descriptors)
    shutting_down.outcome()
    assert delegate.shutdowns == [{"wait": True, "cancel_futures": True}]
    assert [future.cancelled() for future in futures] == [False, True, False, False, True]
    assert [f.result(0) for f in (futures[0], futures[2])] == ["seen through"] * 2
    assert type(futures[3].exception(0)) is KeyError


def test_without_a_cancel_fn_cancel_futures_cancels_all_that_is_polled() -> None:
    executor = PollExecutor(SyncExecutor(), RecordingPoll())
    futures = [executor.submit(int) for _ in range(3)]
    executor.shutdown(cancel_futures=True)
    assert [future.cancelled() for future in futures] == [True] * 3


def test_without_cancel_futures_nothing_is_cancelled() -> None:
    poll = RecordingPoll()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll, lambda result: pytest.fail("asked"))
    executor.shutdown(wait=False)
    end_all(delegate, descriptors)
    assert not any(future.cancelled() for future in futures)


def test_cancel_fn_may_try_to_submit_or_to_shut_down_meanwhile() -> None:
    refusals: list[Any] = []

    def cancel_fn(result: Any) -> bool:
        executor.shutdown(cancel_futures=True)
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        refusals.append(result)
        return True

    executor = PollExecutor(SyncExecutor(), RecordingPoll(), cancel_fn)
    futures = [executor.submit(int, key) for key in range(3)]
    executor.shutdown(cancel_futures=True)
    assert refusals == [0, 1, 2]
    assert all(future.cancelled() for future in futures)


def test_a_cancel_fn_that_raises_keeps_no_other_future_from_being_cancelled() -> None:
    poll, logger = RecordingPoll(), HeardLogger()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll, lambda result: 1 // (result % 2), logger)
    executor.shutdown(wait=False, cancel_futures=True)
    assert [future.cancelled() for future in futures] == [False, True, False, False, False]
    assert len(logger.of_level("ERROR")) == 2
    end_all(delegate, descriptors)


@pytest.mark.parametrize("wait", [True, False])
def test_a_ctrl_c_in_a_cancel_fn_gets_out_of_shutdown_which_has_its_effect(wait: bool) -> None:
    def cancel_fn(result: Any) -> bool:
        raise KeyboardInterrupt

    poll = RecordingPoll()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll, cancel_fn)
    thread = poll_thread("both")
    with pytest.raises(KeyboardInterrupt):
        executor.shutdown(wait, cancel_futures=True)
    assert delegate.shutdowns == []
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)
    end_all(delegate, descriptors)
    assert all(future.done() for future in futures)
    assert delegate.wait_for_shutdown()["wait"] is False
    assert_ends(thread)


# -- from anywhere ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("cancel_futures", [True, False])
def test_shutdown_in_the_poll_function_does_not_wait(wait: bool, cancel_futures: bool) -> None:
    def poll_fn(descriptors: list[Any]) -> float:
        if descriptors:
            executor.shutdown(wait, cancel_futures=cancel_futures)
        for descriptor in descriptors:
            descriptor.yield_result("seen through")
        return inf

    delegate = DuckDelegate()
    executor = PollExecutor(delegate, poll_fn, name="own")
    thread = poll_thread("own")
    futures = [executor.submit(int) for _ in range(2)]
    delegate.given[0].end("key")
    if cancel_futures:
        with pytest.raises(CancelledError):
            futures[0].result(PATIENCE)
    else:
        assert futures[0].result(PATIENCE) == "seen through"
    delegate.given[1].end("joins later")
    assert futures[1].result(PATIENCE) == "seen through"
    assert_ends(thread)
    assert delegate.wait_for_shutdown()["wait"] is False


@pytest.mark.parametrize("by", ["the poll", "a cancel", "another thread"])
def test_shutdown_in_a_callback(by: str) -> None:
    poll = RecordingPoll()

    def poll_fn(descriptors: list[Any]) -> Any:
        for descriptor in descriptors:
            if by == "the poll" or descriptor.result:
                descriptor.yield_result("seen through")
        return poll(descriptors)

    executor = PollExecutor(SyncExecutor(), poll_fn, name="own")
    thread = poll_thread("own")
    poll.next()
    first, other = executor.submit(int, 0), executor.submit(int, 1)
    assert other.result(PATIENCE) == "seen through"
    if by == "the poll":
        assert first.result(PATIENCE) == "seen through"
        first = executor.submit(int, 0)
    first.add_done_callback(lambda _: executor.shutdown())
    if by == "a cancel":
        assert first.cancel() is True
    elif by == "another thread":
        (descriptor,) = [found for found in poll.next() if found.result == 0]
        InThread(descriptor.yield_result, "seen through").outcome()
    if by != "a cancel":
        assert first.result(PATIENCE) == "seen through"
    assert_ends(thread)


def test_shutdown_in_a_cancel_fn_waits_for_that_future_too() -> None:
    poll, delegate = RecordingPoll(), DuckDelegate()

    def cancel_fn(result: Any) -> bool:
        executor.shutdown()
        return True

    executor = PollExecutor(delegate, poll, cancel_fn)
    future = executor.submit(int)
    delegate.given[0].end("key")
    (descriptor,) = poll.next_of(1)
    cancelling = InThread(future.cancel)
    wait_until_refused(executor)
    assert cancelling.is_alive()
    descriptor.yield_result("seen through")
    assert cancelling.outcome() is False
    assert future.result(0) == "seen through"


def test_shutdown_in_a_cancel_fn_without_waiting() -> None:
    def cancel_fn(result: Any) -> bool:
        executor.shutdown(wait=False)
        return True

    executor = PollExecutor(SyncExecutor(), RecordingPoll(), cancel_fn, name="own")
    thread = poll_thread("own")
    assert executor.submit(int).cancel() is True
    assert_ends(thread)


@pytest.mark.parametrize("base", [SyncExecutor, lambda: Executors.thread_pool(1)], ids=["sync", "pool"])
def test_shutdown_in_a_callable_without_waiting(base: Callable[[], Any]) -> None:
    executor = PollExecutor(base(), patient_poll(2), name="own")
    thread = poll_thread("own")
    future = executor.submit(lambda: (executor.shutdown(wait=False), "seen through")[1])
    assert future.result(PATIENCE) == "seen through"
    assert_ends(thread)


@pytest.mark.parametrize("base", [SyncExecutor, lambda: Executors.thread_pool(1)], ids=["sync", "pool"])
def test_shutdown_in_a_callable_does_not_wait_for_itself_for_ever(base: Callable[[], Any]) -> None:
    executor = PollExecutor(base(), patient_poll(2))
    submitting = InThread(lambda: executor.submit(executor.shutdown).exception(PATIENCE))
    try:
        error = submitting.outcome()
    finally:
        executor._table.cancel_all()
    assert error is None or "cannot join current thread" in str(error), "as of concurrent.futures"


def test_shutdown_of_the_upper_of_two_on_the_thread_of_the_lower_does_not_wait_for_ever() -> None:
    parking, returned = Parking(inf), threading.Event()

    def lower(descriptors: list[Any]) -> float:
        for descriptor in descriptors[:1]:
            if descriptor.result == "fails":
                descriptor.yield_exception(KeyError)
        parking(descriptors)
        for descriptor in descriptors:
            descriptor.yield_result("seen through")
        return inf

    executor = PollExecutor(SyncExecutor(), lower).with_poll(patient_poll(1))
    parking.wait_for_one()
    failing, other = executor.submit(str, "fails"), executor.submit(str, "other")
    failing.add_done_callback(lambda _: (executor.shutdown(), returned.set()))
    parking.let_go()
    try:
        assert returned.wait(PATIENCE)
        assert other.result(PATIENCE) == "seen through"
    finally:
        executor._table.cancel_all()


def test_what_is_shut_down_and_dropped_is_seen_through_and_gone_without_being_collected() -> None:
    poll = RecordingPoll()
    executor, delegate, futures, descriptors = pending_in_both_phases(poll)
    thread, gone = poll_thread("both"), weakref.ref(executor)
    with without_collector():
        executor.shutdown(wait=False)
        kept = futures[0]
        del executor, futures
        delegate.given[3].end("joins later")
        poll.next_with([0, 1, 2, "joins later"])[-1].yield_result()
        assert thread.is_alive()
        end_all(delegate, descriptors)
        assert kept.result(0) == "seen through"
        assert_ends(thread)
        assert gone() is None


def test_what_is_shut_down_and_dropped_with_all_its_futures_is_seen_through() -> None:
    resolve, resolved = threading.Event(), threading.Event()

    def poll_fn(descriptors: list[Any]) -> float:
        if resolve.is_set():
            for descriptor in descriptors:
                descriptor.yield_result()
        return 0.001

    executor = PollExecutor(SyncExecutor(), poll_fn, name="own")
    thread = poll_thread("own")
    executor.submit(int).add_done_callback(lambda _: resolved.set())
    executor.shutdown(wait=False)
    del executor
    gc.collect()
    resolve.set()
    assert resolved.wait(PATIENCE)
    assert_ends(thread)


def test_shutdown_in_a_callback_on_a_thread_of_the_delegate_does_not_wait_for_that_thread() -> None:
    def fail() -> None:
        parking()
        raise KeyError

    def shut_down(_: Any) -> None:
        try:
            executor.shutdown()
        except RuntimeError as error:
            outcome.append(str(error))
        else:
            outcome.append("not waited")
        called.set()

    parking, called = Parking(), threading.Event()
    outcome: list[str] = []
    executor = Executors.thread_pool(1).with_poll(patient_poll(1), name="own")
    thread = poll_thread("own")
    future = executor.submit(fail)
    parking.wait_for_one()
    future.add_done_callback(shut_down)
    parking.let_go()
    assert called.wait(PATIENCE)
    assert outcome[0] in ("not waited", "cannot join current thread"), "the latter is what concurrent.futures says"
    assert_ends(thread)
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)
