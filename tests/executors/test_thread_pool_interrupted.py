"""A Ctrl-C while a thread pool of ours starts a worker: what follows depends on whether the worker has begun."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from interrupts_at_lines import assert_no_threads_but, at_each_line
from pool_support import Gate
from support import PATIENCE, assert_ends

from more_executors import Executors
from more_executors._runtime import pool_worker


class Interrupted(threading.Thread):
    """One whose start is interrupted once: before it has begun, or when it has."""

    left = 1
    begins = False
    may_work = threading.Event()
    made: list[threading.Thread] = []  # noqa: RUF012  # emptied before each test

    def start(self) -> None:
        self.made.append(self)
        if not self.left:
            super().start()
            return
        type(self).left -= 1
        if self.begins:
            super().start()
        raise KeyboardInterrupt


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> type[Interrupted]:
    class Once(Interrupted):
        made: list[threading.Thread] = []  # noqa: RUF012

    monkeypatch.setattr(pool_worker.threading, "Thread", Once)
    return Once


def test_a_worker_that_has_not_begun_is_none(thread: type[Interrupted]) -> None:
    called: list[int] = []
    with Executors.thread_pool(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            pool.submit(called.append, 1)
        calls = pool._call_queue
        assert (calls.workers, calls.unfinished, calls.counters.pending, len(pool._threads)) == (0, 0, 0, 0)
        assert pool.submit(int).result(PATIENCE) == 0
    assert not called


def test_a_worker_that_comes_after_that_goes_at_once(
    thread: type[Interrupted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has begun, but has not come to its work when the interrupt is noticed."""
    thread.begins = True
    gate = Gate()
    begin = pool_worker.work

    def late(*args: Any) -> None:
        gate()
        begin(*args)

    monkeypatch.setattr(pool_worker, "work", late)
    called: list[int] = []
    with Executors.thread_pool(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            pool.submit(called.append, 1)
        assert pool._call_queue.workers == 0
        gate.open()
        assert_ends(thread.made[0])
        assert pool.submit(int).result(PATIENCE) == 0
        assert pool._threads == {thread.made[1]}
    assert not called


def test_a_worker_that_works_already_is_kept(thread: type[Interrupted], monkeypatch: pytest.MonkeyPatch) -> None:
    thread.begins = True
    gate = Gate()
    with Executors.thread_pool(1, initializer=gate) as pool:
        start = thread.start

        def start_and_wait(self: Any) -> None:
            try:
                start(self)
            finally:
                gate.wait()

        monkeypatch.setattr(thread, "start", start_and_wait)
        with pytest.raises(KeyboardInterrupt):
            pool.submit(int)
        assert pool._call_queue.workers == 1
        assert pool._threads == set(thread.made)
        gate.open()
        assert pool.submit(int).result(PATIENCE) == 0
    assert len(thread.made) == 1


def test_what_others_submitted_gets_a_worker(thread: type[Interrupted], monkeypatch: pytest.MonkeyPatch) -> None:
    """They rely on the one that is being started, as there may be only one."""
    others: list[Any] = []
    start = thread.start

    def start_after_another(self: Any) -> None:
        if not others:
            others.append(pool.submit(abs, -1))
        start(self)

    monkeypatch.setattr(thread, "start", start_after_another)
    with Executors.thread_pool(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            pool.submit(int)
        assert others.pop().result(PATIENCE) == 1


@pytest.mark.long
def test_an_interrupt_at_any_line_of_making_one_of_a_submit_and_of_its_shutdown() -> None:
    for call in ("make", "submit", "shutdown"):
        for interrupt in at_each_line():
            before = set(threading.enumerate())
            made: list[Any] = [] if call == "make" else [Executors.thread_pool(2)]
            if call == "make":
                interrupt.hits(lambda made=made: made.append(Executors.thread_pool(2)))
            elif call == "submit":
                interrupt.hits(lambda made=made: made[0].submit(int))
            else:
                made[0].submit(int)
                interrupt.hits(lambda made=made: made[0].shutdown())
            for pool in made:
                if call != "shutdown":
                    assert pool.submit(int).result(PATIENCE) == 0, interrupt.line
                pool.shutdown()
                assert pool._call_queue.counters.pending == 0
            del made[:]
            assert_no_threads_but(before, interrupt.line)
