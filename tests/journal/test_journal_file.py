"""Journal: what it refuses and leaves as it is, and what a killed process leaves behind."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import all_at_once

import more_executors
from more_executors.journal import Journal, JournalError

VALUE = "x" * 500


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "tasks.db"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def assert_refused(path: Path, why: str) -> None:
    """It is, with that in the message, and nothing in its directory changes."""
    before = contents(path.parent)
    for _ in range(2):
        with pytest.raises(JournalError, match=why) as caught:
            Journal(path)
        assert repr(str(path)) in str(caught.value)
    assert contents(path.parent) == before


def make(path: Path, count: int = 100) -> None:
    with Journal(path) as journal:
        journal.write([(key, VALUE) for key in range(count)], [])


def as_if_killed(path: Path, writes: int) -> list[int]:
    """Make what a process leaves that is killed after so many writes of one key; the sizes of the WAL after each."""
    origin = path.parent.parent / "origin.db"
    sizes = []
    with Journal(origin) as journal:
        for key in range(writes):
            journal.write([(key, VALUE)], [])
            sizes.append(os.path.getsize(f"{origin}-wal"))
        shutil.copy(origin, path)
        shutil.copy(f"{origin}-wal", f"{path}-wal")
    origin.unlink()
    return sizes


def change(path: Path, at: int, content: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(content)


def keys(path: Path) -> list[int]:
    with Journal(path) as journal:
        return [key for key, _ in journal.outstanding()]


# -- files that are no sound journals ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"x", b"to do: wash the dishes\n" * 1000, b"SQLite format 3\0", b"SQLite format 4\0" + bytes(200), bytes(8192)],
    ids=["short", "text", "cut off", "similar", "zeros"],
)
def test_what_is_no_sqlite_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert_refused(path, "is no SQLite file")


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("application", [0, 5, -5])
def test_the_database_of_another_application_is_refused(path: Path, mode: str, application: int) -> None:
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA journal_mode = {mode}")
    other.execute(f"PRAGMA application_id = {application}")
    other.execute("PRAGMA user_version = 1")
    other.execute("CREATE TABLE tasks (key INTEGER PRIMARY KEY, value NOT NULL)")
    other.commit()
    other.close()
    assert_refused(path, f"another application .id {application & 0xFFFF_FFFF}")


def test_the_database_of_another_application_that_was_killed_is_refused(path: Path, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("PRAGMA journal_mode = wal")
    other.execute("CREATE TABLE precious (value)")
    other.commit()
    for ending in ("", "-wal", "-shm"):
        shutil.copy(tmp_path / f"other.db{ending}", f"{path}{ending}")
    other.close()
    assert_refused(path, "another application")


@pytest.mark.parametrize(("layout", "why"), [(3, "newer version"), (2**31 - 1, "newer version"), (0, "is damaged")])
@pytest.mark.parametrize("killed", [False, True])
def test_an_unknown_layout_is_refused(path: Path, layout: int, why: str, killed: bool) -> None:
    if killed:
        as_if_killed(path, 2)
    else:
        make(path)
    change(path, 60, layout.to_bytes(4, "big"))
    assert_refused(path, why)


def test_a_newer_layout_that_is_still_in_the_wal_is_refused(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "newer.db")
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute("PRAGMA user_version = 3")
    for ending in ("", "-wal"):
        shutil.copy(tmp_path / f"newer.db{ending}", f"{path}{ending}")
    newer.close()
    assert_refused(path, "newer version")


@pytest.mark.parametrize("page", [1, 2, 5, 10])
@pytest.mark.parametrize("killed", [False, True])
def test_damaged_pages_are_refused(path: Path, page: int, killed: bool) -> None:
    make(path)
    if killed:
        with Journal(path) as journal:
            journal.write([(1000, VALUE)], [])
            shutil.copy(f"{path}-wal", path.parent.parent)
        shutil.copy(path.parent.parent / "tasks.db-wal", path.parent)
    change(path, 100 if page == 1 else page * 4096, b"\xa5" * 3000)
    assert_refused(path, "is damaged")


def test_a_file_that_was_cut_off_is_refused(path: Path) -> None:
    make(path)
    os.truncate(path, 5 * 4096)
    assert_refused(path, "is damaged")


def test_a_journal_without_its_table_is_refused(path: Path) -> None:
    make(path)
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode = delete")
    other.execute("ALTER TABLE tasks RENAME TO jobs")
    other.commit()
    other.close()
    assert_refused(path, "is damaged: it has no table of tasks")


def test_a_wal_that_is_none_is_refused(path: Path) -> None:
    as_if_killed(path, 3)
    change(Path(f"{path}-wal"), 0, b"garbage!")
    assert_refused(path, "tasks.db-wal' is not what SQLite left there")


@pytest.mark.parametrize("is_there", [False, True])
def test_a_wal_without_its_file_is_refused(path: Path, is_there: bool) -> None:
    as_if_killed(path, 3)
    path.unlink()
    if is_there:
        path.touch()
    assert_refused(path, "has nothing in it, but .*-wal' has")


# -- what cannot be opened ---------------------------------------------------------------------------------------


def test_there_must_be_a_directory(path: Path) -> None:
    with pytest.raises(JournalError, match=r"x/y.db' cannot be made: there is no directory .*x'"):
        Journal(f"{path.parent}/x/y.db")


def test_a_directory_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalError, match=r"tasks\.db' cannot be opened: it is a directory"):
        Journal(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_and_a_socket_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(path)
    monkeypatch.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        for name in (path, "socket"):
            with pytest.raises(JournalError, match="cannot be opened: it is no regular file"):
                Journal(name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anything")
def test_what_cannot_be_written_is_refused(path: Path) -> None:
    make(path)
    path.chmod(0o444)
    assert_refused(path, "cannot be opened for writing")
    path.chmod(0o644)
    path.parent.chmod(0o555)
    try:
        with pytest.raises(JournalError, match="cannot be opened"):
            Journal(path)
        with pytest.raises(JournalError, match="cannot be opened for writing"):
            Journal(path.parent / "new.db")
    finally:
        path.parent.chmod(0o755)
    assert len(keys(path)) == 100


def test_where_there_is_no_room_for_a_copy_it_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(path)

    def no_room(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patches:
        patches.setattr(shutil, "copyfileobj", no_room)
        assert_refused(path, "cannot be checked, for which it is copied: .*No space left")
    assert len(keys(path)) == 100


def test_an_empty_file_is_a_new_journal(path: Path) -> None:
    path.touch()
    assert keys(path) == []


# -- what a process leaves that is killed ------------------------------------------------------------------------


def test_what_was_written_before_a_kill_is_there(path: Path) -> None:
    as_if_killed(path, 5)
    assert keys(path) == [0, 1, 2, 3, 4]
    assert keys(path) == [0, 1, 2, 3, 4]
    assert os.listdir(path.parent) == ["tasks.db"]


def test_a_kill_in_the_middle_of_a_write_leaves_the_writes_before(path: Path, tmp_path: Path) -> None:
    sizes = as_if_killed(path, 4)
    folder = tmp_path / "cut"
    for done, (begins, ends) in enumerate(itertools.pairwise(sizes), 1):
        for length in (begins, begins + 1, begins + 24, (begins + ends) // 2, ends - 1):
            shutil.copytree(path.parent, folder)
            os.truncate(folder / "tasks.db-wal", length)
            assert keys(folder / "tasks.db") == list(range(done)), length
            shutil.rmtree(folder)


def test_a_kill_while_it_is_made_leaves_something_that_can_be_opened(path: Path, tmp_path: Path) -> None:
    # What is in the file is of a transaction that had not ended: it is to be taken back, with the file beside it.
    make(tmp_path / "made.db")
    making = sqlite3.connect(tmp_path / "making.db", isolation_level=None)
    making.execute("PRAGMA cache_size = 1")
    making.execute("BEGIN EXCLUSIVE")
    making.execute("CREATE TABLE tasks (key INTEGER PRIMARY KEY, value NOT NULL)")
    making.executemany("INSERT INTO tasks VALUES (?, ?)", [(key, VALUE) for key in range(1000)])
    for ending in ("", "-journal"):
        shutil.copy(tmp_path / f"making.db{ending}", f"{path}{ending}")
    making.execute("ROLLBACK")
    making.close()
    change(path, 0, (tmp_path / "made.db").read_bytes()[:4096])
    assert keys(path) == []
    make(path)
    assert len(keys(path)) == 100


# -- one at a time -----------------------------------------------------------------------------------------------

HOLD = """
import sys
from more_executors.journal import Journal
journal = Journal(sys.argv[1])
journal.write([(1, "one")], [])
print("open", flush=True)
sys.stdin.read()
"""
READ = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT * FROM tasks").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


def other_process(code: str, path: Path) -> subprocess.Popen[bytes]:
    found = str(Path(more_executors.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": found}
    command = [sys.executable, "-c", code, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline().split() == [b"open"]
    return process


@pytest.mark.parametrize("code", [HOLD, READ], ids=["as a journal", "as a database"])
def test_what_another_process_has_open_is_refused_until_that_is_killed(path: Path, code: str) -> None:
    make(path)
    with other_process(code, path) as process:
        try:
            with pytest.raises(JournalError, match=r"tasks\.db' is in use by another process"):
                Journal(path)
        finally:
            process.kill()
    assert len(keys(path)) == 100


def test_a_second_one_in_this_process_is_refused_by_whatever_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [str(path), f"{path.parent}/../folder/tasks.db", "tasks.db"]
    monkeypatch.chdir(path.parent)
    with Journal(path) as journal:
        if os.name == "posix":
            os.symlink(path, "symbolic")
            os.link(path, "hard")
            names += ["symbolic", "hard"]
        for name in names:
            with pytest.raises(JournalError, match="is in use by another Journal of this process"):
                Journal(name)
        journal.write([(1, "one")], [])
    assert keys(path) == [1]


def test_of_many_that_open_it_at_once_one_has_it(path: Path) -> None:
    def try_it() -> Journal | JournalError:
        try:
            return Journal(path)
        except JournalError as error:
            return error

    for _ in range(5):
        made = all_at_once(*[try_it] * 4)
        (journal,) = [one for one in made if isinstance(one, Journal)]
        assert ["in use by another Journal" in str(one) for one in made if one is not journal] == [True] * 3
        journal.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere locks are the process's")
def test_who_reads_the_file_does_not_give_the_lock_up(path: Path) -> None:
    with Journal(path):
        path.read_bytes()
        found = str(Path(more_executors.__file__).parent.parent)
        command = [sys.executable, "-c", HOLD, str(path)]
        other = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": found})
    assert "is in use by another process" in other.stderr


def test_what_is_committed_is_on_the_disk_before_that_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite is asked to wait for the disk, at each commit to the file of a journal."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made.append(connect(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    with Journal(path):
        [connection] = made
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA fullfsync").fetchone() == (1,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    made.clear()
