"""One object from many threads at once: it is these that only a build without a GIL runs truly at the same time."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import sys
import sysconfig
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from support import PATIENCE, InThread, SteppedPoll, Thing, all_at_once

from more_executors import PollDescriptor, PollExecutor, SyncExecutor
from more_executors._core import FullListTable, FutureSource
from more_executors._core import Future as OurFuture

ROUNDS = 150


class Giver:
    """A delegate for one thread: `given` is the future it gave last."""

    given: Future[Any]

    def submit(self, fn: Callable[..., Any]) -> Future[Any]:
        self.given = Future()
        return self.given


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_the_library_runs_without_a_gil() -> None:
    assert not sys._is_gil_enabled()


def test_a_polled_future_from_all_sides_ends_once_and_looks_sane_meanwhile() -> None:
    poll = SteppedPoll()
    executor = PollExecutor(SyncExecutor(), poll, cancel_fn=bool)
    call = poll.next()
    ends = Counter[str]()
    for number in range(1, ROUNDS + 1):
        future = executor.submit(int, number)
        call.end(returning=0)
        while not (call := poll.next()).descriptors:
            call.end(returning=0)
        (descriptor,) = call.descriptors
        calls: list[Any] = []

        def call_back(future: Future[Any] = future, calls: list[Any] = calls) -> None:
            for _ in range(10):
                future.add_done_callback(calls.append)

        def look(future: Future[Any] = future) -> None:
            while not future.done():
                assert repr(future).startswith("<Future at")
                assert future.running() is False
            assert future._state in ("FINISHED", "CANCELLED_AND_NOTIFIED")

        def hold(future: Future[Any] = future) -> None:
            for _ in range(10):
                with future._condition:
                    before = future._state
                    assert future._get_snapshot()[0] is (before != "PENDING")
                    assert future._state == before

        def wait(future: Future[Any] = future) -> str:
            with contextlib.suppress(CancelledError, ValueError):
                assert future.result(PATIENCE) == "result"
            return future._state

        def wait_with_others(future: Future[Any] = future) -> int:
            return len(concurrent.futures.wait([future], PATIENCE).done)

        yielding = [lambda d=descriptor: d.yield_result("result"), lambda d=descriptor: d.yield_exception(ValueError)]
        *_, cancelled, waited = all_at_once(
            *yielding, call_back, look, hold, wait, future.cancel, wait_with_others
        )  # fmt: skip
        assert waited == 1
        assert cancelled is future.cancelled()
        assert calls == [future] * 10
        ends["cancelled" if future.cancelled() else "failed" if future.exception() else "finished"] += 1
    executor.shutdown(wait=False)
    call.end()
    counters = executor._table.counters
    assert (counters.finished, counters.failed, counters.cancelled) == (
        ends["finished"],
        ends["failed"],
        ends["cancelled"],
    )
    assert counters.started == ROUNDS


def test_whether_a_future_waits_for_a_thread_can_be_asked_while_it_ends() -> None:
    """Two threads have delegates fail, which ends the futures; two others ask whether those wait for them."""
    logger, executor = logging.Logger("unheard", logging.CRITICAL + 1), object()
    table = FullListTable(logger)
    kept: list[Future[Any]] = []

    def fail() -> None:
        giver = Giver()
        for _ in range(ROUNDS):
            begun = [(table.submit(executor, giver, int, (), {}), giver.given) for _ in range(10)]
            for future, given in begun:
                given.set_exception(ValueError())
                kept.append(future)

    def ask() -> None:
        while len(kept) < 20 * ROUNDS:
            assert not table.needs_this_thread()

    all_at_once(fail, fail, ask, ask)
    assert all(isinstance(future.exception(0), ValueError) for future in kept)
    assert len(table) == 0


def test_a_table_that_grows_and_shrinks_under_all_threads_keeps_what_is_in_it() -> None:
    """Three threads each begin tasks, have them join the polled list in bursts, and end half; two list them."""
    logger, executor = logging.Logger("unheard", logging.CRITICAL + 1), object()
    for _ in range(ROUNDS // 10):
        table = FullListTable(logger)
        kept: list[Future[Any]] = []

        def burst(table: FullListTable = table, kept: list[Future[Any]] = kept) -> None:
            giver = Giver()
            for size in (1, 60, 3, 200):
                begun = [(table.submit(executor, giver, int, (), {}), giver.given) for _ in range(size)]
                for number, (_, given) in enumerate(begun):
                    given.set_result(number)
                for future, _ in begun[::2]:
                    assert future.cancel()
                kept += [future for future, _ in begun[1::2]]

        def listing(table: FullListTable = table) -> None:
            for _ in range(100):
                results = [descriptor.result for descriptor in table.take_all()]
                assert all(type(result) is int for result in results)
                assert len(table.futures()) >= 0

        all_at_once(burst, burst, burst, listing, listing)
        assert len(table) == table.polling == len(kept) == len(table.take_all())
        assert set(table.futures()) == set(kept)
        table.fail_all(table.take_all(), ValueError())
        assert all(isinstance(future.exception(0), ValueError) for future in kept)
        assert len(table) == 0


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED") or sys.version_info >= (3, 14),
    reason="here references to methods are not what threads that call them contend for",
)
@pytest.mark.parametrize(
    ("owner", "name"), [(PollDescriptor, "yield_result"), (PollDescriptor, "result"), (OurFuture, "done")]
)
def test_references_to_methods_and_properties_are_not_counted(owner: type, name: str) -> None:
    (attribute,) = (vars(base)[name] for base in owner.__mro__[:2] if name in vars(base))
    assert sys.getrefcount(attribute) == sys.getrefcount(None)


def test_what_one_thread_submits_and_another_resolves_is_gone_while_the_first_sleeps() -> None:
    poll = SteppedPoll()
    executor = PollExecutor(SyncExecutor(), poll)
    call = poll.next()
    submitted, over = threading.Event(), threading.Event()

    def submit() -> None:
        executor.submit(int)
        submitted.set()
        over.wait(PATIENCE)

    submitter = InThread(submit)
    try:
        assert submitted.wait(PATIENCE)
        while not call.descriptors:
            call.end(returning=0)
            call = poll.next()
        result = Thing()
        gone = weakref.ref(result)
        call.descriptors.pop().yield_result(result)
        del result
        call.end(returning=0)
        call = poll.next()
        assert gone() is None
    finally:
        over.set()
        submitter.outcome()
    executor.shutdown(wait=False)
    call.end(returning=0)


def test_how_many_began_and_ended_is_counted_as_of_one_moment() -> None:
    """Three threads have one future each that is not done, at most, and two see no more."""
    source = FutureSource(logging.Logger("unheard", logging.CRITICAL + 1))
    counters = source.counters

    def begin_and_end() -> None:
        for _ in range(ROUNDS * 20):
            source.done(None)

    def look() -> None:
        for _ in range(ROUNDS * 20):
            assert 0 <= counters.pending <= 3

    all_at_once(begin_and_end, begin_and_end, begin_and_end, look, look)
    assert (counters.started, counters.finished, counters.pending) == (ROUNDS * 60, ROUNDS * 60, 0)
