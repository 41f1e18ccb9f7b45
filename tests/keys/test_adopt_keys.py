"""Tasks that exist already, with keys: found by `submit_once` later, in this run and the next."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from keys_support import leave_in_doubt
from support import PATIENCE, all_at_once

from more_executors import Executors, PollExecutor, Promise, SyncExecutor
from more_executors.journal import Journal, JournalError, Keys, StartInDoubt


class Run:
    """One run of a program, with a journal; its service is slow until it is told otherwise."""

    def __init__(self, path: Path, **keys: Any) -> None:
        self.journal = Journal(path)
        self.is_slow = True
        self.polled: set[Any] = set()
        self.started: list[Any] = []
        self.executor: PollExecutor[Any, Any] = PollExecutor(
            SyncExecutor(), self.poll, default_interval=0.01, journal=self.journal, keys=Keys(**keys)
        )

    def poll(self, descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            self.polled.add(descriptor.result)
            if not self.is_slow:
                descriptor.yield_result(f"{descriptor.result} is done")

    def start(self, key: Any, token: str | None = None) -> Any:
        self.started.append(key)
        return f"new {key}"

    def once(self, key: Any) -> Future[Any]:
        return self.executor.submit_once(key, self.start, key)

    def end(self) -> None:
        self.executor.leave()
        self.journal.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def run(path: Path) -> Iterator[Any]:
    """Begins a run, after the end of the one before."""
    runs: list[Run] = []

    def begin(**keys: Any) -> Run:
        for before in runs:
            before.end()
        runs.append(Run(path, **keys))
        return runs[-1]

    yield begin
    while runs:
        runs.pop().end()


def test_what_was_adopted_is_found_by_its_key(run: Any) -> None:
    first = run()
    future = first.executor.adopt("id 7", key="a")
    assert first.once("a") is future
    assert first.executor.adopt("another", key="a") is future
    first.is_slow = False
    assert future.result(PATIENCE) == "id 7 is done"
    assert first.executor.adopt("another", key="a").result(PATIENCE) == "id 7 is done"
    second = run()
    assert second.once("a").result(0) == "id 7 is done"
    assert second.executor.adopt("another", key="a").result(0) == "id 7 is done"
    assert (first.started, second.started) == ([], [])


def test_what_goes_on_is_waited_for_in_the_next_run(run: Any) -> None:
    first = run()
    futures = first.executor.adopt_many([1, 2, 3], keys=["a", ["b", 2], None])
    second = run()
    assert all(future.cancelled() for future in futures)
    resumed = second.executor.resume_keys()
    assert set(resumed) == {"a", ("b", 2), None}
    assert second.once("a") is resumed["a"]
    assert second.executor.resume_keys() == {}
    assert second.executor.resume() == []
    second.is_slow = False
    assert [resumed[key].result(PATIENCE) for key in ("a", ("b", 2), None)] == ["1 is done", "2 is done", "3 is done"]
    assert run().executor.resume_keys() == {}


def test_what_submit_once_started_is_resumed_by_key_too(run: Any) -> None:
    first = run()
    first.once("a")
    second = run()
    resumed = second.executor.resume_keys()
    second.is_slow = False
    assert resumed["a"].result(PATIENCE) == "new a is done"
    assert (first.started, second.started) == (["a"], [])


@pytest.mark.parametrize("in_doubt", ["fail", "start"])
def test_an_id_ends_a_doubt(path: Path, run: Any, in_doubt: str) -> None:
    leave_in_doubt(path, "a")
    first = run(in_doubt=in_doubt)
    if in_doubt == "fail":
        with pytest.raises(StartInDoubt):
            first.once("a").result(PATIENCE)
    future = first.executor.adopt("id 7", key="a")
    first.is_slow = False
    assert future.result(PATIENCE) == "id 7 is done"
    assert run(in_doubt=in_doubt).once("a").result(0) == "id 7 is done"
    assert first.started == []


def test_many_are_adopted_with_few_writes(run: Any) -> None:
    first = run()
    futures = first.executor.adopt_many(range(2000), keys=range(2000))
    assert len({id(future) for future in futures}) == 2000
    assert first.executor.flush_journal(PATIENCE)
    assert len(run().executor.resume_keys()) == 2000


def test_the_same_key_twice_is_one_task(run: Any) -> None:
    first = run()
    one, other = first.executor.adopt_many([1, 2], keys=["a", "a"])
    assert one is other
    first.is_slow = False
    assert one.result(PATIENCE) == "1 is done"


def test_of_threads_that_adopt_and_start_one_does(run: Any) -> None:
    first = run()
    for number in range(30):
        adopt = partial(first.executor.adopt, f"given {number}", key=number)
        futures = all_at_once(adopt, adopt, partial(first.once, number))
        assert len({id(future) for future in futures}) == 1
    first.is_slow = False
    first.executor.notify()
    results = [first.once(number).result(PATIENCE) for number in range(30)]
    assert [result == f"new {number} is done" for number, result in enumerate(results)] == [
        number in first.started for number in range(30)
    ]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"results": [1], "keys": []}, ValueError, "keys must be as many as results, 1, not 0"),
        ({"results": [1], "keys": [object()]}, TypeError, "key must be"),
        ({"results": [1], "keys": "a"}, TypeError, "keys must be an iterable"),
        ({"results": [1], "keys": ["a"], "timeout": 5}, ValueError, "timeout cannot be given"),
    ],
)
def test_what_cannot_be_used_is_refused(run: Any, arguments: Any, error: type[Exception], message: str) -> None:
    first = run()
    with pytest.raises(error, match=f"^{message}"):
        first.executor.adopt_many(**arguments)
    assert first.executor.stats().outstanding == 0


def test_without_a_journal_there_are_no_keys() -> None:
    with PollExecutor(SyncExecutor(), lambda descriptors: 3600.0) as executor:
        with pytest.raises(ValueError, match="has no journal that keeps keys"):
            executor.adopt(1, key="a")
        with pytest.raises(ValueError, match="has no journal that keeps keys"):
            executor.resume_keys()


def test_a_journal_that_cannot_be_written_fails_them(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run()

    def fail(start: Any) -> None:
        del start  # the error keeps the frame
        raise JournalError("full")

    monkeypatch.setattr(first.executor._engine.recorder.book, "mean", fail)
    assert type(first.executor.adopt(1, key="a").exception(PATIENCE)) is JournalError
    monkeypatch.undo()
    assert first.executor.flush_journal(PATIENCE)
    assert not first.executor.adopt(1, key="a").done()


def test_a_key_whose_id_comes_later(path: Path) -> None:
    """The function gives a promise of the id, and something below waits for that."""
    promises: dict[str, Promise[str]] = {}

    def reserve(key: str) -> Future[str]:
        promises[key] = Promise()
        return promises[key].future

    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(f"{descriptor.result} is done")

    with Journal(path) as journal:
        chain: Any = Executors.sync().with_flat_map(lambda future: future)
        with chain.with_poll(poll, default_interval=0.01, journal=journal, keys=Keys()) as executor:
            good, bad = executor.submit_many_once(reserve, ["a", "b"])
            assert executor.submit_once("a", reserve, "a") is good
            promises["a"].yield_result("id of a")
            promises["b"].yield_exception(OSError("refused"))
            assert good.result(PATIENCE) == "id of a is done"
            assert type(bad.exception(PATIENCE)) is OSError
    promises.clear()
