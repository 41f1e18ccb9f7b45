"""PollEngine: when the poll function is called, on which thread, and with what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from support import (
    FOREVER,
    PATIENCE,
    DuckDelegate,
    PollSleeps,
    RecordingPoll,
    ScriptedDelegate,
    SteppedPoll,
    Thing,
    poll_thread,
    polling,
    returning,
)

from more_executors import Executors, PollDescriptor, PollExecutor, SyncExecutor


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> PollSleeps:
    return PollSleeps(monkeypatch)


def test_the_first_poll_comes_at_once_and_its_list_is_empty() -> None:
    poll = RecordingPoll()
    with polling(poll):
        assert poll.next() == []


def test_what_joins_is_polled_at_once() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        poll.next()
        executor.submit(str, 1)
        (descriptor,) = poll.next()
        assert isinstance(descriptor, PollDescriptor)
        assert descriptor.result == "1"


def test_notify_polls_at_once(sleeps: PollSleeps) -> None:
    poll = RecordingPoll()
    with PollExecutor(SyncExecutor(), poll) as executor:
        for _ in range(3):
            assert poll.next() == []
            assert sleeps.next() == FOREVER
            assert not poll.unasked()
            executor.notify()


def test_a_notify_during_a_poll_is_not_lost_and_several_are_one(sleeps: PollSleeps) -> None:
    poll = SteppedPoll()
    with PollExecutor(SyncExecutor(), poll) as executor:
        first = poll.next()
        for _ in range(5):
            executor.notify()
        first.end()
        assert sleeps.next() == FOREVER  # which the notifies end
        poll.next().end()
        assert sleeps.next() == FOREVER  # which nothing ends: the poll was one
        assert sleeps.wake_ups() == 1


def test_what_joins_during_a_poll_is_polled_after_it() -> None:
    poll = SteppedPoll()
    with PollExecutor(SyncExecutor(), poll) as executor:
        first = poll.next()
        future = executor.submit(str, 1)
        assert first.descriptors == []
        first.end()
        second = poll.next()
        second.descriptors[0].yield_result("done")
        second.end()
        assert future.result(PATIENCE) == "done"


def test_after_the_delay_it_polls_again(sleeps: PollSleeps) -> None:
    poll = RecordingPoll(2.5)
    sleeps.let_pass(2)
    with PollExecutor(SyncExecutor(), poll):
        assert [sleeps.next() for _ in range(3)] == [2.5, 2.5, 2.5]
        assert poll.unasked() == 3


def test_a_delay_passes_on_the_clock() -> None:
    poll = RecordingPoll(0.001)
    with PollExecutor(SyncExecutor(), poll, default_interval=1000.0):
        for _ in range(5):
            poll.next()


@pytest.mark.parametrize(
    "event",
    [
        lambda executor, delegate, futures, polled: polled.yield_result(1),
        lambda executor, delegate, futures, polled: polled.yield_exception(ValueError),
        lambda executor, delegate, futures, polled: futures[0].cancel(),
        lambda executor, delegate, futures, polled: futures[0].add_done_callback(print),
        lambda executor, delegate, futures, polled: delegate.given[1].end(error=ValueError()),
        lambda executor, delegate, futures, polled: futures[1].cancel(),
        lambda executor, delegate, futures, polled: executor.submit(int),
    ],
    ids=["result", "exception", "cancel", "callback", "delegate fails", "delegate does not cancel", "submit"],
)
def test_nothing_but_joining_and_notify_asks_for_a_poll(sleeps: PollSleeps, event: Callable[..., Any]) -> None:
    poll, delegate = RecordingPoll(), DuckDelegate()
    with PollExecutor(delegate, poll) as executor:
        futures = [executor.submit(int), executor.submit(int)]
        assert sleeps.next() == FOREVER
        woken = sleeps.wake_ups()
        delegate.given[0].end("a")
        (polled,) = poll.next_of(1)
        assert sleeps.next() == FOREVER
        assert sleeps.wake_ups() == woken + 1
        event(executor, delegate, futures, polled)
        assert sleeps.wake_ups() == woken + 1
        polled.yield_result()
        for given in delegate.given[1:]:
            given.end(error=ValueError())


def test_every_call_is_on_the_executors_own_daemon_thread() -> None:
    threads = []
    poll = RecordingPoll()

    def poll_fn(descriptors: list[Any]) -> Any:
        threads.append(threading.current_thread())
        return poll(descriptors)

    with PollExecutor(SyncExecutor(), poll_fn, name="named") as executor:
        for _ in range(3):
            poll.next()
            executor.notify()
        assert set(threads) == {poll_thread("named")}
        assert poll_thread("named").daemon


def test_the_list_is_new_each_time_and_the_poll_functions_to_change() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        for key in "abc":
            executor.submit(str, key)
        first = poll.next_of(3)
        assert type(first) is list
        kept = first.copy()
        first.clear()
        first.extend([None, "rubbish"])
        executor.notify()
        second = poll.next()
        assert second == kept
        assert second is not first


def test_the_list_has_the_order_of_arrival_whatever_leaves_it() -> None:
    poll = RecordingPoll()
    delegate = ScriptedDelegate()
    with PollExecutor(delegate, poll) as executor:
        futures = [executor.submit(int) for _ in range(40)]
        arrivals = [(i * 7 + 3) % 40 for i in range(40)]
        for i in arrivals[:30]:
            delegate.given[i].set_result(i)
        poll.next_with(arrivals[:30])
        for i in arrivals[::3]:
            futures[i].cancel()
        for i in arrivals[30:]:
            if not futures[i].cancelled():
                delegate.given[i].set_result(i)
        poll.next_with([i for i in arrivals if not futures[i].cancelled()])
        executor.shutdown(cancel_futures=True)


@pytest.mark.parametrize(
    "end",
    [
        lambda future, descriptor: descriptor.yield_result(1),
        lambda future, descriptor: descriptor.yield_exception(ValueError),
        lambda future, descriptor: future.cancel(),
        lambda future, descriptor: future.set_result(1),
    ],
    ids=["result", "exception", "cancel", "set_result"],
)
def test_what_is_done_is_in_no_later_list(end: Callable[[Any, Any], object]) -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        futures = [executor.submit(str, key) for key in "abc"]
        end(futures[1], poll.next_of(3)[1])
        executor.notify()
        poll.next_with(["a", "c"])


def test_what_fails_with_the_delegate_fails_the_same_way_and_is_never_polled() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        error = KeyError("of the callable")

        def fail() -> None:
            raise error

        poll.next()
        future = executor.submit(fail)
        assert future.exception(0) is error
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        assert trace is not None
        assert trace.tb_frame.f_code is fail.__code__
        executor.submit(str, "polled")
        assert [d.result for d in poll.next()] == ["polled"]


def test_the_delegate_gets_the_callable_and_its_arguments() -> None:
    poll = RecordingPoll()
    delegate = DuckDelegate()
    with PollExecutor(delegate, poll) as executor:
        executor.submit(divmod, 1, 2, key="word")
        executor.submit(int)
        assert delegate.submitted == [(divmod, (1, 2), {"key": "word"}), (int, (), {})]
        for future in delegate.given:
            future.end(error=ValueError())


def test_the_name_is_the_delegates_unless_one_is_given() -> None:
    with Executors.sync(name="inherited").with_poll(returning()) as first:
        assert poll_thread("inherited")
        with first.with_poll(returning(), name="given") as second:
            assert poll_thread("given")
            assert second.submit(int).cancel()
    with Executors.with_poll(ScriptedDelegate(), returning()):
        assert poll_thread("default")


def test_an_executor_takes_attributes_and_subclasses() -> None:
    class Own(PollExecutor[Any, Any]):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(fn, "own", *args, **kwargs)

    poll = RecordingPoll()
    with Own(SyncExecutor(), poll) as executor:
        future = executor.submit(str.upper)
        assert poll.next_of(1)[0].result == "OWN"
        assert future.cancel()
        executor.field = Thing()  # type: ignore[attr-defined]
        executor.submit = mock.Mock()  # type: ignore[method-assign]
        executor.submit("mocked")
        executor.submit.assert_called_once_with("mocked")
