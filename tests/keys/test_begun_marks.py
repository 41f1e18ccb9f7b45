"""What a killed program leaves: starts that were not begun are no more than that, those that were are in doubt."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from keys_support import Program, Service, copy_of, leave_in_doubt
from support import PATIENCE, InThread, Parking

from more_executors import Executors
from more_executors.journal import Journal, JournalError, Keys, StartInDoubt, _begun_marks, _sqlite, _start_book
from more_executors.journal._begun_marks import MARKS, BegunMarks

Run = Callable[..., Program]

WAITING = 20


@contextlib.contextmanager
def killed_in_a_start(path: Path, service: Service) -> Iterator[Path]:
    """A copy of what a program leaves that is killed while one start is being made, and others are meant."""
    held = Parking(returning={"id": "held"})
    pool = Executors.thread_pool(1)
    program = Program(path, service, delegate=pool)
    program.executor.submit_once("held", held)
    held.wait_for_one()
    for number in range(WAITING):
        program.publish(number)
    assert program.executor.flush_journal(PATIENCE)
    yield copy_of(path)
    held.let_go()
    program.kill()


def states(path: Path) -> dict[str, str]:
    with Journal(path) as journal:
        return dict(journal._file.select("SELECT key, state FROM starts", ()))


def test_what_was_not_begun_is_not_in_doubt(path: Path, service: Service) -> None:
    with killed_in_a_start(path, service) as left:
        assert states(left) == {'"held"': "in doubt"}
        assert not left.with_name("tasks.db-begun").exists()
    new = Service()
    program = Program(left, new)
    with pytest.raises(StartInDoubt):
        program.published("held")
    assert program.published(3) == "3 is published"
    program.kill()
    assert new.starts == [3]


@pytest.mark.parametrize("fault", ["another boot", "no file", "another journal's", "cut off"])
def test_marks_that_cannot_be_believed_leave_all_in_doubt(
    path: Path, service: Service, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_in_a_start(path, service) as left:
        marks = left.with_name("tasks.db-begun")
        if fault == "another boot":
            monkeypatch.setattr(_begun_marks, "BOOT_ID", path.with_name("boot_id"))
            path.with_name("boot_id").write_text("another\n")
        elif fault == "no file":
            marks.unlink()
        elif fault == "another journal's":
            marks.write_bytes(marks.read_bytes().replace(marks.read_bytes()[5:21], bytes(16), 1))
        else:
            marks.write_bytes(marks.read_bytes()[:-1])
        assert set(states(left).values()) == {"in doubt"}
        assert len(states(left)) == 1 + WAITING


def test_the_file_is_gone_when_the_journal_is_closed(run: Run, path: Path, service: Service) -> None:
    program = run()
    program.published("a")
    marks = path.with_name("tasks.db-begun")
    assert marks.exists()
    if os.name == "posix":
        assert marks.stat().st_mode & 0o777 == 0o600
    program.kill()
    assert not marks.exists()


def test_without_keys_there_is_none(run: Run, path: Path) -> None:
    program = run()
    program.executor.adopt({"id": "a"}).result(PATIENCE)
    assert program.executor.flush_journal(PATIENCE)
    assert not path.with_name("tasks.db-begun").exists()


def test_where_it_cannot_be_each_start_is_written_in_its_turn(
    run: Run, path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_begun_marks, "BOOT_ID", path.with_name("no such file"))
    held = Parking(returning={"id": "held"})
    program = run(delegate=Executors.thread_pool(1))
    future = program.executor.submit_once("held", held)
    held.wait_for_one()
    program.publish("a")
    assert program.states() == {'"held"': "in doubt"}
    held.let_go()
    assert future.result(PATIENCE)
    assert program.published("a")
    assert not path.with_name("tasks.db-begun").exists()


def test_a_mark_that_was_overwritten_is_taken_for_one(tmp_path: Path) -> None:
    where, identity = str(tmp_path / "tasks.db"), bytes(range(16))
    marks = BegunMarks.made(where, identity)
    assert marks is not None
    first = 1 << 62
    marks.mark(first + 5)
    marks.mark(first + 7 + MARKS)
    for numbers in (marks, BegunMarks.left(where, identity)):
        assert numbers is not None
        begun = [number for number in range(10) if numbers.may_have_begun(first + number)]
        assert begun == [5, 7]
        assert not numbers.may_have_begun(first + 5 + MARKS)
        numbers.close()
    assert BegunMarks.left(where, bytes(16)) is None


def test_many_are_meant_before_their_turn_and_no_more(path: Path, service: Service) -> None:
    held = Parking(returning={"id": "held"})
    program = Program(path, service, delegate=Executors.thread_pool(1))
    program.executor.submit_once("held", held)
    held.wait_for_one()
    futures = program.executor.submit_many_once(service.start, [str(number) for number in range(1200)])
    meant: Any = list(program.states().values())
    assert 500 <= len(meant) <= 502
    assert futures[0].cancel()
    assert len(program.states()) == len(meant)  # another one in its place
    held.let_go()
    assert futures[-1].result(PATIENCE)
    program.kill()
    assert service.counts == {str(number): 1 for number in range(1, 1200)}


def test_no_memory_is_shared_where_there_is_no_room(run: Run, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_begun_marks.mmap, "mmap", refuse)
    assert run().published("a") == "a is published"
    assert sys.exc_info() == (None, None, None)


def test_a_mark_does_not_take_the_place_of_a_later_one(tmp_path: Path) -> None:
    marks = BegunMarks.made(str(tmp_path / "tasks.db"), bytes(16))
    assert marks is not None
    first = 1 << 62
    marks.mark(first + MARKS)
    marks.mark(first)  # which waited for long
    assert marks.may_have_begun(first)
    assert marks.may_have_begun(first + MARKS)
    marks.close()


def test_what_began_before_there_were_marks_is_in_doubt(path: Path, service: Service) -> None:
    # Where it first fails to make the marks, as it does in a signal handler, and then succeeds for others.
    program = Program(path, service, delegate=Executors.thread_pool(1))
    book: Any = program.executor._keyed_submits._book  # type: ignore[union-attr]
    book._has_marks = True
    held = Parking(returning={"id": "held"})
    program.executor.submit_once("held", held)
    held.wait_for_one()
    book._has_marks = False
    program.publish("a")
    assert program.executor.flush_journal(PATIENCE)
    assert path.with_name("tasks.db-begun").exists()
    assert states(copy_of(path)) == {'"held"': "in doubt"}
    held.let_go()
    program.kill()


def test_what_was_in_doubt_is_so_until_it_is_begun(path: Path, service: Service) -> None:
    # A start of an earlier program is in doubt, without a token. This one is to start it again, and is killed before.
    leave_in_doubt(path, "a")
    held = Parking(returning={"id": "held"})
    program = Program(path, service, Keys(in_doubt="start"), delegate=Executors.thread_pool(1))
    program.executor.submit_once("held", lambda token: held())
    held.wait_for_one()
    program.executor.submit_once("a", lambda token: service.start("a"))
    assert program.executor.flush_journal(PATIENCE)
    assert states(copy_of(path)) == {'"a"': "in doubt", '"held"': "in doubt"}
    held.let_go()
    program.kill()


def test_that_it_is_meant_may_be_told_late(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    # 1. A thread is about to tell that a start is meant, and is held up. 2. It is that start's turn, which tells it
    # itself; the task is started. 3. The first thread goes on.
    service.is_slow = True
    program = run(delegate=Executors.thread_pool(1))
    book: Any = program.executor._keyed_submits._book  # type: ignore[union-attr]
    held, parking, tell = Parking(returning={"id": "held"}), Parking(), book._tell
    states_told: list[str] = []

    def tell_late(event: Any) -> None:
        if not states_told:
            states_told.append("ahead")
            parking()
        tell(event)
        states_told.append(getattr(event, "state", "ahead"))

    program.executor.submit_once("held", held)
    held.wait_for_one()
    with monkeypatch.context() as patches:
        patches.setattr(_start_book, "AHEAD", 0)
        program.publish("a")
    monkeypatch.setattr(book, "_tell", tell_late)
    telling = InThread(book._mean_ahead)
    parking.wait_for_one()  # 1
    held.let_go()
    while len(program.executor.outstanding()) < 2:
        threading.Event().wait(0.001)  # 2
    parking.let_go()
    telling.outcome()  # 3
    assert set(program.states().values()) == {"started"}
    monkeypatch.setattr(book, "_tell", tell)


def test_what_waits_in_line_and_was_cancelled_is_let_go(run: Run, service: Service) -> None:
    held = Parking(returning={"id": "held"})
    program = run(delegate=Executors.thread_pool(1))
    program.executor.submit_once("held", held)
    held.wait_for_one()
    futures = program.executor.submit_many_once(service.start, list(range(600)))
    assert futures.pop().cancel()
    again = program.publish(599)
    assert not again.cancelled()
    held.let_go()
    assert again.result(PATIENCE)
    assert service.counts[599] == 1


def test_what_cannot_be_settled_is_an_error_of_the_journal(
    path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with killed_in_a_start(path, service) as left:
        with monkeypatch.context() as patches:
            patches.setattr(_sqlite, "settle_meant", full)
            with pytest.raises(JournalError, match="cannot be opened: database or disk is full"):
                Journal(left)
        assert states(left) == {'"held"': "in doubt"}
