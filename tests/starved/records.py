"""Without memory for a moment, and with a journal: what it has on record afterwards is what is outstanding."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from typing import Any

from operations import Poll, is_balanced, poller
from starving import PATIENCE, Hunger, Sleep, until

from more_executors.journal import Journal, JournalError

OPERATIONS: dict[str, Callable[[Hunger], None]] = {}
LETTERS = [(key, letter) for key, letter in enumerate("abcdef", 3)]


def operation(function: Callable[[Hunger], None]) -> Callable[[Hunger], None]:
    OPERATIONS[function.__name__] = function
    return function


class Record:
    """A journal in memory."""

    def __init__(self, on_record: Any = ()) -> None:
        self.on_record = dict(on_record)

    def write(self, joined: Any, ended: Any) -> None:
        after = {**self.on_record, **dict(joined)}
        for key in ended:
            after.pop(key, None)
        self.on_record = after

    def outstanding(self) -> Any:
        return sorted(self.on_record.items())


def end(executor: Any, poll: Poll, record: Record) -> None:
    poll.waits = False
    executor.notify()
    executor.shutdown()
    is_balanced(executor)
    assert record.on_record == {}, record.on_record


@operation
def journal_adopt(hunger: Hunger) -> None:
    record, poll = Record(), Poll(waits=True)
    executor = poller(poll, journal=record)
    hunger.here(lambda: executor.adopt_many(["a", "b", "c"]))
    assert executor.flush_journal(PATIENCE)
    assert list(record.on_record.values()) == [task.result for task in executor.outstanding()]
    end(executor, poll, record)


@operation
def journal_turn(hunger: Hunger) -> None:
    """The thread that writes starves."""
    record, poll = Record(), Poll(waits=True)
    executor = poller(poll, journal=record)
    recorder = executor._engine.recorder
    assert recorder is not None
    writer = recorder._writer
    writer.waker = sleep = Sleep(writer.waker, "wait")  # type: ignore[assignment]
    writer.hurry.set()
    sleep._asleep.set()
    until(lambda: sleep.falls_asleep, "the thread has not fallen asleep")
    sleep.hunger = hunger
    futures = executor.adopt_many(range(5))
    futures[0].cancel()
    hunger.wait()
    assert executor.flush_journal(PATIENCE)
    assert list(record.on_record.values()) == [1, 2, 3, 4]
    end(executor, poll, record)


@operation
def journal_flush(hunger: Hunger) -> None:
    record, poll = Record(), Poll(waits=True)
    executor = poller(poll, journal=record)
    executor.adopt_many(range(5))
    hunger.here(lambda: executor.flush_journal(PATIENCE))
    assert executor.flush_journal(PATIENCE)
    assert list(record.on_record.values()) == [0, 1, 2, 3, 4]
    end(executor, poll, record)


@operation
def journal_resume(hunger: Hunger) -> None:
    record, poll = Record(LETTERS), Poll(waits=True)
    executor = poller(poll, journal=record)
    answer: list[Any] = [None]

    def starving() -> None:
        answer[0] = executor.resume()

    hunger.here(starving)
    resumed = executor.resume() if answer[0] is None else answer[0]
    assert [result for result, _ in resumed] == list("abcdef")
    assert executor.resume() == []
    assert executor.flush_journal(PATIENCE)
    assert sorted(record.on_record.values()) == list("abcdef")  # one that ended meanwhile has another key
    end(executor, poll, record)


@operation
def journal_executor(hunger: Hunger) -> None:
    """Making and ending one."""
    record, poll = Record(LETTERS), Poll()
    made: list[Any] = []
    hunger.here(lambda: made.append(poller(poll, journal=record)))
    while made:
        made.pop().shutdown()

    def is_free() -> bool:
        with contextlib.suppress(ValueError):  # the thread of the other goes on
            made.append(poller(poll, journal=record))
        return bool(made)

    until(is_free, "the journal is in use")
    made.pop().shutdown()
    assert sorted(record.on_record.items()) == LETTERS


def with_a_file(hunger: Hunger, starving: Callable[[Journal], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(os.path.join(folder, "journal"))
        journal.write([(1, "a")], [])

        def call() -> None:
            with contextlib.suppress(JournalError):  # which may be why there is no more memory
                starving(journal)

        hunger.here(call)
        journal.write([(2, "b")], [1])
        assert list(journal.outstanding()) == [(2, "b")]
        journal.close()


@operation
def journal_write(hunger: Hunger) -> None:
    with_a_file(hunger, lambda journal: journal.write([(2, "b")], [1]))


@operation
def journal_read(hunger: Hunger) -> None:
    with_a_file(hunger, lambda journal: list(journal.outstanding()))


@operation
def journal_open(hunger: Hunger) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "journal")
        with Journal(path) as journal:
            journal.write([(1, "a")], [])
        opened: list[Journal] = []

        def call() -> None:
            with contextlib.suppress(JournalError, RuntimeError):  # which is what a lock raises that cannot be made
                opened.append(Journal(path))

        hunger.here(call)
        while opened:
            opened.pop().close()
        with Journal(path) as journal:
            assert list(journal.outstanding()) == [(1, "a")]
