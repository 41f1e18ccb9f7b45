"""`journal`: whoever learns that a future has ended finds that told: a flush from then on says so of the disk."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import SimpleNamespace
from typing import Any

import pytest
from paced_support import new_table
from poll_journal_support import Record
from support import PATIENCE, InThread, Parking, WatchedLocks

from more_executors import PollExecutor, SyncExecutor, _core

NEVER = 3600.0


class Made:
    """An executor, and a future of it that is being polled."""

    def __init__(self, cancel_fn: Any = None) -> None:
        self.record = Record()
        self.executor = PollExecutor(SyncExecutor(), lambda descriptors: NEVER, cancel_fn, journal=self.record)
        self.future = self.executor.adopt("a")
        assert self.executor.flush_journal(PATIENCE)
        assert list(self.record.on_record.values()) == ["a"]

    def close(self) -> None:
        self.executor.shutdown(cancel_futures=True)


class Watcher:
    """What `concurrent.futures.wait` puts at a future: it flushes as soon as it is told."""

    def __init__(self, made: Made) -> None:
        self._made = made
        self.found: list[Any] = []

    def look(self, future: Future[Any]) -> None:
        assert future.done()
        self.found.append((self._made.executor.flush_journal(PATIENCE), dict(self._made.record.on_record)))

    add_result = add_exception = add_cancelled = look


@pytest.mark.parametrize("how", ["result", "exception", "cancel"])
def test_who_waits_for_several_finds_the_end_told(how: str) -> None:
    made = Made()
    watcher = Watcher(made)
    future: Any = made.future
    with future._condition:
        future._waiters.append(watcher)
    if how == "result":
        future.set_result(None)
    elif how == "exception":
        future.set_exception(ValueError())
    else:
        assert future.cancel()
    made.close()
    assert watcher.found == [(True, {})]


def test_an_end_is_told_once() -> None:
    made = Made()
    told: list[int] = []
    made.executor._engine.recorder.ended = told.append  # type: ignore[method-assign, union-attr]
    waiting = InThread(wait, [made.future], PATIENCE, FIRST_COMPLETED)
    while not made.future._waiters:  # type: ignore[attr-defined]
        pass
    made.future.set_result(None)
    waiting.outcome()
    made.close()
    assert told == [1]


@pytest.mark.parametrize("ends", ["cancelled", "resolved"])
def test_who_shares_the_answer_of_a_cancel_finds_the_end_told(ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # 1. A cancel() asks. 2. Another one waits for the answer. 3. The future ends. 4. That is told. 5. They know.
    asking, telling = Parking(True), Parking()
    made = Made(asking)
    recorder = made.executor._engine.recorder
    first = InThread(made.future.cancel)
    asking.wait_for_one()
    monkeypatch.setattr(_core, "allocate_lock", locks := WatchedLocks())
    second = InThread(made.future.cancel)
    locks.next_asleep()
    recorder.ended = telling  # type: ignore[method-assign, union-attr]
    if ends == "resolved":
        ending = InThread(made.future.set_result, None)
    else:
        asking.let_go()
    telling.wait_for_one()
    second.join(0.05)
    assert second.is_alive()
    telling.let_go()
    asking.let_go()
    assert first.outcome() is second.outcome() is (ends == "cancelled")
    if ends == "resolved":
        ending.outcome()
    made.close()


def test_a_task_that_gets_another_key_is_on_record_under_that_before_the_first_is_forgotten() -> None:
    told: list[Any] = []
    recorder = SimpleNamespace(
        first_key=10,
        joined=lambda key, value: told.append((key, value)),
        ended=told.append,
    )
    table: Any = new_table(_core.FullListTable, recorder=recorder)
    keys, results = [3, 4], ["a", "b"]
    futures = table.adopt_many(table, results, keys=keys)
    futures[0].set_result(None)
    told.clear()
    table.retract_adopted(futures, results, keys)
    assert told == [(10, "a"), 3]
    assert keys == [10, 4]
