"""Tasks with keys, with threads that meet at chosen points: each future ends once, and each task is started once."""

from __future__ import annotations

import gc
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import CancelledError, wait
from pathlib import Path
from typing import Any

import pytest
from keys_support import Program, Service, leave_in_doubt, wait_until
from support import PATIENCE, DuckDelegate, InThread, Parking, all_at_once

from more_executors import Executors
from more_executors.journal import JournalError, Keys, StartInDoubt
from more_executors.journal._start_book import AHEAD

Run = Callable[..., Program]


def hold_writes(program: Program, monkeypatch: pytest.MonkeyPatch, *, raising: BaseException | None = None) -> Parking:
    """Have the next writes to the journal wait, until the test lets go, and then happen, or raise."""
    file = program.journal._file
    write, parking = file.write_all, Parking(raising=raising)

    def held(*changes: Any) -> None:
        parking(*changes)
        write(*changes)

    monkeypatch.setattr(file, "write_all", held)
    return parking


def test_of_threads_with_one_new_key_one_starts_the_task(run: Run, service: Service) -> None:
    program = run()
    for key in range(20):
        futures = all_at_once(*[lambda key=key: program.publish(key)] * 4)  # type: ignore[misc]
        assert len(set(map(id, futures))) == 1
        assert futures[0].result(PATIENCE) == f"{key} is published"
    assert set(service.counts.values()) == {1}


def test_a_key_whose_end_is_being_written(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    # 1. A task is started, and that is on record. 2. It ends, its future is dropped, and the end is being written.
    # 3. The key is submitted. 4. The end is on record, and the key is submitted again.
    service.is_slow = True
    program = run()
    future = program.publish("a")
    program.states()  # 1
    parking = hold_writes(program, monkeypatch)
    service.is_slow = False
    future.result(PATIENCE)
    parking.wait_for_one()
    del future  # 2
    assert program.published("a") == "a is published"  # 3
    parking.let_go()
    program.states()
    assert program.published("a") == "a is published"  # 4
    assert service.starts == ["a"]


@pytest.mark.parametrize("way", ["cancel", "cancel_all", "shutdown"])
def test_cancelled_while_it_is_being_put_on_record(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    # 1. That a start is meant is being written. 2. Its future is cancelled. 3. It is on record.
    delegate = DuckDelegate()
    program = run(delegate=delegate)
    future = program.publish("a")
    parking = hold_writes(program, monkeypatch)
    starting = InThread(delegate.submitted.pop()[0])
    parking.wait_for_one()  # 1
    delegate.given[0].agrees_to_cancel = True
    if way == "cancel":
        assert future.cancel()
    elif way == "cancel_all":
        assert program.executor.cancel_all() == 1
    else:
        program.executor.shutdown(wait=False, cancel_futures=True)
    assert future.cancelled()  # 2
    parking.let_go()
    with pytest.raises((CancelledError, JournalError)):
        starting.outcome()  # 3
    del starting
    if way != "shutdown":
        assert program.states() == {}
    assert not service.starts
    assert run().published("a") == "a is published"


@pytest.mark.parametrize("way", ["cancel", "shutdown"])
def test_cancelled_while_the_service_is_asked(run: Run, path: Path, service: Service, way: str) -> None:
    # 1. The service is being asked about a key in doubt. 2. Its future is cancelled. 3. The service does not know it.
    leave_in_doubt(path, "a")
    parking = Parking(returning={})
    program = run(keys=Keys(find_fn=parking))
    future = program.publish("a")
    parking.wait_for_one()  # 1
    if way == "cancel":
        assert future.cancel()
        ending = InThread(lambda: None)
    else:
        ending = InThread(lambda: program.executor.shutdown(cancel_futures=True))
        with pytest.raises(CancelledError):
            future.result(PATIENCE)  # 2
    parking.let_go()
    ending.outcome()  # 3
    assert future.cancelled()
    assert not service.starts
    if way == "cancel":
        del future
        while (again := program.publish("a")).cancelled():
            del again
            gc.collect()
            threading.Event().wait(0.001)
        assert again.result(PATIENCE) == "a is published"


@pytest.mark.parametrize("result", [{"id": "a"}, None], ids=["starts", "raises"])
def test_cancelled_during_the_call(run: Run, service: Service, result: Any) -> None:
    # 1. The function is called. 2. The delegate agrees to cancel. 3. The function ends, one way or the other.
    delegate = DuckDelegate()
    program = run(delegate=delegate)
    parking = Parking(returning=result, raising=None if result else OSError("refused"))
    future = program.executor.submit_once("a", parking)
    starting = InThread(delegate.submitted.pop()[0])
    parking.wait_for_one()  # 1
    delegate.given[0].agrees_to_cancel = True
    assert future.cancel()  # 2
    parking.let_go()
    if result:
        assert starting.outcome() == result
    else:
        with pytest.raises(OSError, match="refused"):
            starting.outcome()  # 3
    assert program.states() == {'"a"': "meant"}
    with pytest.raises(StartInDoubt):
        run().published("a")


def test_a_delegate_that_calls_after_it_was_cancelled_starts_nothing(run: Run, service: Service) -> None:
    delegate = DuckDelegate()
    program = run(delegate=delegate)
    future = program.publish("a")
    delegate.given[0].agrees_to_cancel = True
    assert future.cancel()
    with pytest.raises(CancelledError):
        delegate.submitted.pop()[0]()
    assert not service.starts
    assert program.states() == {}


def test_starts_that_wait_when_the_disk_is_full_start_nothing(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1. Some starts wait for the record. 2. It cannot be written. 3. It can, and the keys are submitted again.
    program = run(delegate=Executors.thread_pool(4))
    with monkeypatch.context() as patches:
        parking = hold_writes(program, patches, raising=JournalError("the disk is full"))
        futures = [program.publish(key) for key in "abcd"]
        parking.wait_for_one()  # 1
        parking.let_go()
        for future in futures:
            with pytest.raises(JournalError, match="nothing is started for the key"):
                future.result(PATIENCE)  # 2
    assert not service.starts
    futures.clear()
    del future
    assert program.states() == {}
    until = time.monotonic() + PATIENCE
    while len(program.executor._keyed_submits._book.futures):  # type: ignore[union-attr]
        # On a free-threaded Python, what another thread dropped last goes away when that one runs again.
        assert time.monotonic() < until, "somebody has a future that nobody has"
        threading.Event().wait(0.01)
        gc.collect()
    assert [program.published(key) for key in "abcd"] == [f"{key} is published" for key in "abcd"]  # 3


def test_bulks_of_several_threads_leave_nothing(run: Run, service: Service) -> None:
    names = [f"object-{number}" for number in range(200)]
    first = run()
    for future in first.executor.submit_many_once(service.start, names):
        future.result(PATIENCE)
    first.states()
    program = run()
    for _ in range(5):
        several = all_at_once(*[lambda: program.executor.submit_many_once(service.start, names)] * 4)
        assert all(future.result(PATIENCE) for futures in several for future in futures)
        several.clear()
    assert set(service.counts.values()) == {1}
    batches = program.executor._keyed_submits._book.ended._batches  # type: ignore[union-attr]
    assert all(rows.is_for_one for rows in batches.values())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_starts_nothing(run: Run, path: Path, service: Service) -> None:
    held = Parking(returning={"id": "held"})
    program = run(delegate=Executors.thread_pool(1))
    program.executor.submit_once("held", held)
    held.wait_for_one()
    future = program.publish("a")
    assert program.executor.flush_journal(PATIENCE)
    starts = program.executor._keyed_submits._book._starts  # type: ignore[union-attr]
    start = next(start for start in starts.values() if start.key == "a")
    child = os.fork()
    if child == 0:  # the function of "a" is on record as meant, and could be called without asking the journal's thread
        code = 1
        try:
            start()
        except CancelledError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    held.let_go()
    assert future.result(PATIENCE) == "a is published"
    assert service.starts == ["a"]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_very_many_tasks_leave_a_few_bytes_each(run: Run, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def poll(descriptors: Any) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(None)

    def start(key: int) -> int:
        return key

    program = run(poll_fn=poll, delegate=Executors.thread_pool(2))
    tracemalloc.start()
    try:
        keys = list(range(count))
        before = 0
        for first in range(0, count, 5_000):
            for future in program.executor.submit_many_once(start, keys[first : first + 5_000]):
                assert future.result(PATIENCE) is None
            del future
            if not before:  # tables that have room for so many at a time are kept, and are not what is kept of each
                assert program.executor.flush_journal(PATIENCE)
                gc.collect()
                before = tracemalloc.get_traced_memory()[0]
        assert program.executor.flush_journal(PATIENCE)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 20 * (count - 5_000)
    second = run(poll_fn=poll)
    selects: list[str] = []
    select = second.journal._file.select
    monkeypatch.setattr(
        second.journal._file, "select", lambda statement, _: (selects.append(statement), select(statement, _))[1]
    )
    assert all(future.done() for future in second.executor.submit_many_once(start, keys))
    assert len(selects) == 1


def test_what_a_start_had_is_let_go_of_with_nothing_held(run: Run) -> None:
    held = Parking(returning={"id": "held"})
    program = run(delegate=Executors.thread_pool(1))
    program.executor.submit_once("held", held)
    held.wait_for_one()
    futures = program.executor.submit_many_once(program.service.start, list(range(AHEAD + 1)))
    was_free: list[bool] = []

    def is_free() -> bool:
        if acquired := condition.acquire(timeout=0.1):
            condition.release()
        return bool(acquired)

    class Argument:
        def __del__(self) -> None:
            was_free.append(InThread(is_free).outcome())

    future = program.executor.submit_once("last", print, Argument())
    condition = future._condition  # type: ignore[attr-defined]  # so that it is held when the future ends
    assert future.cancel()
    wait_until(lambda: bool(was_free))
    assert was_free == [True]
    assert not wait(futures, timeout=0).done
    held.let_go()
