"""The thread pool of ours: what it does as the standard library's, and what it does better."""

from __future__ import annotations

import concurrent.futures
import gc
import weakref
from concurrent.futures import Future
from typing import Any

import pytest
from pool_support import Gate
from support import PATIENCE, SomeError, Thing, is_gone

from more_executors import Executors, _core


def test_its_futures_are_of_this_library() -> None:
    with Executors.thread_pool(1) as pool:
        future = pool.submit(pow, 2, 5)
        assert isinstance(future, _core.FutureBase)
        assert isinstance(future, Future)
        assert future.result(PATIENCE) == 32


def test_arguments_get_to_the_call() -> None:
    def given(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    with Executors.thread_pool(1) as pool:
        assert pool.submit(given, 1, fn=2, self=3).result(PATIENCE) == ((1,), {"fn": 2, "self": 3})
        assert pool.submit(given).result(PATIENCE) == ((), {})


@pytest.mark.parametrize("error", [SomeError(), KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=repr)
def test_whatever_a_call_raises_is_its_futures_error(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with Executors.thread_pool(1) as pool:
        assert pool.submit(fail).exception(PATIENCE) is error
        assert pool.submit(int).result(PATIENCE) == 0
    error.__traceback__ = None


def test_calls_begin_in_the_order_of_their_submits() -> None:
    gate, order = Gate(), []
    with Executors.thread_pool(1) as pool:
        pool.submit(gate)
        futures = [pool.submit(order.append, n) for n in range(100)]
        gate.open()
        concurrent.futures.wait(futures, PATIENCE)
    assert order == list(range(100))


def test_a_thread_is_started_only_when_all_others_are_busy() -> None:
    gate = Gate()
    with Executors.thread_pool(3) as pool:
        for n in range(1, 4):
            pool.submit(gate)
            gate.wait()
            assert len(pool._threads) == n
        waiting = pool.submit(int)
        assert len(pool._threads) == 3
        assert pool._work_queue.qsize() == 1
        assert not waiting.running()
        gate.open()
        assert waiting.result(PATIENCE) == 0


def test_an_idle_thread_is_used_again() -> None:
    with Executors.thread_pool(5) as pool:
        for n in range(50):
            assert pool.submit(abs, -n).result(PATIENCE) == n
            concurrent.futures.wait([pool.submit(int)])
        assert len(pool._threads) == 1


def test_what_waits_can_be_cancelled_and_what_runs_cannot() -> None:
    gate, called = Gate(), []
    with Executors.thread_pool(1) as pool:
        running = pool.submit(gate, "done")
        gate.wait()
        waiting = pool.submit(called.append, 1)
        assert running.running()
        assert not running.cancel()
        assert not waiting.running()
        assert waiting.cancel()
        assert waiting.cancel()
        assert waiting.cancelled()
        gate.open()
        assert running.result(PATIENCE) == "done"
    assert not called
    assert waiting._state == "CANCELLED_AND_NOTIFIED"


def test_a_cancelled_call_keeps_nothing() -> None:
    gate, thing = Gate(), Thing()
    is_thing = weakref.ref(thing)
    with Executors.thread_pool(1) as pool:
        pool.submit(gate)
        gate.wait()
        future = pool.submit(id, thing)
        del thing
        assert is_thing() is not None
        assert future.cancel()
        assert is_gone(is_thing)
        gate.open()


def test_a_done_future_keeps_nothing_but_its_outcome() -> None:
    thing = Thing()
    is_thing, is_function = weakref.ref(thing), None

    def function(_: object) -> None:
        """Do nothing."""

    is_function = weakref.ref(function)
    with Executors.thread_pool(1) as pool:
        future = pool.submit(function, thing)
        del thing, function
        assert future.result(PATIENCE) is None
        assert is_gone(is_thing)
        assert is_gone(is_function)


def test_counters_count_what_was_done_failed_and_cancelled() -> None:
    gate = Gate()
    with Executors.thread_pool(1, name="counted") as pool:
        counters = pool._call_queue.counters
        running = pool.submit(gate)
        gate.wait()
        failing, cancelled = pool.submit(int, "x"), pool.submit(int)
        assert counters.pending == 3
        assert cancelled.cancel()
        gate.open()
        assert running.exception(PATIENCE) is None
        assert isinstance(failing.exception(PATIENCE), ValueError)
    assert (counters.started, counters.finished, counters.failed, counters.cancelled) == (3, 1, 1, 1)


def test_a_future_that_somebody_ends_by_hand_harms_no_worker() -> None:
    gate = Gate()
    with Executors.thread_pool(1) as pool:
        running = pool.submit(gate)
        gate.wait()
        waiting = pool.submit(int)
        running.set_result("by hand")
        waiting.set_exception(SomeError())
        gate.open()
        assert pool.submit(int).result(PATIENCE) == 0
    assert running.result(0) == "by hand"
    assert type(waiting.exception(0)) is SomeError


def test_a_thread_that_runs_callbacks_is_not_idle() -> None:
    """One of them waits for what was submitted after the future was done."""
    with Executors.thread_pool(2) as pool:
        inner: list[Any] = []

        def submit_and_wait(_: object) -> None:
            inner.append(pool.submit(int).result(PATIENCE))

        outer = pool.submit(int)
        outer.add_done_callback(submit_and_wait)
        outer.result(PATIENCE)
    assert inner == [0]


def test_a_callback_that_is_added_at_the_last_moment_holds_nobody_up() -> None:
    gate, results = Gate(), []
    with Executors.thread_pool(2) as pool:
        first = pool.submit(gate)
        gate.wait()
        with first._condition:  # 1. the call ends; its thread takes itself for idle, and cannot end the future yet
            gate.open()
            while pool._call_queue.unfinished:
                pass
            second = pool.submit(int)  # 2. there is no other thread for this one
            first.add_done_callback(lambda _: results.append(second.result(PATIENCE)))  # 3. and the first waits for it
        first.result(PATIENCE)  # 4. so there has to be another
    assert results == [0]


def test_what_is_queued_is_hidden_from_the_collector_and_what_is_done_may_be_found() -> None:
    gate = Gate()
    with Executors.thread_pool(1) as pool:
        running, waiting = pool.submit(gate), pool.submit(list)
        gate.wait()
        assert not gc.is_tracked(running)
        assert not gc.is_tracked(waiting)
        gate.open()
        waiting.result(PATIENCE).append(waiting)
        is_waiting = weakref.ref(waiting)
    assert gc.is_tracked(waiting)
    del waiting
    assert is_gone(is_waiting)
