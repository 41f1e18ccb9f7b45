"""JournalWriter: what it does with a journal that fails."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from recorder_support import Made, failing, made
from support import PATIENCE, InThread, Parking, SomeError

from more_executors.journal import UnrecordableError, _writer_thread
from more_executors.journal._error import JournalLostError

__all__ = ["made"]  # a fixture


@pytest.mark.parametrize("error", [SomeError("no"), KeyboardInterrupt()], ids=repr)
def test_a_write_that_fails_is_tried_again_and_logged_once(made: Made, error: BaseException) -> None:
    made.journal.before = failing(5, error)
    made.recorder.joined(0, "zero")
    made.recorder.ended(9)
    made.flush()
    assert made.journal.writes == [([(0, "zero")], [9])]
    (first, second) = made.heard.lines
    assert first[0] == "ERROR"
    assert first[1].startswith("<FakeJournal> cannot be written")
    assert first[2] is error
    assert second[:2] == ("INFO", "<FakeJournal> is written again")
    made.journal.before = failing(1, error)
    made.recorder.joined(1, "one")
    made.flush()
    assert len(made.heard.of_level("ERROR")) == 2


def test_nothing_is_forgotten_while_writing_fails(made: Made) -> None:
    reached = threading.Semaphore(0)
    fails = [True]

    def fail() -> None:
        if fails:
            reached.release()
            raise SomeError

    made.journal.before = fail
    made.recorder.joined(0, "zero")
    flushing = InThread(made.flush)
    assert reached.acquire(timeout=PATIENCE)
    made.recorder.joined(1, "one")
    made.recorder.ended(7)
    for _ in range(3):
        assert reached.acquire(timeout=PATIENCE)
    fails.clear()
    flushing.outcome()
    made.flush()
    assert made.journal.on_record == {0: "zero", 1: "one"}
    assert 7 in [key for _, ended in made.journal.writes for key in ended]


def test_what_a_failed_write_may_have_written_is_forgotten_when_it_ends(made: Made) -> None:
    # 1. A write puts key 1 on record, and fails all the same. 2. The task ends. 3. It is not on record.
    made.recorder.joined(1, "one")
    told = threading.Event()

    def end_and_fail() -> None:
        made.recorder.ended(1)
        told.set()
        made.journal.after = lambda: None
        raise SomeError

    made.journal.after = end_and_fail
    made.flush()
    assert told.is_set()
    made.flush()
    assert made.journal.on_record == {}
    assert made.journal.writes[-1][1] == [1]


def test_what_was_taken_in_between_is_not_looked_for_again(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "AT_ONCE", 1)
    made.journal.before = failing(1, SomeError())
    for key in (1, 2, 3):
        made.recorder.joined(key, key)
    made.flush()
    assert made.journal.on_record == {1: 1, 2: 2, 3: 3}
    assert len(made.heard.of_level("ERROR")) == 1


def test_the_pauses_grow_up_to_a_limit() -> None:
    class Sleepless:
        """Stands in for the waker that the thread sleeps on between its tries."""

        def __init__(self) -> None:
            self.slept: list[float] = []

        def set(self) -> None:
            pass

        def wait(self, seconds: float) -> bool:
            self.slept.append(seconds)
            return False

    made = Made()
    sleepless = Sleepless()
    made.recorder._writer.hurry = sleepless  # type: ignore[assignment]
    made.journal.before = failing(8, SomeError())
    made.recorder.joined(0, "zero")
    made.flush()
    assert [seconds for seconds in sleepless.slept if seconds >= 0.1] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    made.recorder.close(wait=True)


def test_values_that_cannot_be_encoded_are_named_and_left_out(made: Made) -> None:
    errors = [SomeError(key) for key in range(8)]
    failures: list[tuple[int, Any, BaseException]] = [(key, f"value {key}", errors[key]) for key in range(8)]
    made.journal.after = failing(1, UnrecordableError(failures))
    for key in range(10):
        made.recorder.joined(key, f"value {key}")
    made.recorder.flush(PATIENCE)
    assert len(made.journal.writes) == 1
    lines = made.heard.lines
    assert [line[0] for line in lines] == ["ERROR", "DEBUG"] * 5 + ["ERROR"]
    assert [line[2] for line in lines[1::2]] == errors[:5]
    assert lines[8][1].startswith("task 4 cannot be put on record, and would be lost in a restart: SomeError")
    assert lines[9][1] == "the result of task 4 is 'value 4'"
    assert lines[10][1] == "3 more tasks cannot be put on record"
    assert not any("value 4" in line[1] or line[2] for line in lines[::2])


def test_a_value_whose_repr_fails_is_named_as_far_as_that_goes(made: Made) -> None:
    class Shy:
        def __repr__(self) -> str:
            raise SomeError

    made.journal.after = failing(1, UnrecordableError([(0, Shy(), SomeError())]))
    made.recorder.joined(0, "zero")
    made.recorder.flush(PATIENCE)
    assert "Shy instance" in made.heard.lines[1][1]


def test_a_fault_of_its_own_does_not_end_the_thread(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "SECONDS_AFTER_ERROR", 0.0)
    with monkeypatch.context() as patches:
        patches.setattr(made.recorder._writer, "_take", Parking(raising=MemoryError()))
        made.recorder._writer._take.let_go()  # type: ignore[attr-defined]
        made.recorder.joined(0, "zero")
        assert made.recorder.flush(0.05) is False
    made.flush()
    assert made.journal.on_record == {0: "zero"}
    assert set(made.heard.of_level("ERROR")) == {"PollExecutor-tested-journal goes on after an error"}


def test_that_the_file_is_lost_is_said_also_after_other_failures(made: Made) -> None:
    errors: list[Exception] = [SomeError(), SomeError(), JournalLostError("gone"), JournalLostError("gone")]
    is_over = threading.Event()

    def fail() -> None:
        if errors:
            raise errors.pop(0)
        is_over.set()

    made.journal.before = fail
    made.recorder.joined(0, "zero")
    made.recorder.flush(PATIENCE)
    assert is_over.wait(PATIENCE)  # first: it tries but once more after it is closed
    made.recorder.close(wait=True)
    assert [level for level, _, _ in made.heard.lines] == ["ERROR", "ERROR", "INFO"]
    made.heard.lines.clear()


def test_it_says_for_how_long_it_has_not_written(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    now, behind = [100.0], []
    monkeypatch.setattr(_writer_thread, "monotonic", lambda: now[0])

    def fail_twice() -> None:
        now[0] += 7
        behind.append(made.recorder.seconds_behind())
        if len(behind) < 3:
            raise SomeError

    made.journal.before = fail_twice
    assert made.recorder.seconds_behind() == 0
    made.recorder.joined(0, "zero")
    made.flush()
    made.recorder.close(wait=True)
    assert behind == [7, 14, 21]
    assert made.recorder.seconds_behind() == 0
