"""What happens at the same time: whichever comes first, every future ends once, and everybody hears the same of it.

The schedule of a test is in the numbered steps above it; threads are held at the point in question until the test lets
them go on.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from math import inf
from types import SimpleNamespace
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
    SteppedPoll,
    all_at_once,
    assert_ends,
    poll_thread,
    polling,
    without_collector,
)

from more_executors import Executors, PollExecutor, SyncExecutor


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> PollSleeps:
    return PollSleeps(monkeypatch)


# 1. A asks the delegate's future to cancel, and is held there.
# 2. The delegate finishes; the task joins the polled list.
# 3. A goes on; the delegate says that it did not cancel, or that it did, which is not true any more.
# 4. cancel_fn decides.
@pytest.mark.parametrize("delegate_says", [False, True])
@pytest.mark.parametrize("cancel_fn_says", [False, True])
def test_a_cancel_that_a_joining_task_overtakes_is_cancel_fns_decision(
    delegate_says: bool, cancel_fn_says: bool
) -> None:
    poll, delegate, parking = RecordingPoll(), DuckDelegate(), Parking(delegate_says)
    asked: list[Any] = []
    with PollExecutor(delegate, poll, lambda result: (asked.append(result), cancel_fn_says)[1]) as executor:
        future = executor.submit(int)
        delegate.given[0].cancel = parking
        cancelling = InThread(future.cancel)
        parking.wait_for_one()
        delegate.given[0].end("key")
        (descriptor,) = poll.next_of(1)
        parking.let_go()
        assert cancelling.outcome() is cancel_fn_says
        assert future.cancelled() is cancel_fn_says
        assert asked == ["key"]
        descriptor.yield_result("went on")
        assert future.cancelled() is cancel_fn_says


# 1. The delegate finishes; its thread A is held on the way to the polled list, asking for the result.
# 2. cancel(): the delegate agrees.
# 3. A goes on, too late.
def test_a_task_that_is_cancelled_while_it_joins_is_never_polled(sleeps: PollSleeps) -> None:
    poll, delegate, parking = RecordingPoll(), DuckDelegate(), Parking("key")
    with PollExecutor(delegate, poll, lambda result: False) as executor:
        assert sleeps.next() == FOREVER
        woken = sleeps.wake_ups()
        future = executor.submit(int)
        delegate.given[0].result = parking
        delegate.given[0].agrees_to_cancel = True
        finishing = InThread(delegate.given[0].end, "key")
        parking.wait_for_one()
        assert future.cancel() is True
        parking.let_go()
        finishing.outcome()
        assert future.cancelled()
        assert sleeps.wake_ups() == woken, "nothing joined"
        executor.notify()
        assert [poll.next(), poll.next()] == [[], []]


# 1. The delegate finishes; its thread A is held on the way to the polled list.
# 2. B shuts down, and gets as far as waiting for the future.
# 3. A goes on; the task joins, is polled and resolved.
# 4. Only then does B return.
@pytest.mark.parametrize("cancel_futures", [False, True])
def test_what_joins_during_shutdown_is_seen_through(cancel_futures: bool) -> None:
    poll, delegate, parking = RecordingPoll(), DuckDelegate(), Parking("key")
    executor = PollExecutor(delegate, poll, lambda result: False)
    future = executor.submit(int)
    delegate.given[0].result = parking
    finishing = InThread(delegate.given[0].end, "key")
    parking.wait_for_one()
    shutting_down = InThread(lambda: executor.shutdown(cancel_futures=cancel_futures))
    while executor._table.closed is None:
        threading.Event().wait(0.001)
    parking.let_go()
    finishing.outcome()
    (descriptor,) = poll.next_of(1)
    assert shutting_down.is_alive()
    descriptor.yield_result("seen through")
    shutting_down.outcome()
    assert future.result(0) == "seen through"


# 1. A submits, and is held in the delegate's submit.
# 2. B shuts down, and gets as far as waiting.
# 3. A goes on: the delegate takes the task, or refuses.
# 4. What was taken is polled and resolved. Only then does B return.
@pytest.mark.parametrize("takes_it", [True, False])
@pytest.mark.parametrize("cancel_futures", [True, False])
def test_shutdown_waits_for_a_submit_that_has_begun(takes_it: bool, cancel_futures: bool) -> None:
    poll, delegate, refusal = RecordingPoll(), DuckDelegate(), RuntimeError("the delegate is shut down")
    given: Future[Any] = Future()
    parking = Parking(given, raising=None if takes_it else refusal)
    delegate.submit = parking  # type: ignore[method-assign]
    executor = PollExecutor(delegate, poll)
    waits, wait = threading.Event(), executor._wait_until_drained

    def say_that_it_waits() -> None:
        waits.set()
        wait()

    executor._wait_until_drained = say_that_it_waits  # type: ignore[method-assign]
    submitting = InThread(executor.submit, int)
    parking.wait_for_one()
    shutting_down = InThread(lambda: executor.shutdown(cancel_futures=cancel_futures))
    assert waits.wait(PATIENCE)
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        executor.submit(int)
    assert shutting_down.is_alive()
    parking.let_go()
    if takes_it:
        future = submitting.outcome()
        given.set_result("key")
        poll.next_of(1)[0].yield_result("seen through")
        assert future.result(0) == "seen through"
    else:
        with pytest.raises(RuntimeError) as raised:
            submitting.outcome()
        assert raised.value is refusal
    shutting_down.outcome()
    assert len(parking.calls) == 1


# 1. The poll is over; the poll thread is about to sleep, and held there.
# 2. Something asks for a poll.
# 3. The poll thread goes on, and does not sleep.
@pytest.mark.parametrize("what", ["notify", "join"])
def test_what_asks_for_a_poll_while_the_thread_falls_asleep_is_heard(sleeps: PollSleeps, what: str) -> None:
    poll, parking = RecordingPoll(), Parking()
    sleeps.before_sleep = parking
    with polling(poll) as executor:
        parking.wait_for_one()
        assert poll.next() == []
        if what == "notify":
            executor.notify()
        else:
            executor.submit(str, "key")
        parking.let_go()
        assert [descriptor.result for descriptor in poll.next()] == ([] if what == "notify" else ["key"])


# 1. The poll thread is held in the poll function, or about to sleep.
# 2. The last reference to the executor is dropped, or the executor shut down.
# 3. The poll thread goes on, and ends. Nothing needed collecting.
@pytest.mark.parametrize("where", ["polling", "about to sleep"])
@pytest.mark.parametrize("end", ["dropped", "shut down"])
def test_the_thread_ends_wherever_it_is_when_the_executor_does(sleeps: PollSleeps, where: str, end: str) -> None:
    parking = Parking(inf)
    free = Parking()
    free.let_go()
    sleeps.before_sleep = parking if where == "about to sleep" else free
    executor = PollExecutor(SyncExecutor(), parking if where == "polling" else free, name="held")
    thread, gone = poll_thread("held"), weakref.ref(executor)
    with without_collector():
        parking.wait_for_one()
        if end == "shut down":
            executor.shutdown(wait=False)
        del executor
        parking.let_go()
        assert_ends(thread)
        assert gone() is None


# 1. A cancels, and is held telling somebody who waits for the future, as concurrent.futures.wait does.
# 2. B cancels as well, and is told that the future is cancelled.
# 3. There is a poll.
def test_once_a_cancel_was_told_true_no_list_has_the_descriptor() -> None:
    poll, parking = RecordingPoll(), Parking()
    with polling(poll) as executor:
        futures = [executor.submit(str, key) for key in "ab"]
        poll.next_with(["a", "b"])
        futures[0]._waiters.append(SimpleNamespace(add_cancelled=parking))  # type: ignore[attr-defined]
        cancelling = InThread(futures[0].cancel)
        parking.wait_for_one()
        try:
            assert futures[0].cancel() is True
            executor.notify()
            poll.next_with(["b"])
        finally:
            parking.let_go()
            assert cancelling.outcome() is True


# 1. A yields, and is held telling somebody who waits for the future.
# 2. B cancels: too late, although A has not returned.
def test_a_future_that_is_just_being_resolved_cannot_be_cancelled() -> None:
    poll, parking = RecordingPoll(), Parking()
    with PollExecutor(SyncExecutor(), poll, lambda result: pytest.fail("asked")) as executor:
        future = executor.submit(str, "key")
        (descriptor,) = poll.next_of(1)
        future._waiters.append(SimpleNamespace(add_result=parking))  # type: ignore[attr-defined]
        resolving = InThread(descriptor.yield_result, "won")
        parking.wait_for_one()
        assert future.cancel() is False
        assert future.result(0) == "won"
        parking.let_go()
        resolving.outcome()


@pytest.mark.parametrize("ends", ["cancels", "resolves", "fails"])
def test_a_callback_may_end_other_futures_that_the_poll_is_about_to_resolve(ends: str) -> None:
    poll = SteppedPoll()
    others: list[Any] = []

    def end_others(_: Any) -> None:
        for future, descriptor in others:
            if ends == "cancels":
                assert future.cancel()
            elif ends == "resolves":
                descriptor.yield_result("by the callback")
            else:
                descriptor.yield_exception(KeyError("by the callback"))

    def poll_fn(descriptors: list[Any]) -> Any:
        poll(descriptors)
        for descriptor in descriptors:
            descriptor.yield_result("by the poll")

    with PollExecutor(SyncExecutor(), poll_fn) as executor:
        first_call = poll.next()
        futures = [executor.submit(str, key) for key in "abc"]
        futures[0].add_done_callback(end_others)
        first_call.end()
        call = poll.next()
        others.extend(zip(futures[1:], call.descriptors[1:], strict=True))
        call.end()
        assert futures[0].result(PATIENCE) == "by the poll"
        for future in futures[1:]:
            assert wait([future], PATIENCE).done
            if ends == "cancels":
                assert future.cancelled()
            else:
                assert "by the callback" in repr(future.exception(0) or future.result(0))
        others.clear()


def test_a_callback_may_add_callbacks_and_submit_more() -> None:
    poll = RecordingPoll()
    order: list[str] = []
    more: list[Any] = []

    def first(future: Any) -> None:
        order.append("first")
        future.add_done_callback(lambda _: order.append("added by the first, at once"))
        other.add_done_callback(lambda _: order.append("of the other"))
        more.append(executor.submit(str, "more"))

    with polling(poll) as executor:
        future, other = executor.submit(str, "a"), executor.submit(str, "b")
        descriptors = poll.next_with(["a", "b"])
        future.add_done_callback(first)
        future.add_done_callback(lambda _: order.append("second"))
        descriptors[0].yield_result()
        assert order == ["first", "added by the first, at once", "second"]
        descriptors[1].yield_result()
        assert order[3:] == ["of the other"]
        executor.notify()
        poll.next_with(["more"])[0].yield_result("done")
        assert more.pop().result(0) == "done"


def test_a_poll_function_may_yield_everything_twice_from_anywhere_at_any_time() -> None:
    threads: list[InThread] = []
    callbacks: list[Any] = []

    def yield_all(descriptors: list[Any], outcome: str) -> None:
        for descriptor in descriptors:
            descriptor.yield_result((outcome, descriptor.result))
            descriptor.yield_exception(KeyError)

    def poll_fn(descriptors: list[Any]) -> float:
        threads.append(InThread(yield_all, descriptors.copy(), "elsewhere"))
        yield_all(descriptors[::2], "in the poll")
        threads.append(InThread(yield_all, descriptors, "afterwards"))
        return inf

    with PollExecutor(SyncExecutor(), poll_fn) as executor:
        futures = [executor.submit(int, key) for key in range(200)]
        for future in futures:
            future.add_done_callback(callbacks.append)
        assert [future.result(PATIENCE)[1] for future in futures] == list(range(200))
        executor.shutdown()
        for thread in threads:
            thread.outcome()
        assert len(callbacks) == len(set(callbacks)) == 200
    threads.clear()
    callbacks.clear()


def test_of_all_that_end_a_future_at_the_same_time_one_wins_and_everybody_hears_of_that(sleeps: PollSleeps) -> None:
    poll = SteppedPoll()
    error = ValueError("of the poll")
    with PollExecutor(SyncExecutor(), poll, lambda result: True, logger=HeardLogger()) as executor:
        poll.next().end()
        assert sleeps.next() == FOREVER
        for round_ in range(20):
            future = executor.submit(str, "key")
            call = poll.next()
            (descriptor,) = call.descriptors
            callbacks: list[Any] = []
            future.add_done_callback(callbacks.append)
            contenders: list[Callable[[], Any]] = [
                lambda: future.cancel(),  # noqa: B023
                lambda: future.cancel(),  # noqa: B023
                lambda: descriptor.yield_result("result"),  # noqa: B023
                lambda: descriptor.yield_exception(KeyError("exception")),  # noqa: B023
                lambda: call.end(raising=error),  # noqa: B023
                lambda: (wait([future], PATIENCE), future.running(), repr(future), future.done())[-1],  # noqa: B023
            ]
            shift = round_ % len(contenders)
            order = contenders[shift:] + contenders[:shift]
            answers = all_at_once(*order)
            answers = answers[-shift:] + answers[:-shift] if shift else answers
            sleeps.next()  # the poll that raised is over
            assert answers[0] is answers[1] is future.cancelled()
            assert answers[5] is True
            if not future.cancelled():
                outcome = future.exception(0) or future.result(0)
                assert outcome is error or str(outcome) in ("result", "'exception'")
            assert callbacks == [future]


def test_futures_submitted_polled_resolved_and_cancelled_by_many_threads_all_end_once() -> None:
    ended: list[Any] = []

    def poll_fn(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            if descriptor.result % 2:
                descriptor.yield_exception(KeyError)
            else:
                descriptor.yield_result(descriptor.result)
        return 0.0

    def submit_many() -> list[tuple[Any, bool]]:
        outcomes = []
        for key in range(100):
            future = executor.submit(int, key)
            future.add_done_callback(ended.append)
            outcomes.append((future, key % 3 == 0 and future.cancel()))
            executor.notify()
        return outcomes

    with Executors.thread_pool(2).with_poll(poll_fn, lambda result: True) as executor:
        for outcomes in all_at_once(*[submit_many] * 3):
            for key, (future, cancelled) in enumerate(outcomes):
                if cancelled:
                    assert future.cancelled()
                elif key % 2:
                    assert type(future.exception(PATIENCE)) is KeyError
                else:
                    assert future.result(PATIENCE) == key
    assert len(ended) == len(set(ended)) == 300
    ended.clear()
