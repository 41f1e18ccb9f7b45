"""Files of earlier versions are opened, with all that is in them; who may read them, from then on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from support import PATIENCE

from more_executors import PollExecutor, SyncExecutor
from more_executors.journal import Journal

FILES = Path(__file__).with_name("files")  # made by the version before tasks could have keys; one was killed

on_posix = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")


@pytest.mark.parametrize("name", ["layout_1", "layout_1_killed"])
def test_a_file_of_the_layout_without_keys_is_upgraded(name: str, tmp_path: Path) -> None:
    for file in FILES.glob(f"{name}.db*"):
        shutil.copy(file, tmp_path)
    path = tmp_path / f"{name}.db"
    with Journal(path) as journal:
        assert list(journal.outstanding()) == [(1, "task-1"), (2, {"id": "task-2"})]
        with PollExecutor(SyncExecutor(), lambda tasks: [task.yield_result() for task in tasks], journal=journal) as it:
            assert it.submit_once("a", str, "task-3").result(PATIENCE) is None
            assert len(it.resume()) == 2
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT key, state FROM starts").fetchall() == [('"a"', "done")]
    connection.close()
    with Journal(path) as journal:
        assert not len(journal)


@on_posix
def test_nobody_but_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    before = os.umask(0)
    try:
        with Journal(path) as journal:
            journal.write([(1, "secret")], [])
            assert modes(tmp_path) == {"tasks.db": 0o600, "tasks.db-wal": 0o600}
    finally:
        os.umask(before)


@on_posix
def test_nor_one_that_everybody_could_read(tmp_path: Path) -> None:
    for file in FILES.glob("layout_1_killed.db*"):
        shutil.copy(file, tmp_path)
        (tmp_path / file.name).chmod(0o644)
    with Journal(tmp_path / "layout_1_killed.db"):
        assert set(modes(tmp_path).values()) == {0o600}


@on_posix
def test_a_file_that_is_refused_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("to do: nothing")
    path.chmod(0o644)
    with pytest.raises(Exception, match="is no journal"):
        Journal(path)
    assert modes(tmp_path) == {"notes.txt": 0o644}


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
