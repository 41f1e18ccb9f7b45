"""Where no thread can be started, a constructor says so, and gives back whatever it had taken."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from poll_journal_support import Record
from support import PATIENCE

from more_executors import PollExecutor, RetryExecutor, SyncExecutor, ThrottleExecutor, TimeoutExecutor, metrics
from more_executors._runtime import executor_thread
from more_executors.futures import f_timeout, limit
from more_executors.journal import Journal, _writer
from more_executors.poll import _engine


class NoThread(threading.Thread):
    """Cannot be started."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


class InterruptedThread(threading.Thread):
    """Is started, but a Ctrl-C comes before that is known."""

    def start(self) -> None:
        super().start()
        raise KeyboardInterrupt


def wait_for_nothing(descriptors: list[Any]) -> float:
    return 3600.0


MAKERS: dict[str, Any] = {
    "poll": lambda **how: PollExecutor(SyncExecutor(), wait_for_nothing, **how),
    "retry": lambda **how: RetryExecutor(SyncExecutor(), **how),
    "throttle": lambda **how: ThrottleExecutor(SyncExecutor(), 1, **how),
    "timeout": lambda **how: TimeoutExecutor(SyncExecutor(), 1, **how),
}
every_kind = pytest.mark.parametrize("kind", MAKERS)
every_thread = pytest.mark.parametrize(
    ("thread", "error"), [(NoThread, RuntimeError), (InterruptedThread, KeyboardInterrupt)]
)


def all_end(threads: set[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(PATIENCE)
    return not any(thread.is_alive() for thread in threads)


@every_kind
@every_thread
def test_an_executor_that_was_not_made_leaves_no_thread(
    kind: str, thread: type[threading.Thread], error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    monkeypatch.setattr(executor_thread, "Thread", thread)
    with pytest.raises(error) as caught:
        MAKERS[kind]()
    assert all_end(set(threading.enumerate()) - before)
    del caught  # until here it keeps the executor


@every_kind
def test_an_executor_that_was_not_made_is_not_counted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not metrics.enabled:
        pytest.skip("there is no prometheus_client")
    from exposition import series

    name = f"not made {kind}"
    before = series(name).get(f"exec_total {kind}", 0)
    with monkeypatch.context() as patches:
        patches.setattr(executor_thread, "Thread", NoThread)
        with pytest.raises(RuntimeError):
            MAKERS[kind](name=name)
    MAKERS[kind](name=name).shutdown()
    assert series(name)[f"exec_total {kind}"] == before + 1


@pytest.mark.parametrize("where", [executor_thread, _writer], ids=["its own", "the recorder's"])
@every_thread
def test_a_journal_is_free_at_once(
    where: Any, thread: type[threading.Thread], error: type[BaseException], tmp_path: Path, monkeypatch: Any
) -> None:
    before = set(threading.enumerate())
    record = Record([(1, "a")])
    for journal in (record, Journal(tmp_path / "tasks.db")):
        with monkeypatch.context() as patches:
            patches.setattr(where, "Thread", thread)
            with pytest.raises(error) as caught:
                PollExecutor(SyncExecutor(), wait_for_nothing, journal=journal)
        with PollExecutor(SyncExecutor(), wait_for_nothing, journal=journal) as executor:
            executor.adopt("b")
            assert executor.flush_journal(PATIENCE)
            assert len(journal.on_record if isinstance(journal, Record) else journal) == 2 - (journal is not record)
            executor.cancel_all()
        del caught  # until here it keeps the one that was not made
    assert all_end(set(threading.enumerate()) - before)
    journal.close()


def test_a_journal_is_free_if_anything_else_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise MemoryError

    for part in ("Canceller", "FullListTable", "PollCaller", "FullListScheduler"):
        with monkeypatch.context() as patches:
            patches.setattr(_engine, part, fail)
            with pytest.raises(MemoryError):
                PollExecutor(SyncExecutor(), wait_for_nothing, journal=record)
        PollExecutor(SyncExecutor(), wait_for_nothing, journal=record).shutdown()


def test_f_timeout_can_be_called_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given: Future[str] = Future()
    monkeypatch.setattr(limit, "_shared", None)
    with monkeypatch.context() as patches:
        patches.setattr(executor_thread, "Thread", NoThread)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            f_timeout(given, 3600)
    future = f_timeout(given, 3600)
    given.set_result("done")
    assert future.result(PATIENCE) == "done"
