"""Shutting down cancels: first new work is refused, then all that is not done is tried, then the delegate is told."""

from __future__ import annotations

import contextlib
import gc
import logging
import queue
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

import pytest
from support import (
    PATIENCE,
    DuckDelegate,
    DuckFuture,
    HeardLogger,
    InThread,
    Parking,
    SomeError,
    Thing,
    all_at_once,
    is_gone,
    said,
    without_collector,
)

from more_executors import CancelOnShutdownExecutor, Executors, SyncExecutor

REFUSED = "^cannot schedule new futures after shutdown$"


class Watched(DuckDelegate):
    """A DuckDelegate that notes, in order, what happens to it: the cancels of its futures by number, and "shutdown"."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        super().__init__(self._new_future)

    def _new_future(self) -> Future[Any]:
        future: Future[Any] = Future()
        number, plain = len(self.given), future.cancel
        self.before_cancel: Callable[[int], object] = lambda number: None

        def cancel() -> bool:
            self.events.append(number)
            self.before_cancel(number)
            return plain()

        future.cancel = cancel  # type: ignore[method-assign]
        return future

    def shutdown(self, **how: Any) -> None:
        super().shutdown(**how)
        self.events.append("shutdown")

    def end(self) -> None:
        """End what is left, and what makes futures refer to themselves."""
        for given in self.given:
            if not given.done():
                given.set_result("seen through")
            given.__dict__.pop("cancel", None)


@contextlib.contextmanager
def cancelling(**options: Any) -> Iterator[tuple[CancelOnShutdownExecutor, Watched]]:
    delegate = Watched()
    executor = CancelOnShutdownExecutor(delegate, **options)
    try:
        yield executor, delegate
    finally:
        delegate.end()
        executor.shutdown(wait=False)


def cancels(executor: CancelOnShutdownExecutor) -> int:
    """How many cancels worked."""
    return executor._table.counters.cancels


# -- what is cancelled --------------------------------------------------------------------------------------------


def test_all_that_are_not_done_are_cancelled_and_then_the_delegate_is_shut_down() -> None:
    with cancelling() as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(5)]
        delegate.given[1].set_result("done")
        delegate.given[2].set_exception(SomeError())
        executor.shutdown()
        assert delegate.events == [0, 3, 4, "shutdown"]
        assert [said(future, 0) for future in futures] == [
            CancelledError,
            "done",
            SomeError,
            CancelledError,
            CancelledError,
        ]
        assert cancels(executor) == 3


def test_running_ones_are_tried_too_and_those_that_refuse_are_seen_through_and_not_counted() -> None:
    with cancelling() as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(3)]
        delegate.given[1].set_running_or_notify_cancel()
        shutting_down = InThread(executor.shutdown)
        assert said(futures[2]) is CancelledError
        assert futures[0].cancelled()
        delegate.given[1].set_result("ran on")
        shutting_down.outcome()
        assert futures[1].result(0) == "ran on"
        assert delegate.events == [0, 1, 2, "shutdown"]
        assert cancels(executor) == 2


def test_a_running_one_whose_executor_can_cancel_it_is_cancelled() -> None:
    cancelled: list[Any] = []
    polled = Executors.sync().with_poll(lambda descriptors: None, lambda task: cancelled.append(task) or True)
    with polled.with_cancel_on_shutdown() as executor:
        futures = [executor.submit(int, key) for key in range(3)]
        assert not any(future.done() for future in futures)
    assert [future.cancelled() for future in futures] == [True] * 3
    assert cancelled == [0, 1, 2]


@pytest.mark.parametrize("how", [{"wait": False}, {"wait": False, "cancel_futures": True}, {"cancel_futures": True}])
def test_it_cancels_whatever_else_is_asked_of_shutdown_and_passes_that_on(how: dict[str, bool]) -> None:
    class Modern(Watched):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=wait, cancel_futures=cancel_futures)

    executor = CancelOnShutdownExecutor(delegate := Modern())
    futures = [executor.submit(int, key) for key in range(2)]
    executor.shutdown(**how)
    assert [future.cancelled() for future in futures] == [True, True]
    assert delegate.shutdowns == [{"wait": True, "cancel_futures": False} | how]
    executor.shutdown()
    assert len(delegate.shutdowns) == 1
    assert delegate.events == [0, 1, "shutdown"]
    assert cancels(executor) == 2
    delegate.end()


def test_without_waiting_it_returns_although_one_goes_on() -> None:
    with cancelling() as (executor, delegate):
        future = executor.submit(int)
        delegate.given[0].set_running_or_notify_cancel()
        executor.shutdown(wait=False)
        assert not future.done()
        delegate.given[0].set_result("seen through")
        assert future.result(0) == "seen through"


def let_go_after(futures: list[Any], park: Parking) -> None:
    """Have `park` let go when all of them are done."""

    def count(future: Future[Any]) -> None:
        done.append(future)
        if len(done) == len(futures):
            park.let_go()

    done: list[Any] = []
    for future in futures:
        future.add_done_callback(count)


def test_a_thread_pool_drops_what_it_has_not_begun() -> None:
    park = Parking("ran")
    with Executors.thread_pool(1).with_cancel_on_shutdown() as executor:
        futures = [executor.submit(park), *(executor.submit(int, key) for key in range(5))]
        park.wait_for_one()
        let_go_after(futures[1:], park)
    assert futures[0].result(0) == "ran"
    assert [future.cancelled() for future in futures] == [False] + [True] * 5
    assert cancels(executor) == 5


def test_with_nothing_to_cancel_nothing_is_counted() -> None:
    executor = CancelOnShutdownExecutor(SyncExecutor())
    assert executor.submit(int, 5).result(0) == 5
    executor.shutdown()
    assert cancels(executor) == 0


def test_outside_of_shutdown_nothing_is_cancelled() -> None:
    delegate = DuckDelegate(Future)
    future = CancelOnShutdownExecutor(delegate).submit(int)
    gc.collect()
    assert not future.done()
    assert not delegate.given[0].cancelled()
    delegate.given[0].set_result("its executor is kept")
    assert future.result(0) == "its executor is kept"


# -- what happens meanwhile ---------------------------------------------------------------------------------------


# 1. Shutdown is cancelling the first of two futures, and is held there.
# 2. Another thread submits: refused. One that asks for a future that is not cancelled yet is answered.
# 3. The second future ends. Shutdown goes on: it is not tried.
def test_new_work_is_refused_before_the_first_is_cancelled() -> None:
    with cancelling() as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(2)]
        park = Parking()
        delegate.before_cancel = lambda number: park()
        shutting_down = InThread(executor.shutdown)
        park.wait_for_one()
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        assert not futures[1].done()
        assert len(delegate.submitted) == 2
        delegate.given[1].set_result("meanwhile")
        park.let_go()
        shutting_down.outcome()
        assert futures[1].result(0) == "meanwhile"
        assert delegate.events[0] == 0
        assert delegate.events[-1] == "shutdown"
        assert cancels(executor) == 1


def test_a_callback_that_submits_meanwhile_gets_the_error() -> None:
    with cancelling() as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(2)]
        errors: list[BaseException] = []

        def callback(_: Any) -> None:
            with pytest.raises(RuntimeError, match=REFUSED) as caught:
                executor.submit(int)
            errors.append(caught.value)

        for future in futures:
            future.add_done_callback(callback)
        InThread(executor.shutdown).outcome()
        assert len(errors) == 2
        assert len(delegate.submitted) == 2


def test_a_task_that_submits_meanwhile_gets_the_error() -> None:
    started, closed = threading.Event(), threading.Event()

    def task() -> Any:
        started.set()
        assert closed.wait(PATIENCE)
        return executor.submit(int)

    executor = Executors.thread_pool(1).with_cancel_on_shutdown()
    futures = [executor.submit(task), executor.submit(int)]
    assert started.wait(PATIENCE)
    futures[1].add_done_callback(lambda _: closed.set())
    InThread(executor.shutdown).outcome()
    assert str(futures[0].exception(0)) == REFUSED[1:-1]
    assert futures[1].cancelled()


@pytest.mark.parametrize("wait_for_it", [True, False])
def test_a_callback_that_shuts_down_again_does_not_wait(wait_for_it: bool) -> None:
    with cancelling() as (executor, delegate):
        future = executor.submit(int)
        future.add_done_callback(lambda _: executor.shutdown(wait=wait_for_it))
        InThread(executor.shutdown).outcome()
        assert future.cancelled()
        assert delegate.events == [0, "shutdown"]


def test_a_callback_that_cancels_the_others_is_no_trouble() -> None:
    with cancelling() as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(4)]
        futures[0].add_done_callback(lambda _: [future.cancel() for future in futures])
        executor.shutdown()
        assert [future.cancelled() for future in futures] == [True] * 4
        assert delegate.events[-1] == "shutdown"
        del futures[:]


@pytest.mark.parametrize("wait_for_it", [True, False])
def test_a_task_on_a_pools_thread_that_shuts_down_its_own_executor_does_not_wait_for_itself(wait_for_it: bool) -> None:
    executor = Executors.thread_pool(1).with_cancel_on_shutdown()
    inner: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def task() -> str:
        inner.put(executor.submit(int))
        executor.shutdown(wait=wait_for_it)
        return "ended"

    assert executor.submit(task).result(PATIENCE) == "ended"
    assert said(inner.get()) is CancelledError


def test_a_task_in_submit_itself_that_shuts_down_does_not_wait_for_itself() -> None:
    executor = CancelOnShutdownExecutor(SyncExecutor())
    future = executor.submit(executor.shutdown)
    assert said(future, 0) in (None, CancelledError)
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)


def test_submits_against_shutdown_each_is_refused_or_ends() -> None:
    for _ in range(20):
        delegate = DuckDelegate(Future)
        executor = CancelOnShutdownExecutor(delegate)
        futures: list[Future[Any]] = []

        def submit(executor: Any = executor, futures: Any = futures) -> None:
            with contextlib.suppress(RuntimeError):
                while True:
                    futures.append(executor.submit(int))
            with pytest.raises(RuntimeError, match=REFUSED):
                executor.submit(int)

        def shut_down(executor: Any = executor, futures: Any = futures) -> None:
            while not futures:
                pass
            executor.shutdown(wait=False)

        all_at_once(submit, shut_down)
        # The one that was in the delegate's `submit` when the others were listed is seen through.
        assert sum(not future.cancelled() for future in futures) <= 1
        assert len(futures) == len(delegate.submitted)
        assert cancels(executor) == sum(future.cancelled() for future in futures)
        for given in delegate.given:
            if not given.done():
                given.set_result(None)


# -- errors -------------------------------------------------------------------------------------------------------


def test_a_cancel_that_raises_is_logged_and_the_others_are_cancelled_all_the_same() -> None:
    def fail(number: int) -> None:
        if number == 1:
            raise error

    logger, error = HeardLogger(), SomeError()
    with cancelling(logger=logger) as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(3)]
        delegate.before_cancel = fail
        executor.shutdown(wait=False)
        assert [future.cancelled() for future in futures] == [True, False, True]
        assert [(level, raised) for level, _, raised in logger.lines] == [("ERROR", error)]
        assert cancels(executor) == 2
        assert "shutdown" not in delegate.events
        delegate.given[1].set_result("seen through")
        assert delegate.wait_for_shutdown() == {"wait": False}
    error.__traceback__ = None


def test_what_interrupts_the_cancelling_gets_out_and_the_delegate_is_shut_down_later() -> None:
    def interrupt(number: int) -> None:
        raise KeyboardInterrupt

    with cancelling() as (executor, delegate):
        executor.submit(int)
        delegate.before_cancel = interrupt
        with pytest.raises(KeyboardInterrupt):
            executor.shutdown()
        assert delegate.shutdowns == []
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)
        delegate.before_cancel = lambda number: None
        delegate.given[0].set_result("seen through")
        assert delegate.wait_for_shutdown() == {"wait": False}


def test_what_the_delegate_refuses_gets_to_the_caller() -> None:
    delegate = SyncExecutor()
    executor = CancelOnShutdownExecutor(delegate)
    delegate.shutdown()
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)
    assert len(executor._table) == 0
    executor.shutdown()


@pytest.mark.parametrize("delegate", [None, 5, object()])
def test_what_is_no_executor_is_refused(delegate: Any) -> None:
    with pytest.raises(TypeError, match="delegate must be an executor"):
        CancelOnShutdownExecutor(delegate)


# -- as an executor -----------------------------------------------------------------------------------------------


def test_results_errors_and_arguments_get_through() -> None:
    def arguments(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    def fail() -> None:
        raise SomeError

    with SyncExecutor(name="chained").with_cancel_on_shutdown() as executor:
        call = {"self": 1, "fn": 2, "executor": 3}
        assert executor.submit(arguments, 1, **call).result(0) == ((1,), call)
        error = executor.submit(fail).exception(0)
        assert isinstance(error, SomeError)
        assert traceback.extract_tb(error.__traceback__)[-1].name == "fail"
        assert executor._name == "chained"
        assert executor._logger is logging.getLogger("CancelOnShutdownExecutor")
        assert isinstance(executor, Executor)
        assert list(executor.map(int, ["1", "2"])) == [1, 2]
    with CancelOnShutdownExecutor(delegate=SyncExecutor(), logger=None, name="n") as executor:
        assert executor._name == "n"


def test_running_and_cancel_are_the_delegates_to_answer() -> None:
    with cancelling() as (executor, delegate):
        futures = [executor.submit(int, key) for key in range(2)]
        assert [future.running() for future in futures] == [False, False]
        delegate.given[0].set_running_or_notify_cancel()
        assert [future.running() for future in futures] == [True, False]
        assert [future.cancel() for future in futures] == [False, True]
        assert delegate.given[1].cancelled()
        assert cancels(executor) == 0


@pytest.mark.parametrize("how", ["cancelled", "lost"])
def test_a_delegates_future_that_is_cancelled_or_lost_ends_the_one_made_from_it(how: str) -> None:
    delegate = DuckDelegate(Future)
    executor = CancelOnShutdownExecutor(delegate)
    future = executor.submit(int)
    if how == "cancelled":
        assert delegate.given[0].cancel()
    delegate.given.clear()
    assert said(future) is CancelledError
    executor.shutdown()
    assert cancels(executor) == 0


def test_a_duck_that_refuses_to_be_cancelled_is_waited_for() -> None:
    delegate = DuckDelegate(DuckFuture)
    executor = CancelOnShutdownExecutor(delegate)
    futures = [executor.submit(int) for _ in range(2)]
    delegate.given[0].agrees_to_cancel = True
    shutting_down = InThread(executor.shutdown)
    assert said(futures[0]) is CancelledError
    assert shutting_down.is_alive()
    delegate.given[1].end("at last")
    shutting_down.outcome()
    assert futures[1].result(0) == "at last"


def test_a_future_that_is_cancelled_by_shutdown_keeps_nothing() -> None:
    delegate = DuckDelegate(Future)
    executor = CancelOnShutdownExecutor(delegate)
    thing = Thing()
    with without_collector():
        future = executor.submit(int, thing)
        gone = weakref.ref(thing), weakref.ref(executor), weakref.ref(delegate.given[0])
        executor.shutdown()
        del thing, executor, delegate
        assert [reference() for reference in gone] == [None] * 3
    assert future.cancelled()


def test_shut_down_by_the_with_block_in_a_chain_of_all_that_can_be_cancelled() -> None:
    pool = Executors.thread_pool(1)
    park = Parking()
    chain = pool.with_throttle(1).with_map(str).with_timeout(3600.0).with_cancel_on_shutdown()
    with chain as executor:
        futures = [executor.submit(park), *(executor.submit(int, key) for key in range(4))]
        park.wait_for_one()
        let_go_after(futures[1:], park)
    assert [said(future, 0) for future in futures] == ["None"] + [CancelledError] * 4
    with pytest.raises(RuntimeError):
        pool.submit(int)


def test_a_future_that_was_handed_on_is_gone_with_its_executor() -> None:
    executor = CancelOnShutdownExecutor(SyncExecutor())
    gone = weakref.ref(executor)
    future = executor.submit(int)
    del executor
    assert is_gone(gone)
    assert future.result(0) == 0
