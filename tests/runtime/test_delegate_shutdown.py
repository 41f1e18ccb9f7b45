"""When the delegate is shut down: after everything that is pending has ended, whatever it would have made of it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from math import inf
from queue import SimpleQueue
from typing import Any

import pytest
from support import PATIENCE, DuckDelegate, HeardLogger, InThread, Parking, SomeError, assert_ends, said

from more_executors import (
    CancelOnShutdownExecutor,
    Executors,
    FlatMapExecutor,
    MapExecutor,
    PollExecutor,
    RetryExecutor,
    RetryPolicy,
    ThrottleExecutor,
    TimeoutExecutor,
)
from more_executors._runtime.delegate_end import DelegateEnd


def returned(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


def poll_at_once(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
    return inf


LAYERS: dict[str, Callable[[Any], Any]] = {
    "map": MapExecutor,
    "flat map": lambda delegate: FlatMapExecutor(delegate, returned),
    "poll": lambda delegate: PollExecutor(delegate, poll_at_once),
    "timeout": lambda delegate: TimeoutExecutor(delegate, 3600.0),
    "cancel on shutdown": CancelOnShutdownExecutor,
    "retry": lambda delegate: RetryExecutor(delegate, RetryPolicy()),
    "throttle": lambda delegate: ThrottleExecutor(delegate, 10),
    "three maps": lambda delegate: MapExecutor(MapExecutor(MapExecutor(delegate))),
    "several": lambda delegate: MapExecutor(TimeoutExecutor(PollExecutor(MapExecutor(delegate), poll_at_once), 3600.0)),
}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


class Careless(Executor):
    """One thread calls what was submitted; at `shutdown`, what is queued is cancelled, or forgotten, as some do."""

    def __init__(self, forgets: bool = False) -> None:
        self.shutdowns: SimpleQueue[tuple[threading.Thread, bool]] = SimpleQueue()
        self.threads: list[threading.Thread] = []
        self._forgets = forgets
        self._lock = threading.Lock()
        self._queue: list[tuple[Future[Any], Callable[[], Any]]] = []
        self._down = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._down:
                raise RuntimeError("it is down")
            self._queue.append((future, lambda: fn(*args, **kwargs)))
            if len(self._queue) == 1:
                self.threads.append(InThread(self._work))
        return future

    def _work(self) -> None:
        while True:
            future, call = self._queue[0]
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)
            del future, call
            with self._lock:
                self._queue.pop(0)
                if not self._queue:
                    return

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._down = True
            left, self._queue[1:] = self._queue[1:], []
        for future, _ in left:
            if not self._forgets:
                future.cancel()
        if wait:
            for thread in self.threads:
                thread.join()
        self.shutdowns.put((threading.current_thread(), wait))


@every_layer
@pytest.mark.parametrize("wait", [True, False], ids=["waiting", "in the background"])
@pytest.mark.parametrize("forgets", [True, False], ids=["forgets", "cancels"])
def test_what_the_delegate_would_drop_is_seen_through_first(
    layer: Callable[[Any], Any], wait: bool, forgets: bool
) -> None:
    delegate, busy = Careless(forgets), Parking("first")
    executor = layer(delegate)
    futures = [executor.submit(busy), *(executor.submit(int, n) for n in range(5))]
    busy.wait_for_one()
    shutting_down = InThread(executor.shutdown, wait)
    if not wait:
        shutting_down.outcome()
    if isinstance(executor, CancelOnShutdownExecutor):
        assert [said(future) for future in futures[1:]] == [CancelledError] * 5
    busy.let_go()
    shutting_down.outcome()
    assert said(futures[0]) == "first"
    if not isinstance(executor, CancelOnShutdownExecutor):
        assert [said(future) for future in futures[1:]] == list(range(5))
    _, waited = delegate.shutdowns.get(timeout=PATIENCE)
    assert waited is wait
    assert delegate.shutdowns.empty()


@every_layer
def test_the_delegate_is_not_shut_down_on_a_thread_of_its_own_which_it_might_wait_for(
    layer: Callable[[Any], Any],
) -> None:
    delegate, busy = Careless(), Parking()
    executor = layer(delegate)
    executor.submit(busy)
    busy.wait_for_one()
    executor.shutdown(wait=False)
    busy.let_go()
    thread, _ = delegate.shutdowns.get(timeout=PATIENCE)
    assert thread not in delegate.threads
    assert thread is not threading.current_thread()
    assert_ends(thread)


@pytest.mark.parametrize("wait", [True, False], ids=["waiting", "in the background"])
def test_a_flat_map_may_submit_to_the_delegate_while_anything_is_pending(wait: bool) -> None:
    delegate, busy = Careless(), Parking(1)
    executor = MapExecutor(FlatMapExecutor(MapExecutor(delegate), lambda n: delegate.submit(int, n + 1)))
    future = executor.submit(busy)
    busy.wait_for_one()
    shutting_down = InThread(executor.shutdown, wait)
    if not wait:
        shutting_down.outcome()
    busy.let_go()
    shutting_down.outcome()
    assert said(future) == 2
    delegate.shutdowns.get(timeout=PATIENCE)


@every_layer
def test_one_that_is_dropped_after_its_shutdown_shuts_the_delegate_down_all_the_same(
    layer: Callable[[Any], Any],
) -> None:
    delegate: Any = DuckDelegate(Future)
    executor = layer(delegate)
    executor.submit(int)
    executor.shutdown(wait=False)
    gone = weakref.ref(executor)
    while not delegate.given:  # retry and throttle submit on their own thread
        threading.Event().wait(0.001)
    del executor
    gc.collect()
    if not delegate.given[0].cancelled():
        assert not delegate.shutdowns
        delegate.given[0].set_result("done")
    assert delegate.wait_for_shutdown() == {"wait": False}
    while gone() is not None:
        threading.Event().wait(0.001)


@every_layer
def test_a_future_that_is_lost_does_not_keep_the_delegate_from_being_shut_down(layer: Callable[[Any], Any]) -> None:
    delegate: Any = DuckDelegate(Future)
    executor = layer(delegate)
    future = executor.submit(int)
    while not delegate.given:
        threading.Event().wait(0.001)
    executor.shutdown(wait=False)
    del delegate.given[0]
    gc.collect()
    assert said(future) is CancelledError
    assert delegate.wait_for_shutdown() == {"wait": False}


@every_layer
def test_with_nothing_pending_the_delegate_is_shut_down_without_a_thread_for_it(
    layer: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    delegate: Any = DuckDelegate()
    executor = layer(delegate)
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("started a thread"))
    executor.shutdown(wait=False)
    assert delegate.wait_for_shutdown() == {"wait": False}


def test_what_the_delegate_raises_in_the_background_is_logged() -> None:
    delegate, error, logger, raised = DuckDelegate(), SomeError(), HeardLogger(), threading.Event()

    def shutdown(**how: Any) -> None:
        raised.set()
        raise error

    delegate.shutdown = shutdown  # type: ignore[method-assign]
    executor = MapExecutor(delegate, logger=logger)
    executor.submit(int)
    before = set(threading.enumerate())
    executor.shutdown(wait=False)
    (thread,) = set(threading.enumerate()) - before
    assert thread.name == "MapExecutor-default-shutdown"
    assert thread.daemon
    delegate.given[0].end()
    assert raised.wait(PATIENCE)
    assert_ends(thread)
    ((level, message, logged),) = logger.lines
    assert (level, logged) == ("ERROR", error)
    assert "cannot be shut down" in message
    error.__traceback__ = None


def test_if_no_thread_can_be_started_the_delegate_is_shut_down_at_once_which_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    delegate, logger = DuckDelegate(), HeardLogger()
    executor = MapExecutor(delegate, logger=logger)
    future = executor.submit(int)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    executor.shutdown(wait=False)
    assert delegate.shutdowns == [{"wait": False}]
    ((level, message, _),) = logger.lines
    assert (level, "too early" in message) == ("WARNING", True)
    delegate.given[0].end("done")
    assert future.result(0) == "done"


ABOVE: dict[str, Callable[[Any], Any]] = {
    "map": lambda executor: executor.with_map(str),
    "poll": lambda executor: executor.with_poll(poll_at_once),
    "several": lambda executor: executor.with_map(str).with_timeout(3600.0).with_flat_map(returned),
}


@pytest.mark.parametrize("above", ABOVE.values(), ids=ABOVE)
@pytest.mark.parametrize("wait", [True, False], ids=["waiting", "in the background"])
def test_what_cancels_on_shutdown_does_so_at_once_below_other_layers(above: Callable[[Any], Any], wait: bool) -> None:
    delegate, busy = Careless(), Parking("first")
    executor = above(CancelOnShutdownExecutor(delegate))
    futures = [executor.submit(busy), *(executor.submit(int, n) for n in range(3))]
    busy.wait_for_one()
    shutting_down = InThread(executor.shutdown, wait)
    assert [said(future) for future in futures[1:]] == [CancelledError] * 3
    assert delegate.shutdowns.empty()
    busy.let_go()
    shutting_down.outcome()
    assert said(futures[0]) == "first"
    delegate.shutdowns.get(timeout=PATIENCE)


@pytest.mark.parametrize("layer", [LAYERS["map"], LAYERS["poll"], LAYERS["several"]], ids=["map", "poll", "several"])
def test_a_ctrl_c_while_it_waits_leaves_the_rest_to_the_background(
    layer: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    delegate: Any = DuckDelegate()
    executor = layer(delegate)
    future = executor.submit(int)
    monkeypatch.setattr(executor, "_wait_until_drained", interrupted)
    with pytest.raises(KeyboardInterrupt):
        executor.shutdown()
    monkeypatch.undo()
    assert not delegate.shutdowns
    delegate.given[0].end("done")
    assert said(future) == "done"
    assert delegate.wait_for_shutdown()["wait"] is False


def test_at_the_end_of_the_interpreter_nothing_waits_for_it() -> None:
    program = """
from concurrent.futures import Executor, Future
from more_executors import MapExecutor

class Never(Executor):
    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        given.append(future)
        return future

given = []
executor = MapExecutor(Never())
future = executor.submit(int)
future.add_done_callback(lambda future: print("cancelled:", future.cancelled()))
executor.shutdown(wait=False)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cancelled: True\n", "")


def test_the_names_of_threads_that_see_off() -> None:
    delegate = DuckDelegate()
    executor: Any = Executors.with_map(delegate, str, name="books")
    executor.submit(int)
    before = set(threading.enumerate())
    executor.shutdown(wait=False)
    assert {thread.name for thread in set(threading.enumerate()) - before} == {"MapExecutor-books-shutdown"}
    delegate.given[0].end()
    delegate.wait_for_shutdown()


# -- the call by itself -------------------------------------------------------------------------------------------


class Noted(Executor):
    def __init__(self) -> None:
        self.calls: list[bool] = []

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.calls.append(wait)


def test_an_executor_is_waited_for_also_after_a_call_that_did_not_wait() -> None:
    end = DelegateEnd(delegate := Noted())
    for wait in (False, True, True, False):
        end.come(wait)
    assert delegate.calls == [False, True]


def test_anybodys_is_shut_down_once() -> None:
    end = DelegateEnd(delegate := DuckDelegate())
    for wait in (False, True, True):
        end.come(wait)
    assert [how["wait"] for how in delegate.shutdowns] == [False]


def test_a_delegate_whose_shutdown_was_interrupted_is_shut_down_in_the_background() -> None:
    class Interrupted(DuckDelegate):
        interrupts = 1

        def shutdown(self, **how: Any) -> None:
            if self.interrupts:
                self.interrupts -= 1
                raise KeyboardInterrupt
            super().shutdown(**how)

    executor = MapExecutor(delegate := Interrupted(), str)
    with pytest.raises(KeyboardInterrupt):
        executor.shutdown()
    delegate.wait_for_shutdown()


def test_cancelling_that_an_interrupted_shutdown_was_to_do_is_not_forgotten_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(self: Any, asked_for: bool) -> None:
        raise KeyboardInterrupt

    executor = MapExecutor(delegate := DuckDelegate(Future), str)
    future = executor.submit(int)
    with monkeypatch.context() as patched:
        patched.setattr(MapExecutor, "_cancel_at_shutdown", interrupted)
        with pytest.raises(KeyboardInterrupt):
            executor.shutdown(cancel_futures=True)
    executor.shutdown()
    assert future.cancelled()
    assert delegate.wait_for_shutdown()["cancel_futures"] is True


def test_what_is_interrupted_when_its_thread_has_ended_sees_the_delegate_off(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = TimeoutExecutor(delegate := DuckDelegate(), 3600.0)

    def interrupted() -> None:
        executor._worker.join()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(executor, "_wait_until_drained", interrupted)
        with pytest.raises(KeyboardInterrupt):
            executor.shutdown()
    delegate.wait_for_shutdown()


def test_two_that_wait_are_both_woken() -> None:
    executor = MapExecutor(delegate := DuckDelegate(), str)
    future = executor.submit(int)
    executor.shutdown(wait=False)
    waiting = [InThread(executor._wait_until_drained) for _ in range(3)]
    delegate.given[0].end(1)
    for thread in waiting:
        thread.outcome()
    assert future.result(0) == "1"


def test_who_waits_is_woken_by_the_thread_that_was_woken_first() -> None:
    with MapExecutor(DuckDelegate(), str) as executor:
        executor.shutdown(wait=False)
        executor._table.waker.wait(0)
        assert executor._run_once() is None
        assert executor._table.waker.wait(0) is True
