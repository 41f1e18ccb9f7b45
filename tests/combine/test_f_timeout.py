"""f_timeout: when it cancels, and the thread that does."""

from __future__ import annotations

import queue
import threading
import time
import weakref
from concurrent.futures import CancelledError, Future, wait
from math import inf, nan
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    PATIENCE,
    FutureKind,
    InThread,
    SomeError,
    all_at_once,
    assert_ends,
    is_gone,
    kind_fixture,
    listening_to,
    said,
)

from more_executors import _core, f_nocancel, f_return, f_timeout
from more_executors.futures import limit

kind = kind_fixture(EVERY_KIND)


class Clock:
    """The time of the library, which from now on passes only when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        monkeypatch.setattr(_core, "monotonic", lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        """Let `seconds` go by; returns when all that is due has been dealt with."""
        self.now += seconds
        # The first wakes the thread, the second is the last of what is due.
        ends = f_timeout(_core.Future(), -1e9), f_timeout(_core.Future(), 0.0)
        assert not wait(ends, PATIENCE).not_done


class StatusRequest(Future):  # type: ignore[type-arg]
    """Counts how often it is asked to cancel, and refuses as long as it is told to."""

    def __init__(self, refusing: bool = True) -> None:
        super().__init__()
        self.refusing = refusing
        self.asked: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    def cancel(self) -> bool:
        self.asked.put(threading.current_thread())
        return False if self.refusing else super().cancel()


@pytest.mark.parametrize("seconds", [0, 0.0, -1, -1e9, -inf, 0.001, False], ids=repr)
def test_when_the_time_is_up_it_is_cancelled_and_so_is_its_input(kind: FutureKind, seconds: float) -> None:
    source = kind.pending()
    future = f_timeout(source, seconds)
    assert said(future) is CancelledError
    assert source.cancelled()


def test_it_is_cancelled_when_the_time_is_up_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    sources: list[Future[Any]] = [_core.Future() for _ in range(4)]
    futures = [f_timeout(source, seconds) for source, seconds in zip(sources, (30, 10, 20, inf), strict=True)]
    expected = [False] * 4
    for step, index in ((9.9, None), (0.2, 1), (9.8, None), (0.2, 2), (9.8, None), (0.2, 0), (1e9, None)):
        clock.pass_by(step)
        if index is not None:
            expected[index] = True
        assert [future.cancelled() for future in futures] == expected
        assert [source.cancelled() for source in sources] == expected
    sources[3].set_result("at last")
    assert futures[3].result(0) == "at last"


def test_one_cancel_is_tried_and_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    source = StatusRequest()
    future = f_timeout(source, 5)
    clock.pass_by(4)
    assert source.asked.qsize() == 0
    for _ in range(3):
        clock.pass_by(10)
        assert source.asked.qsize() == 1
    assert not future.done()
    source.set_result("after all")
    assert future.result(0) == "after all"


def test_what_is_done_in_time_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    sources = [StatusRequest() for _ in range(3)]
    futures = [f_timeout(source, 5) for source in sources]
    sources[0].set_result("result")
    sources[1].set_exception(SomeError())
    futures[2].set_result("set by hand")
    clock.pass_by(10)
    assert [source.asked.qsize() for source in sources] == [0, 0, 0]
    assert f_timeout(f_return("done"), -1).result(0) == "done"


def test_an_input_that_runs_goes_on(kind: FutureKind, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    source = kind.pending()
    kind.start(source)
    future = f_timeout(source, 1)
    clock.pass_by(2)
    assert future.running()
    kind.finish(source, "result")
    assert future.result(0) == "result"


def test_it_may_be_cancelled_before(kind: FutureKind) -> None:
    source = kind.pending()
    future = f_timeout(source, 3600)
    assert future.cancel() is True
    assert (future.cancelled(), source.cancelled()) == (True, True)


def test_what_cannot_be_cancelled_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    source: Future[Any] = _core.Future()
    future = f_timeout(f_nocancel(source), 1)
    within = f_nocancel(f_timeout(source, 3))
    clock.pass_by(2)
    assert not future.done()
    clock.pass_by(2)
    assert (source.cancelled(), future.cancelled(), within.cancelled()) == (True, True, True)


def test_an_input_whose_cancel_raises_is_logged_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Angry(StatusRequest):
        def cancel(self) -> bool:
            raise SomeError("not now")

    clock = Clock(monkeypatch)
    with listening_to("TimeoutExecutor") as heard:
        angry = Angry()
        failing, future = f_timeout(angry, 1), f_timeout(_core.Future(), 1)
        clock.pass_by(2)
        assert future.cancelled()
        assert [line[2].args for line in heard.lines if line[2] is not None] == [("not now",)]
    angry.set_result("result")
    assert failing.result(0) == "result"


@pytest.mark.parametrize("seconds", [None, "1", [1], 1j, nan], ids=repr)
def test_what_is_no_number_of_seconds_is_refused_at_once(seconds: Any) -> None:
    with pytest.raises(ValueError if seconds is nan else TypeError):
        f_timeout(f_return(), seconds)


# -- f_timeout: the thread -----------------------------------------------------------------------------------------


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "TimeoutExecutor-internal"]


def test_all_of_them_share_a_thread_that_ends_when_they_are_done() -> None:
    sources: list[Future[Any]] = [Future() for _ in range(100)]
    futures = [f_timeout(source, 3600) for source in sources]
    (thread,) = threads()
    assert thread.daemon
    for source in sources[:-1]:
        source.set_result(1)
    assert threads() == [thread]
    sources[-1].set_result(1)
    assert_ends(thread)
    assert all(future.done() for future in futures)


def test_after_that_there_is_another_thread() -> None:
    first: Future[Any] = Future()
    f_timeout(first, 3600)
    (thread,) = threads()
    first.set_result(1)
    assert_ends(thread)
    future = f_timeout(_core.Future(), 0)
    assert said(future) is CancelledError


def test_callers_on_many_threads_at_once_are_all_served() -> None:
    # Those that are the first at the same moment may get a thread each; there are no more than that.
    sources: list[Future[Any]] = [Future() for _ in range(8)]
    futures = all_at_once(*(lambda source=source: f_timeout(source, 3600) for source in sources))
    assert 1 <= len(threads()) <= 8
    in_time = f_timeout(_core.Future(), 0)
    assert said(in_time) is CancelledError
    for source in sources:
        source.set_result(1)
    assert [future.result(0) for future in futures] == [1] * 8
    for thread in threads():
        assert_ends(thread)


def test_it_goes_away_with_futures_that_nobody_refers_to() -> None:
    future = f_timeout(_core.Future(), 3600)
    reference = weakref.ref(future)
    (thread,) = threads()
    del future
    assert is_gone(reference)
    assert_ends(thread)


def test_a_callback_on_its_thread_may_use_it() -> None:
    made: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
    future = f_timeout(_core.Future(), 0)
    future.add_done_callback(lambda _: made.put(f_timeout(_core.Future(), 0)))
    assert said(made.get(timeout=PATIENCE)) is CancelledError


@pytest.mark.parametrize("descending", [False, True], ids=["rising", "falling"])
def test_a_hundred_thousand_may_wait_for_their_time(monkeypatch: pytest.MonkeyPatch, descending: bool) -> None:
    clock = Clock(monkeypatch)
    many = 100_000
    sources: list[Future[Any]] = [_core.Future() for _ in range(many)]
    futures = [f_timeout(source, many - n if descending else n + 1) for n, source in enumerate(sources)]
    clock.pass_by(many // 2)
    assert sum(future.cancelled() for future in futures) == many // 2
    for source in sources:
        if not source.done():
            source.set_result(1)
    assert all(future.done() for future in futures)


def test_a_cancel_when_the_time_is_up_and_a_result_end_it_once() -> None:
    for _ in range(100):
        source: Future[Any] = _core.Future()
        ends: list[Any] = []
        future = f_timeout(source, 0)
        future.add_done_callback(ends.append)

        def finish(source: Future[Any] = source) -> bool:
            try:
                source.set_result("result")
            except Exception:
                return False
            return True

        finished = InThread(finish).outcome()
        assert said(future) == ("result" if finished else CancelledError)
        f_timeout(f_return(), 0).result(0)
        assert len(ends) <= 1
        ends.clear()


def test_when_the_shared_executor_takes_no_more_there_is_another() -> None:
    executor = limit.shared_executor()
    executor.shutdown()
    future = f_timeout(Future[Any](), 0)
    wait([future], PATIENCE)
    assert future.cancelled()


def test_what_is_done_needs_no_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(limit, "shared_executor")
    assert f_timeout(f_return(5), 10).result(0) == 5
