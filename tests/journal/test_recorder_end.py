"""JournalWriter: the end, and one recorder for a journal."""

from __future__ import annotations

import itertools
import weakref
from math import inf
from pathlib import Path
from typing import Any

import pytest
from recorder_support import FakeJournal, Made, failing, made
from support import PATIENCE, HeardLogger, InThread, Parking, SomeError, all_at_once, assert_ends, in_words, is_gone

from more_executors import PollExecutor, SyncExecutor
from more_executors.journal import Journal, _writer_thread
from more_executors.journal._writer import JournalWriter

__all__ = ["made"]  # a fixture


# -- the end -----------------------------------------------------------------------------------------------------


def test_close_writes_what_is_left(made: Made) -> None:
    thread = made.recorder._thread
    for key in range(100):
        made.recorder.joined(key, key)
    made.recorder.close(wait=True)
    assert not thread.is_alive()
    assert len(made.journal.on_record) == 100
    made.recorder.close(wait=True)


def test_close_can_be_asked_not_to_wait(made: Made) -> None:
    made.journal.before = parking = Parking()
    made.recorder.joined(0, "zero")
    made.recorder.close(wait=False)
    parking.wait_for_one()
    assert made.recorder._thread.is_alive()
    parking.let_go()
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}


def test_close_on_the_own_thread_does_not_wait(made: Made) -> None:
    made.journal.before = lambda: made.recorder.close(wait=True)
    made.recorder.joined(0, "zero")
    assert made.recorder.flush(PATIENCE)
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}


def test_close_gives_up_on_a_journal_that_goes_on_failing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "PATIENCE", 0.0)
    made.journal.before = failing(inf, SomeError())
    made.recorder.joined(0, "zero")
    made.recorder.joined(1, "one")
    made.recorder.ended(7)
    flushing = InThread(made.recorder.flush, PATIENCE)
    made.recorder.close(wait=True)
    assert flushing.outcome() is False
    last = made.heard.of_level("ERROR")[-1]
    assert last == "<FakeJournal> could not be written: 2 tasks are not on record, and 1 are that have ended"


def test_who_waits_is_not_left_waiting_at_the_end(made: Made) -> None:
    for _ in range(20):
        other = Made()
        outcomes = all_at_once(
            lambda other=other: other.recorder.close(wait=True),
            *[lambda other=other: other.recorder.flush(PATIENCE)] * 3,
        )
        assert outcomes[1:] == [True] * 3


def test_what_nobody_refers_to_ends(made: Made) -> None:
    other = Made()
    thread, gone = other.recorder._thread, weakref.ref(other.recorder)
    other.recorder.joined(0, "zero")
    other.recorder.itself = other.recorder  # type: ignore[attr-defined]
    journal = other.journal
    del other
    assert is_gone(gone)
    assert_ends(thread)
    assert journal.on_record == {0: "zero"}


def test_the_thread_drops_what_was_written(made: Made) -> None:
    class Value:
        pass

    value = Value()
    made.journal.after = lambda: (made.journal.on_record.clear(), made.journal.writes.clear(), made.journal._done.get())
    made.recorder.joined(0, value)
    made.flush()
    gone = weakref.ref(value)
    del value
    assert is_gone(gone)


def test_after_detach_nothing_more_is_recorded(made: Made) -> None:
    made.recorder.joined(0, "zero")
    made.recorder.joined(1, "one")
    made.recorder.ended(1)
    made.recorder.detach()
    assert made.recorder.flush() is True
    made.recorder.ended(0)
    made.recorder.joined(2, "two")
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}
    made.recorder.detach()
    made.recorder.close(wait=True)
    assert made.journal.on_record == {0: "zero"}


def test_detach_waits_no_longer_than_it_may(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "PATIENCE", 0.0)
    made.journal.before = parking = Parking()
    made.recorder.joined(0, "zero")
    made.recorder.detach()
    made.recorder.ended(0)
    parking.let_go()
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {0: "zero"}


def test_what_is_told_behind_a_detach_is_not_recorded(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    # 1. A thread is about to tell of an end. 2. Another one detaches, during a write. 3. The first one tells.
    monkeypatch.setattr(_writer_thread, "PATIENCE", 0.0)
    tell = made.recorder._tell
    made.journal.before = parking = Parking()
    made.recorder.joined(1, "one")
    made.recorder._writer.hurry.set()
    parking.wait_for_one()
    made.recorder.detach()
    tell(1)
    parking.let_go()
    assert_ends(made.recorder._thread)
    assert made.journal.on_record == {1: "one"}


def test_after_a_detach_telling_keeps_nothing(made: Made) -> None:
    made.recorder.detach()
    assert_ends(made.recorder._thread)
    made.recorder.joined(1, "one")
    assert not made.recorder._writer.events


def test_who_waits_behind_the_last_one_is_not_forgotten() -> None:
    writer = _writer_thread.WriterThread(FakeJournal(), HeardLogger())
    ticket = _writer_thread.FlushMarker(is_last=False)
    writer.events.extend([_writer_thread.FlushMarker(is_last=True), ticket])
    writer.hurry.set()
    writer.waker.set()
    writer.run()
    assert ticket.waker.wait(0) is True
    assert ticket.is_written


# -- one recorder for a journal ----------------------------------------------------------------------------------


def test_a_journal_has_one_recorder_at_a_time(made: Made) -> None:
    with pytest.raises(ValueError, match="journal is in use by another executor: <FakeJournal>"):
        JournalWriter(made.journal, made.heard, "other")
    made.recorder.close(wait=True)
    other = JournalWriter(made.journal, made.heard, "other")
    other.close(wait=True)


def test_of_recorders_made_at_once_one_has_the_journal() -> None:
    journal = FakeJournal()

    def make() -> JournalWriter | Exception:
        try:
            return JournalWriter(journal, HeardLogger(), "one")
        except ValueError as error:
            return error

    (recorder,) = [one for one in all_at_once(*[make] * 4) if isinstance(one, JournalWriter)]
    recorder.close(wait=True)


@pytest.mark.parametrize("journal", [None, "tasks.db", object(), {}], ids=in_words)
def test_a_journal_has_two_methods(journal: Any) -> None:
    with pytest.raises(TypeError, match="journal must have the methods write and outstanding"):
        JournalWriter(journal, HeardLogger(), "tested")


def test_a_journal_that_cannot_be_read_is_not_kept() -> None:
    journal = FakeJournal()
    journal.outstanding = Parking(raising=SomeError())  # type: ignore[method-assign]
    journal.outstanding.let_go()
    for _ in range(2):
        with pytest.raises(SomeError):
            JournalWriter(journal, HeardLogger(), "tested")
    del journal.outstanding
    JournalWriter(journal, HeardLogger(), "tested").close(wait=True)


def test_with_a_real_journal_the_next_one_finds_what_is_left(tmp_path: Path) -> None:
    left: dict[int, Any] = {}
    keys = itertools.count()
    for _ in range(3):
        with Journal(tmp_path / "tasks.db") as journal:
            recorder = JournalWriter(journal, HeardLogger(), "tested")
            assert dict(zip(recorder.recovery.keys, recorder.recovery.values, strict=True)) == left
            for key in itertools.islice(keys, recorder.first_key, recorder.first_key + 20):
                recorder.joined(key, f"task-{key}")
                left[key] = f"task-{key}"
            for key in list(left)[::2]:
                recorder.ended(key)
                del left[key]
            recorder.close(wait=True)


def test_when_the_interpreter_ends_nothing_gets_in_before_recording_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def adopt() -> None:
        try:
            executor.adopt("late")
        except RuntimeError as error:
            refused.append(str(error))

    monkeypatch.setattr(_writer_thread, "SECONDS_TO_GATHER", inf)
    journal, refused = FakeJournal(), list[str]()
    executor = PollExecutor(SyncExecutor(), lambda descriptors: inf, journal=journal)
    executor.adopt("a")
    journal.before = adopt
    executor._end_with_interpreter()
    assert refused == ["cannot schedule new futures after interpreter shutdown"]
    assert journal.on_record == {1: "a"}
    executor._wait_until_drained()
