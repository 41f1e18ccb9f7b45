"""The copy that a journal is checked by: nothing of it is left, whatever comes in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import more_executors
from more_executors.journal import Journal, _copy

KILLED = """
import os, signal, shutil, sys
from more_executors.journal import _copy, _file_check
from more_executors.journal import Journal

def kill(*args, **keywords):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "copying":
    shutil.copyfileobj = kill
elif sys.argv[2] == "copied":
    _copy.sqlite3.connect = kill
else:
    _file_check.fault_of_content = kill
Journal(sys.argv[1])
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is the folder for temporary files in this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.db"
    with Journal(path) as journal:
        journal.write([(1, "one")], [])
    return path


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.parametrize(("when", "copies"), [("copying", 1), ("copied", 1), ("checking", 0)])
def test_a_kill_leaves_a_copy_at_most_and_that_until_the_next_time(
    when: str, copies: int, path: Path, temporary: Path
) -> None:
    found = str(Path(more_executors.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": found, "TMPDIR": str(temporary)}
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", KILLED, str(path), when], env=environment, capture_output=True)
        assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, b"")
        assert len(os.listdir(temporary)) == copies
    with Journal(path) as journal:
        assert os.listdir(temporary) == []
        assert list(journal.outstanding()) == [(1, "one")]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links are for few there")
def test_what_somebody_else_has_put_there_is_left_alone(path: Path, tmp_path: Path, temporary: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "copy").write_text("to do: nothing")
    status = path.stat()
    link = temporary / f"more_executors-{status.st_dev:x}-{status.st_ino:x}"
    link.symlink_to(precious)
    with Journal(path) as journal:
        assert list(journal.outstanding()) == [(1, "one")]
    assert os.listdir(temporary) == [link.name]
    assert (precious / "copy").read_text() == "to do: nothing"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners")
def test_a_folder_of_another_user_is_left_alone(path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = path.stat()
    folder = temporary / f"more_executors-{status.st_dev:x}-{status.st_ino:x}"
    folder.mkdir()
    (folder / "copy").write_text("to do: nothing")
    with monkeypatch.context() as patches:
        patches.setattr(os, "getuid", lambda: 12345)
        Journal(path).close()
    assert (folder / "copy").read_text() == "to do: nothing"
    assert os.listdir(temporary) == [folder.name]
    Journal(path).close()
    assert os.listdir(temporary) == []


def test_where_files_have_no_numbers_the_folder_has_a_name_of_its_own(temporary: Path) -> None:
    status = os.stat_result((0,) * 10)
    assert _copy.new_folder(status) != _copy.new_folder(status)
