"""JournalWriter: when `flush` says True, what was told before is on disk."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from recorder_support import FakeJournal, Made, failing, made
from support import PATIENCE, HeardLogger, InThread, Parking, SomeError, assert_ends

from more_executors.journal import UnrecordableError, _writer_thread
from more_executors.journal._error import JournalLostError

__all__ = ["made"]  # a fixture


# -- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["joined", "ended"])
def test_what_is_told_after_a_detach_is_not_said_to_be_on_disk(made: Made, what: str) -> None:
    made.recorder.joined(0, "zero")
    made.recorder.detach()
    assert made.recorder.flush() is True
    made.recorder.joined(1, "one") if what == "joined" else made.recorder.ended(0)
    assert made.recorder.flush() is False
    assert made.recorder.flush() is False


@pytest.mark.parametrize("is_over", [False, True])
def test_what_is_told_behind_a_detach_is_not_said_to_be_on_disk(
    made: Made, is_over: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1. A thread is about to tell. 2. Another one detaches, during a write. 3. The first one tells, maybe after the
    # recorder's thread has ended, and flushes.
    monkeypatch.setattr(_writer_thread, "PATIENCE", 0.0)
    tell = made.recorder._tell
    made.journal.before = parking = Parking()
    made.recorder.joined(1, "one")
    made.recorder._writer.hurry.set()
    parking.wait_for_one()
    made.recorder.detach()
    if not is_over:
        tell((2, "two"))
        flushing = InThread(made.recorder.flush, PATIENCE)
    parking.let_go()
    assert_ends(made.recorder._thread)
    if is_over:
        tell((2, "two"))
        flushing = InThread(made.recorder.flush, PATIENCE)
    assert made.journal.on_record == {1: "one"}
    assert flushing.outcome() is False


def test_a_ticket_that_comes_while_the_thread_ends_is_answered(made: Made) -> None:
    # 1. A flush sees that the thread is there. 2. That one ends, and looks for tickets. 3. The ticket comes.
    writer = made.recorder._writer

    class Late(deque[Any]):
        def append(self, event: Any) -> None:
            writer.close()
            assert_ends(made.recorder._thread)
            super().append(event)

    writer.events = Late()
    assert made.recorder.flush() is True


def test_a_thread_that_dies_leaves_nothing_acknowledged(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(seconds: float) -> None:  # in place of going on after a pause
        raise MemoryError

    monkeypatch.setattr(_writer_thread, "pause", die)
    monkeypatch.setattr(made.recorder._writer, "_run_once", Parking(raising=MemoryError()))
    writer = _writer_thread.WriterThread(FakeJournal(), HeardLogger())
    monkeypatch.setattr(writer, "_run_once", Parking(raising=MemoryError()))
    writer._run_once.let_go()  # type: ignore[attr-defined]
    ticket = _writer_thread.FlushMarker(is_last=False)
    writer.events.extend([(0, "zero"), ticket])
    with pytest.raises(MemoryError):
        writer.run()
    assert ticket.waker.wait(0) is True
    assert ticket.is_written is False
    assert writer.is_complete() is False


# -- what cannot be written --------------------------------------------------------------------------------------


def test_what_cannot_be_encoded_is_not_said_to_be_on_disk_until_it_ends(made: Made) -> None:
    made.journal.after = failing(1, UnrecordableError([(1, "one", SomeError()), (2, "two", SomeError())]))
    for key in range(3):
        made.recorder.joined(key, str(key))
    assert made.recorder.flush(PATIENCE) is False
    assert made.recorder.flush(PATIENCE) is False
    made.recorder.ended(1)
    assert made.recorder.flush(PATIENCE) is False
    made.recorder.ended(2)
    assert made.recorder.flush(PATIENCE) is True


class Forgetful(dict[int, Any]):
    """Has no memory for the first item."""

    full = True

    def __setitem__(self, key: int, value: Any) -> None:
        if self.full:
            self.full = False
            raise MemoryError
        super().__setitem__(key, value)


@pytest.mark.parametrize("what", ["joined", "ended"])
def test_nothing_is_forgotten_for_lack_of_memory(made: Made, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "SECONDS_AFTER_ERROR", 0.0)
    made.journal.on_record[5] = "five"
    setattr(made.recorder._writer, f"_{what}", Forgetful())
    made.recorder.joined(1, "one")
    made.recorder.ended(5)
    assert made.recorder.flush(PATIENCE) is True
    assert made.journal.on_record == {1: "one"}


@pytest.mark.parametrize("closing", [False, True])
def test_what_was_taken_when_something_failed_is_written_all_the_same(
    made: Made, closing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1. A task and a flush are taken, and then something fails. 2. Nothing more comes.
    monkeypatch.setattr(_writer_thread, "SECONDS_AFTER_ERROR", 0.0)
    writer = made.recorder._writer
    written, fail = writer._written, failing(1, MemoryError())

    def fail_once() -> bool:
        fail()
        if closing:
            assert not writer.events
        return written()

    monkeypatch.setattr(writer, "_written", fail_once)
    made.recorder.joined(1, "one")
    if closing:
        made.recorder.close(wait=True)
    assert made.recorder.flush(PATIENCE) is True
    assert made.journal.on_record == {1: "one"}


# -- a journal that is not there any more ------------------------------------------------------------------------


class Removable(FakeJournal):
    """A journal that can tell whether it is still where it was."""

    is_there = True

    def write(self, joined: Any, ended: Any) -> None:
        super().write(joined, ended)
        self.check_file()

    def check_file(self) -> None:
        if not self.is_there:
            raise JournalLostError("it was deleted")


@pytest.fixture
def removed(made: Made) -> Made:
    made.journal.__class__ = Removable
    made.recorder.joined(1, "one")
    made.flush()
    made.journal.is_there = False  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("what", ["joined", "ended", "nothing"])
def test_that_it_is_gone_is_said_in_the_answer_and_once_in_the_log(removed: Made, what: str) -> None:
    if what == "joined":
        removed.recorder.joined(2, "two")
    elif what == "ended":
        removed.recorder.ended(1)
    for _ in range(3):
        assert removed.recorder.flush() is False
    assert len(removed.heard.of_level("ERROR")) == 1
    assert removed.heard.of_level("INFO") == []


def test_when_it_is_back_all_is_well(removed: Made) -> None:
    removed.recorder.joined(2, "two")
    assert removed.recorder.flush() is False
    removed.journal.is_there = True  # type: ignore[attr-defined]
    removed.flush()
    assert removed.journal.on_record == {1: "one", 2: "two"}
    assert removed.heard.of_level("INFO") == ["<FakeJournal> is written again"]


def test_at_the_end_nobody_waits_for_it_to_come_back(removed: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "PATIENCE", 3600.0)
    removed.recorder.joined(2, "two")
    assert removed.recorder.flush() is False
    removed.recorder.close(wait=True)
    assert removed.recorder.flush() is False


def test_what_cannot_be_encoded_is_not_said_to_be_on_disk_when_the_thread_has_ended(made: Made) -> None:
    made.journal.after = failing(1, UnrecordableError([(1, "one", SomeError())]))
    made.recorder.joined(1, "one")
    made.recorder.close(wait=True)
    assert made.recorder.flush(PATIENCE) is False
