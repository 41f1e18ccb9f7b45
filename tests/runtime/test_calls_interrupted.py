"""A Ctrl-C at whichever line of making an executor, or of a call of it: a second one works, and nothing is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from interrupts_at_lines import assert_no_threads_but, at_each_line
from poll_journal_support import Record
from support import PATIENCE, said

from more_executors import Backoff, Executors, PollExecutor, SyncExecutor

pytestmark = pytest.mark.long


def poll(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


async def async_poll(descriptors: list[Any]) -> None:
    poll(descriptors)


def polling(function: Callable[[list[Any]], Any] = poll, **options: Any) -> Callable[[Record], Any]:
    return lambda record: PollExecutor(SyncExecutor(), function, **options)


MAKERS: dict[str, Callable[[Record], Any]] = {
    "poll": polling(),
    "poll_due": polling(schedule=Backoff(0.01)),
    "poll_with_deadlines": polling(timeout=60.0),
    "poll_on_threads": polling(max_concurrency=2, batch_size=3),
    "poll_on_loop": polling(async_poll),
    "poll_with_journal": lambda record: PollExecutor(SyncExecutor(), poll, journal=record),
    "map": lambda record: Executors.sync().with_map(str),
    "flat_map": lambda record: Executors.sync().with_flat_map(Executors.sync().bind(str)),
    "retry": lambda record: Executors.sync().with_retry(),
    "throttle": lambda record: Executors.sync().with_throttle(1),
    "timeout": lambda record: Executors.sync().with_timeout(60),
    "cancel_on_shutdown": lambda record: Executors.sync().with_cancel_on_shutdown(),
    "chain": lambda record: Executors.sync().with_poll(poll).with_retry().with_throttle(2).with_map(str),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_making_one(kind: str) -> None:
    for interrupt in at_each_line():
        before = set(threading.enumerate())
        record = Record([(1, "a")])
        made: list[Any] = []
        interrupt.hits(lambda record=record, made=made: made.append(MAKERS[kind](record)))
        while made:
            made.pop().shutdown()
        executor = MAKERS[kind](record)
        assert executor.submit(int).result(PATIENCE) in (0, "0"), interrupt.line
        executor.shutdown()
        assert record.on_record == {1: "a"}
        assert_no_threads_but(before, interrupt.line)


CALLS: dict[str, Callable[[Any], list[Future[Any]]]] = {
    "submit": lambda executor: [executor.submit(int)],
    "adopt": lambda executor: [executor.adopt("b")],
    "adopt_many": lambda executor: executor.adopt_many(["b", "c", "d"]),  # type: ignore[no-any-return]
    "resume": lambda executor: [future for _, future in executor.resume()],
    "flush_journal": lambda executor: [] if executor.flush_journal(PATIENCE) else [Future()],
}
OF_EACH = {(kind, "submit") for kind in MAKERS} | {
    (kind, call)
    for kind in MAKERS
    for call in CALLS
    if kind == "poll_with_journal" or (kind.startswith("poll") and call.startswith("adopt"))
}


@pytest.mark.parametrize(("kind", "call"), sorted(OF_EACH))
def test_a_call_of_one(kind: str, call: str) -> None:
    for interrupt in at_each_line():
        before = set(threading.enumerate())
        record = Record([(1, "a"), (2, "b")])
        executor = MAKERS[kind](record)
        futures: list[Future[Any]] = []
        interrupt.hits(lambda executor=executor, futures=futures: futures.extend(CALLS[call](executor)))
        futures.extend(CALLS[call](executor))
        for future in futures:
            said(future)
        executor.shutdown()
        assert executor._table.counters.pending == 0
        assert len(record.on_record) == (0 if call == "resume" else 2)
        assert_no_threads_but(before, interrupt.line)
