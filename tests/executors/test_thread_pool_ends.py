"""The thread pool of ours at its end, whatever that is."""

from __future__ import annotations

import concurrent.futures
import gc
import os
import sys
import threading
import weakref
from concurrent.futures import BrokenExecutor
from concurrent.futures.thread import BrokenThreadPool
from typing import Any

import pytest
from pool_support import Gate, NoThread
from support import PATIENCE, SomeError, assert_ends, is_gone, listening_to

from more_executors import Executors
from more_executors._runtime import pool_worker


@pytest.mark.parametrize("wait", [True, False])
def test_shutdown_that_cancels_leaves_what_runs(wait: bool) -> None:
    gate = Gate()
    pool = Executors.thread_pool(1)
    running = pool.submit(gate, "done")
    gate.wait()
    waiting = [pool.submit(int) for _ in range(5)]
    (thread,) = pool._threads
    if wait:
        ending = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True})
        ending.start()
    else:
        pool.shutdown(wait=False, cancel_futures=True)
    concurrent.futures.wait(waiting, PATIENCE)
    assert all(future.cancelled() for future in waiting)
    gate.open()
    assert running.result(PATIENCE) == "done"
    if wait:
        ending.join(PATIENCE)
        assert not ending.is_alive()
    assert_ends(thread)
    with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
        pool.submit(int)


def test_a_pool_that_nobody_has_ends_its_threads_and_does_what_was_submitted() -> None:
    gate = Gate()
    pool: Any = Executors.thread_pool(2)
    futures = [pool.submit(gate, n) for n in range(4)]
    gate.wait(2)
    threads = list(pool._threads)
    is_pool = weakref.ref(pool)
    del pool
    gc.collect()
    gate.open()
    assert [future.result(PATIENCE) for future in futures] == [0, 1, 2, 3]
    for thread in threads:
        assert_ends(thread)
    assert is_pool() is None


def test_an_initializer_that_raises_breaks_the_pool() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def initialize() -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        raise SomeError

    with listening_to("concurrent.futures"):
        pool = Executors.thread_pool(1, initializer=initialize)
        futures = [pool.submit(int) for _ in range(3)]
        assert begun.wait(PATIENCE)
        go_on.set()
        for future in futures:
            assert type(future.exception(PATIENCE)) is BrokenThreadPool
        with pytest.raises(BrokenExecutor):
            pool.submit(int)
        pool.shutdown()


def test_without_a_thread_submit_raises_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Executors.thread_pool(2)
    with monkeypatch.context() as patches:
        patches.setattr(pool_worker.threading, "Thread", NoThread)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            pool.submit(int)
    assert pool._call_queue.unfinished == pool._call_queue.workers == 0
    assert pool._call_queue.counters.pending == 0
    assert pool.submit(int).result(PATIENCE) == 0
    pool.shutdown()


def test_without_another_thread_the_first_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    with Executors.thread_pool(2) as pool:
        first = pool.submit(gate)
        gate.wait()
        monkeypatch.setattr(pool_worker.threading, "Thread", NoThread)
        second = pool.submit(int)
        gate.open()
        assert first.exception(PATIENCE) is second.exception(PATIENCE) is None
        assert len(pool._threads) == 1


class LateQueue:
    """The queue of a pool: before a call is put in, `before()` is called."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self.before: Any = lambda: None

    def put(self, call: Any) -> None:
        before, self.before = self.before, lambda: None
        before()
        self._queue.put(call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


@pytest.mark.parametrize("end", ["shutdown", "broken", "interpreter"])
def test_a_call_that_comes_when_the_last_worker_has_left_is_refused(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_gone(refused_late(end, monkeypatch))  # the queue, with the call in it


def refused_late(end: str, monkeypatch: pytest.MonkeyPatch) -> weakref.ref[LateQueue]:
    pool = Executors.thread_pool(1)
    queue = LateQueue(pool._work_queue)
    pool._work_queue = queue
    assert pool.submit(int).result(PATIENCE) == 0
    gate = Gate()

    def end_it() -> None:
        if end == "shutdown":
            pool.shutdown()
        elif end == "broken":
            pool.submit(gate)  # so that the worker does not come
            gate.wait()
            pool._initializer_failed()
        else:
            monkeypatch.setattr(concurrent.futures.thread, "_shutdown", True)
            queue._queue.put(None)
            for thread in pool._threads:
                assert_ends(thread)

    queue.before = end_it
    with pytest.raises(RuntimeError):
        pool.submit(int)
    monkeypatch.undo()
    gate.open()
    pool.shutdown()
    assert pool._call_queue.counters.pending == 0
    return weakref.ref(queue)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_begins_anew() -> None:
    gate = Gate()
    with Executors.thread_pool(1) as pool:
        pool.submit(gate)
        gate.wait()
        waiting = pool.submit(int)
        parent = os.getpid()
        waiting.add_done_callback(lambda _: None if os.getpid() == parent else os._exit(3))
        child = os.fork()
        if child == 0:
            code = 1
            try:
                assert pool.submit(abs, -7).result(PATIENCE) == 7
                code = 0 if waiting.cancelled() else 2
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        waiting.cancel()
        gate.open()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_call_that_forks_is_a_call_of_the_child_as_well() -> None:
    """The thread that forked is the only one there, and goes on to be a worker."""

    def fork() -> int:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                calls = pool._call_queue
                good = calls.workers == calls.unfinished == 1 and pool._threads == {threading.current_thread()}
                code = 0 if good and pool.submit(abs, -7).result(PATIENCE) == 7 else 2
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    with Executors.thread_pool(2) as pool:
        assert pool.submit(fork).result(PATIENCE) == 0


def test_an_initializer_that_raises_leaves_nothing_pending_where_some_was_cancelled() -> None:
    gate = Gate()

    def initialize() -> None:
        gate()
        raise SomeError

    with listening_to("concurrent.futures"):
        pool: Any = Executors.thread_pool(1, initializer=initialize)
        futures = [pool.submit(int) for _ in range(3)]
        gate.wait()
        assert futures[0].cancel()
        (thread,) = pool._threads
        del pool
        gc.collect()
        gate.open()
        assert [type(future.exception(PATIENCE)) for future in futures[1:]] == [BrokenThreadPool] * 2
        assert_ends(thread)


def test_a_callback_of_a_call_that_a_failing_initializer_ends_may_submit() -> None:
    gate = Gate()
    raised: list[type[BaseException]] = []

    def initialize() -> None:
        gate()
        raise SomeError

    def submit_again(_: object) -> None:
        try:
            pool.submit(int)
        except RuntimeError as error:
            raised.append(type(error))

    with listening_to("concurrent.futures"), Executors.thread_pool(1, initializer=initialize) as pool:
        future = pool.submit(int)
        future.add_done_callback(submit_again)
        gate.open()
        assert type(future.exception(PATIENCE)) is BrokenThreadPool
    assert raised == [BrokenThreadPool]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_one_that_cannot_begin_anew_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    with Executors.thread_pool(1) as broken, Executors.thread_pool(1) as pool:
        pool.submit(gate)
        gate.wait()
        waiting = pool.submit(int)
        monkeypatch.setattr(broken, "_end_after_fork", lambda: [][0])
        monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
        child = os.fork()
        if child == 0:
            os._exit(0 if waiting.cancelled() else 2)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        gate.open()
        assert waiting.result(PATIENCE) == 0
