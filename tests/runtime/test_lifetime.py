"""How long things live: an executor and its thread while it can be reached, or one of its pending futures can."""

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
    DuckFuture,
    HeardLogger,
    Parking,
    PollSleeps,
    RecordingPoll,
    Thing,
    assert_ends,
    is_gone,
    poll_thread,
    polling,
    returning,
    without_collector,
)

from more_executors import Executors, PollExecutor, SyncExecutor


def resolving(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
    return inf


# -- the executor and its thread ----------------------------------------------------------------------------------


@pytest.mark.parametrize("used", [False, True])
def test_an_idle_executor_that_is_dropped_is_gone_with_its_thread_without_being_collected(
    monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    sleeps = PollSleeps(monkeypatch)
    with without_collector():
        executor = PollExecutor(SyncExecutor(), resolving, name="idle")
        assert sleeps.next() == FOREVER
        if used:
            assert executor.submit(int).result(PATIENCE) == 0
            assert sleeps.next() == FOREVER
        thread, gone = poll_thread("idle"), weakref.ref(executor)
        del executor
        assert_ends(thread)
        assert gone() is None


def test_an_idle_executor_that_is_dropped_lets_go_of_its_delegate_and_functions() -> None:
    class Function(Thing):
        def __call__(self, argument: Any) -> float:
            return inf

    with without_collector():
        parts = Executors.thread_pool(1), Function(), Function()
        executor = PollExecutor(*parts, name="idle")
        thread, gone = poll_thread("idle"), [weakref.ref(part) for part in parts]
        del parts, executor
        assert_ends(thread)
        assert [reference() for reference in gone] == [None] * 3


@pytest.mark.parametrize("end", ["result", "error", "cancel"])
def test_a_pending_polled_future_keeps_its_executor_and_a_done_one_does_not(end: str) -> None:
    poll = RecordingPoll()
    with without_collector():
        executor = PollExecutor(SyncExecutor(), poll, name="kept")
        thread, gone = poll_thread("kept"), weakref.ref(executor)
        future = executor.submit(str, "key")
        (descriptor,) = poll.next_of(1)
        executor.notify()
        del executor
        assert poll.next() == [descriptor]
        assert gone() is not None
        if end == "result":
            descriptor.yield_result()
        elif end == "error":
            descriptor.yield_exception(KeyError)
        else:
            future.cancel()
        assert future.done()
        assert_ends(thread)
        assert gone() is None


@pytest.mark.parametrize("end", ["polled", "error", "cancel"])
def test_a_future_that_is_with_the_delegate_keeps_its_executor(end: str) -> None:
    poll, delegate = RecordingPoll(), DuckDelegate()
    with without_collector():
        executor = PollExecutor(delegate, poll, name="kept")
        thread, gone = poll_thread("kept"), weakref.ref(executor)
        future = executor.submit(str, "key")
        del executor
        assert poll.next() == []
        assert gone() is not None
        delegate.given[0].agrees_to_cancel = True
        if end == "polled":
            delegate.given[0].end("key")
            poll.next_with(["key"])[0].yield_result()
        elif end == "error":
            delegate.given[0].end(error=KeyError())
        else:
            future.cancel()
        assert future.done()
        assert_ends(thread)
        assert gone() is None


@pytest.mark.parametrize("base", [SyncExecutor, lambda: Executors.thread_pool(1)], ids=["sync", "pool"])
def test_a_future_of_an_executor_that_nobody_holds_still_resolves(base: Callable[[], Any]) -> None:
    future = PollExecutor(base(), resolving).submit(int, 42)
    gc.collect()
    assert future.result(PATIENCE) == 42


def test_a_future_that_the_thread_of_a_pool_works_for_needs_nobody_to_hold_anything() -> None:
    parking, done = Parking("key"), threading.Event()
    Executors.thread_pool(1).with_poll(resolving).submit(parking).add_done_callback(lambda _: done.set())
    parking.wait_for_one()
    gc.collect()
    parking.let_go()
    assert done.wait(PATIENCE)


@pytest.mark.parametrize("phase", ["polled", "with the delegate"])
def test_an_executor_and_futures_that_nobody_can_reach_are_collected_and_the_thread_ends(
    monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    sleeps = PollSleeps(monkeypatch)
    executor = PollExecutor(SyncExecutor() if phase == "polled" else DuckDelegate(), returning(), name="lost")
    assert sleeps.next() == FOREVER
    thread, gone = poll_thread("lost"), [weakref.ref(executor)]
    futures = [executor.submit(str, key) for key in "abc"]
    gone += [weakref.ref(future) for future in futures]
    if phase == "polled":
        assert sleeps.next() == FOREVER
    del executor, futures
    assert all(is_gone(reference) for reference in gone)
    assert_ends(thread)


class Service:
    """Polls with its own methods, as programs do: a cycle from the executor to itself."""

    def __init__(self, name: str) -> None:
        self.executor = PollExecutor(SyncExecutor(), self.poll, self.cancel, name=name)
        self.pending: list[Any] = []

    def poll(self, descriptors: list[Any]) -> float:
        return inf

    def cancel(self, result: Any) -> bool:
        return bool(self.pending)


@pytest.mark.parametrize("tie", ["no futures", "the service has them", "they call it", "they refer to it"])
def test_a_cycle_through_the_poll_function_is_collected(monkeypatch: pytest.MonkeyPatch, tie: str) -> None:
    sleeps = PollSleeps(monkeypatch)
    service = Service("cycle")
    assert sleeps.next() == FOREVER
    thread, gone = poll_thread("cycle"), weakref.ref(service)
    if tie != "no futures":
        future = service.executor.submit(Thing)
        if tie == "the service has them":
            service.pending.append(future)
        elif tie == "they call it":
            future.add_done_callback(service.poll)
        else:
            future.service = service
        del future
        assert sleeps.next() == FOREVER
    del service
    assert is_gone(gone)
    assert_ends(thread)


def test_the_last_reference_may_be_dropped_by_a_callback_on_the_executors_own_thread() -> None:
    parking = Parking()

    def poll_fn(descriptors: list[Any]) -> float:
        parking()
        return resolving(descriptors)

    holder = [PollExecutor(SyncExecutor(), poll_fn, name="own")]
    thread, gone = poll_thread("own"), weakref.ref(holder[0])
    future = holder[0].submit(int)
    future.add_done_callback(lambda _: holder.clear())
    with without_collector():
        parking.let_go()
        assert future.result(PATIENCE) == 0
        assert_ends(thread)
        assert gone() is None


def test_executors_made_and_dropped_by_the_dozen_leave_no_threads() -> None:
    futures, threads = [], []
    for i in range(30):
        executor = PollExecutor(SyncExecutor(), resolving, name=str(i))
        threads.append(poll_thread(str(i)))
        futures.append(executor.submit(int, i))
    del executor
    assert [future.result(PATIENCE) for future in futures] == list(range(30))
    for thread in threads:
        assert_ends(thread)


# -- the future and its descriptor --------------------------------------------------------------------------------


def test_a_future_that_is_dropped_stays_in_the_list_of_an_executor_that_is_held() -> None:
    poll, callbacks = RecordingPoll(), list[Any]()
    with polling(poll) as executor:
        executor.submit(str, "key").add_done_callback(callbacks.append)
        gc.collect()
        executor.notify()
        poll.next_with(["key"])[0].yield_result("done")
        assert callbacks.pop().result(0) == "done"


@pytest.mark.parametrize("end", ["result", "error", "cancel", "poll fails"])
def test_a_done_future_holds_its_outcome_and_nothing_else(end: str) -> None:
    class Argument(Thing):
        def __call__(self, *_: Any, **__: Any) -> Any:
            return key()

    error, fails, lists = KeyError("outcome"), threading.Event(), RecordingPoll()

    def poll_fn(descriptors: list[Any]) -> float:
        lists(descriptors)
        del descriptors
        if fails.is_set():
            raise error
        return inf

    with without_collector():
        fn, argument, callback, result = Argument(), Thing(), Argument(), Thing()
        key = weakref.ref(result)
        executor = PollExecutor(SyncExecutor(), poll_fn, logger=HeardLogger(), name="held")
        thread = poll_thread("held")
        future = executor.submit(fn, argument, word=argument)
        future.add_done_callback(callback)
        gone = [weakref.ref(thing) for thing in (executor, fn, argument, callback, result)]
        del fn, argument, callback, result
        (descriptor,) = lists.next_of(1)
        if end == "result":
            descriptor.yield_result("outcome")
        elif end == "error":
            descriptor.yield_exception(error)
        elif end == "cancel":
            assert future.cancel()
        else:
            fails.set()
            executor.notify()
            assert future.exception(PATIENCE) is error
        while lists.unasked():
            lists.next()
        del descriptor, executor
        assert_ends(thread)
        assert [reference() for reference in gone] == [None] * 5
    if end == "result":
        assert future.result(0) == "outcome"
    elif end == "cancel":
        with pytest.raises(CancelledError):
            future.result(0)
    else:
        assert future.exception(0) is error
        error.__traceback__ = None


def test_a_descriptor_that_is_kept_keeps_no_executor_once_its_future_is_done() -> None:
    poll = RecordingPoll()
    with without_collector():
        executor = PollExecutor(SyncExecutor(), poll, name="gone")
        thread, gone = poll_thread("gone"), weakref.ref(executor)
        executor.submit(str, "key")
        (descriptor,) = poll.next_of(1)
        descriptor.yield_result()
        del executor
        assert_ends(thread)
        assert gone() is None
        assert descriptor.result == "key"
        descriptor.yield_result("too late")


class WeakDuckFuture(DuckFuture):
    """One that calls back once, and forgets whom."""

    def call_back(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)


@pytest.mark.parametrize("how", ["done", "cancelled"])
def test_a_delegates_future_is_let_go_of_when_nothing_more_can_come_of_it(how: str) -> None:
    delegate, poll = DuckDelegate(WeakDuckFuture), RecordingPoll()
    with polling(poll, delegate) as executor, without_collector():
        future = executor.submit(int)
        given = delegate.given.pop()
        gone = weakref.ref(given)
        if how == "done":
            given.end("key")
        else:
            given.agrees_to_cancel = True
            assert future.cancel()
        del given
        assert gone() is None
        assert future.done() == (how == "cancelled")


def test_what_is_over_is_not_kept_for_its_thread_any_more() -> None:
    executor = Executors.sync().with_timeout(1)
    executor.shutdown()
    executor._stay_until_drained()
    reference = weakref.ref(executor)
    with without_collector():
        del executor
        assert reference() is None
