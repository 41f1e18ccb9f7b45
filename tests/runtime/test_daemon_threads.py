"""The threads that an executor makes slow calls on, by themselves."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from queue import SimpleQueue
from typing import Any

import pytest
from support import PATIENCE, InThread, Parking, SomeError, assert_ends, is_gone, listening_to

from more_executors._runtime.call_threads import CallThreads


@pytest.fixture
def threads() -> Iterator[CallThreads]:
    threads = CallThreads("worker", 3)
    yield threads
    threads.close()
    threads.join()


def alive() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("worker-"))


def call(threads: CallThreads, function: Callable[[], Any] = threading.current_thread) -> Any:
    """Have `function` called there; returns what it returns."""
    answer: SimpleQueue[Any] = SimpleQueue()
    threads.start(lambda: answer.put(function()))
    return answer.get(timeout=PATIENCE)


def test_threads_are_started_as_they_are_needed_and_named_and_end_with_close(threads: CallThreads) -> None:
    parking = Parking()
    assert not alive()
    for count in (1, 2, 3):
        threads.start(parking)
        parking.wait_for_one()
        assert alive() == [f"worker-{n + 1}" for n in range(count)]
    threads.start(parking)
    assert len(alive()) == 3
    parking.let_go()
    threads.close()
    threads.close()
    threads.join()
    assert not alive()
    assert len(parking.calls) == 4  # what was in the queue was done


def test_a_thread_that_is_free_is_used_again(threads: CallThreads) -> None:
    first = call(threads)
    while not threads.has_room():  # until it has said that it is done
        pass
    second = call(threads)
    assert first.daemon
    assert {first.name, second.name} <= {"worker-1", "worker-2"}


def test_there_is_room_while_fewer_jobs_go_on_than_there_may_be_threads(threads: CallThreads) -> None:
    parking, free = Parking(), threading.Event()
    threads.when_free = free.set
    for _ in range(3):
        assert threads.has_room()
        threads.start(parking)
    assert not threads.has_room()
    parking.let_go()
    assert free.wait(PATIENCE)
    assert threads.has_room()


def test_after_close_nothing_more_is_started(threads: CallThreads) -> None:
    threads.close()
    with pytest.raises(RuntimeError, match=r"^cannot start a call after shutdown$"):
        threads.start(print)
    assert threads.has_room()


@pytest.mark.parametrize("error", [SomeError(), SystemExit(), KeyboardInterrupt()], ids=repr)
def test_a_job_that_raises_is_logged_and_the_thread_goes_on(threads: CallThreads, error: BaseException) -> None:
    def fail() -> None:
        raise error

    with listening_to("more_executors._runtime.call_threads") as heard:
        threads.start(fail)
        call(threads)
        threads.close()
        threads.join()
        assert heard.lines == [("ERROR", "worker goes on after an error", error)]
    error.__traceback__ = None


def test_a_thread_knows_that_it_is_one_of_them(threads: CallThreads) -> None:
    assert not threads.is_current()
    assert call(threads, threads.is_current) is True


def test_a_thread_is_known_before_it_can_do_anything(threads: CallThreads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start returns late: after it has done its first job."""
    start, answer = threading.Thread.start, SimpleQueue[bool]()

    def start_late(thread: threading.Thread) -> None:
        threads._jobs.put(lambda: answer.put(threads.is_current()))
        threads._unfinished.begin()
        start(thread)
        answers.append(answer.get(timeout=PATIENCE))

    answers: list[bool] = []
    with monkeypatch.context() as patches:
        patches.setattr(threading.Thread, "start", start_late)
        threads.start(bool)
    assert answers == [True]


def test_an_idle_thread_holds_nothing_of_the_job_it_did(threads: CallThreads) -> None:
    done = threading.Event()
    job = partial(done.set)
    reference = weakref.ref(job)
    threads.start(job)
    del job
    assert done.wait(PATIENCE)
    assert is_gone(reference)


def refuse(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_if_no_thread_can_be_started_that_is_said_and_it_can_be_tried_again(
    threads: CallThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patches:
        patches.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            threads.start(print)
    assert threads.has_room()
    assert call(threads).name == "worker-1"


def test_if_no_more_threads_can_be_started_those_there_are_do_the_work(
    threads: CallThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    parking = Parking()
    threads.start(parking)
    parking.wait_for_one()
    with monkeypatch.context() as patches:
        patches.setattr(threading.Thread, "start", refuse)
        threads.start(parking)
    parking.let_go()
    parking.wait_for_one()
    assert alive() == ["worker-1"]


def test_jobs_begin_in_the_order_they_came_where_there_is_one_thread() -> None:
    threads, done = CallThreads("worker", 1), list[int]()
    for n in range(100):
        threads.start(partial(done.append, n))
    threads.close()
    threads.join()
    assert done == list(range(100))


@pytest.mark.parametrize("switching", [sys.getswitchinterval(), 1e-6])
def test_what_was_taken_before_close_is_done_and_what_comes_later_is_refused(switching: float) -> None:
    def start_some(threads: CallThreads, done: SimpleQueue[int]) -> int:
        taken = 0
        for n in range(50):
            try:
                threads.start(partial(done.put, n))
            except RuntimeError:
                continue
            taken += 1
            if taken == 10:
                threads.close()
        return taken

    before = sys.getswitchinterval()
    sys.setswitchinterval(switching)
    try:
        for _ in range(5):
            threads, done = CallThreads("worker", 3), SimpleQueue[int]()
            starting = [InThread(start_some, threads, done) for _ in range(4)]
            taken = sum(thread.outcome() for thread in starting)
            threads.join()
            assert done.qsize() == taken >= 10
            assert not alive()
    finally:
        sys.setswitchinterval(before)


def test_close_may_come_on_one_of_the_threads(threads: CallThreads) -> None:
    thread = call(threads)
    call(threads, threads.close)
    assert_ends(thread)


def test_jobs_that_follow_each_other_need_one_thread(threads: CallThreads) -> None:
    free = threading.Semaphore(0)
    threads.when_free = free.release
    for _ in range(5):
        call(threads)
        assert free.acquire(timeout=PATIENCE)
    assert alive() == ["worker-1"]
