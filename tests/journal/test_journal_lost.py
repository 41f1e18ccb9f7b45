"""Journal: a file that is not where it was any more, and one without the `-wal` that belongs to it."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, HeardLogger

import more_executors
from more_executors import PollExecutor, SyncExecutor
from more_executors.journal import Journal, JournalError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "tasks.db"


def wait_for_nothing(descriptors: list[Any]) -> float:
    return 3600.0


# -- while it is open --------------------------------------------------------------------------------------------


def delete(path: Path) -> None:
    path.unlink()


def delete_both(path: Path) -> None:
    path.unlink()
    delete_wal(path)


def delete_wal(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def move(path: Path) -> None:
    path.rename(path.parent / "other.db")


def move_folder(path: Path) -> None:
    path.parent.rename(path.parent.parent / "other")


def replace(path: Path) -> None:
    shutil.copy(path, path.parent / "copy")
    os.replace(path.parent / "copy", path)


def replace_wal(path: Path) -> None:
    replace(Path(f"{path}-wal"))


WAYS = (delete, delete_both, delete_wal, move, move_folder, replace, replace_wal)
on_posix = pytest.mark.skipif(os.name != "posix", reason="an open file cannot be deleted or moved here")
every_way = pytest.mark.parametrize("lose", WAYS, ids=lambda way: way.__name__)


@on_posix
@every_way
def test_a_write_and_a_check_say_that_it_is_gone(path: Path, lose: Callable[[Path], None]) -> None:
    with Journal(path) as journal:
        journal.write([(1, "one")], [])
        journal.check_file()
        lose(path)
        for use in (journal.check_file, lambda: journal.write([(2, "two")], []), lambda: journal.write([], [1])):
            with pytest.raises(JournalError, match=r"tasks\.db' cannot be found where it was: "):
                use()


@on_posix
@every_way
def test_flush_journal_says_so_in_its_answer_and_once_in_the_log(path: Path, lose: Callable[[Path], None]) -> None:
    logger = HeardLogger()
    with Journal(path) as journal:
        executor = PollExecutor(SyncExecutor(), wait_for_nothing, journal=journal, logger=logger)
        executor.adopt("a")
        assert executor.flush_journal() is True
        lose(path)
        assert executor.flush_journal() is False
        executor.adopt("b")
        assert executor.flush_journal() is False
        assert executor.flush_journal() is False
        assert len(logger.of_level("ERROR")) == 1
        executor.shutdown(cancel_futures=True)


@on_posix
def test_when_it_is_back_it_is_found(path: Path) -> None:
    with Journal(path) as journal:
        executor = PollExecutor(SyncExecutor(), wait_for_nothing, journal=journal)
        executor.adopt("a")
        move_folder(path)
        assert executor.flush_journal() is False
        (path.parent.parent / "other").rename(path.parent)
        assert executor.flush_journal(PATIENCE) is True
        assert list(journal.outstanding()) == [(1, "a")]
        executor.shutdown(cancel_futures=True)


@on_posix
def test_it_is_found_by_the_name_that_it_was_opened_by(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    os.symlink(path, "name")
    with Journal("name") as journal:
        journal.write([(1, "one")], [])
        monkeypatch.chdir("/")
        journal.check_file()
        (path.parent / "name").unlink()
        with pytest.raises(JournalError, match="cannot be found"):
            journal.check_file()
        os.symlink(path, path.parent / "name")
        journal.check_file()


def test_a_closed_one_says_that_it_is_closed(path: Path) -> None:
    journal = Journal(path)
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        journal.check_file()


# -- when it is opened -------------------------------------------------------------------------------------------

WARNING = "its -wal is missing: what was written last may be lost"


def opened(path: Path, caplog: pytest.LogCaptureFixture) -> list[int]:
    """The keys on record; the log has what came of opening it."""
    caplog.clear()
    with caplog.at_level(logging.WARNING), Journal(path) as journal:
        return [key for key, _ in journal.outstanding()]


@pytest.mark.parametrize("writes", [0, 1, 3])
def test_one_that_was_not_closed_and_has_lost_its_wal_is_warned_of(path: Path, writes: int, caplog: Any) -> None:
    with Journal(path.parent / "origin.db") as journal:
        for key in range(writes):
            journal.write([(key, "value")], [])
        shutil.copy(path.parent / "origin.db", path)
    assert opened(path, caplog) == []
    ((name, level, message),) = caplog.record_tuples
    assert (name, level) == ("Journal", logging.WARNING)
    assert repr(str(path)) in message
    assert WARNING in message
    assert opened(path, caplog) == []
    assert caplog.record_tuples == []


def test_one_that_was_closed_is_not(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for key in range(3):
        assert opened(path, caplog) == list(range(key))
        assert caplog.record_tuples == []
        with Journal(path) as journal:
            journal.write([(key, "value")], [])


KILLED = """
import os, signal, sys
from more_executors.journal import _connection
from more_executors.journal import Journal

def kill(*args):
    os.kill(os.getpid(), signal.SIGKILL)

when = sys.argv[2]
if when == "before it says that it is open":
    _connection.mark = kill
journal = Journal(sys.argv[1])
journal.write([(1, "one")], [])
if when == "while it is closed":
    journal._file._connection.execute("UPDATE state SET value = 0")
kill()
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.parametrize("when", ["before it says that it is open", "while it is open", "while it is closed"])
def test_one_that_was_killed_with_its_wal_is_not(path: Path, when: str, caplog: pytest.LogCaptureFixture) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(more_executors.__file__).parent.parent)}
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path), when], env=environment, capture_output=True)
    assert (ended.returncode, ended.stderr) == (-9, b"")
    assert opened(path, caplog) == ([] if when.startswith("before") else [1])
    assert caplog.record_tuples == []


def test_one_of_a_version_that_kept_no_such_account_is_not(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Journal(path) as journal:
        journal.write([(1, "one")], [])
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE state")
    connection.commit()
    connection.close()
    assert opened(path, caplog) == [1]
    assert caplog.record_tuples == []


def test_where_there_is_no_room_to_say_that_it_is_open_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path) as journal:
        journal.write([(1, "one")], [])

    class Full(sqlite3.Connection):
        def execute(self, statement: str, *rest: Any) -> Any:
            if statement.startswith("INSERT OR REPLACE INTO state"):
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(statement, *rest)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **how: connect(*a, factory=Full, **how))
    with Journal(path) as journal:
        assert list(journal.outstanding()) == [(1, "one")]
