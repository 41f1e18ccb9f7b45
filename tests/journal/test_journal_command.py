"""`python -m more_executors journal`: what is on record is shown as it is, and changed by `forget` alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from keys_support import Program, Service, leave_in_doubt
from support import PATIENCE, SomeError

from more_executors.__main__ import main
from more_executors._core import StartChange
from more_executors.journal import Journal, Keys
from more_executors.journal._start_records import MEANT

SECRET = "s3cret"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with something of everything."""
    path, service = tmp_path / "tasks.db", Service()
    leave_in_doubt(path, "in doubt", ["a", 1])
    program = Program(path, service)
    service.results["done"] = SECRET
    service.results["odd"] = object()
    service.failing["failed"] = SomeError(SECRET)
    for name in ("done", "odd", "failed"):
        program.publish(name).exception(PATIENCE)
    service.is_slow = True
    program.publish("going on")
    program.executor.adopt({"id": "without a key"})
    program.kill()
    program = Program(path, service, keys=Keys("other", keep_results=False))
    service.is_slow = False
    program.published("done")
    program.kill()
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["journal", *map(str, arguments)]) == 0
    output = capsys.readouterr()
    assert not output.err
    return output.out


def test_it_tells_how_many_there_are_in_which_state(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    lines = told(capsys, path).splitlines()
    assert lines[0] == f"{path}: no program uses it"
    assert lines[2] == "6 keys"
    counts = {line[2:34].strip(): int(line[34:46]) for line in lines[3:8]}
    assert counts == {"in doubt": 2, "going on": 1, "done": 1, "done, result cannot be encoded": 1, "failed": 1}
    assert all(line[46:].startswith("   for ") for line in lines[3:8])
    assert lines[8:11] == ["", "  in doubt:", lines[10]]
    assert lines[10].startswith('    "in doubt"   ')
    assert lines[11].startswith('    ["a",1]   ')
    assert "namespace 'other': 1 keys" in lines
    assert lines[-1] == "1 tasks without keys are going on"
    assert SECRET not in "".join(lines)
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


def test_or_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(told(capsys, path, "--json"))
    assert found["in_use"] is False
    assert found["tasks_without_keys"] == 1
    assert found["namespaces"][""]["in doubt"]["count"] == 2
    assert set(found["namespaces"]["other"]["done, result not kept"]) == {"count", "oldest_seconds", "newest_seconds"}
    assert SECRET not in json.dumps(found)


def test_everything_can_be_exported(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(line) for line in told(capsys, path, "export").splitlines()]
    by_key: dict[str, Any] = {json.dumps(line["key"]): line for line in lines if line.get("namespace") == ""}
    assert set(by_key) == {'"in doubt"', '["a", 1]', '"done"', '"odd"', '"failed"', '"going on"'}
    assert by_key['"done"']["value"] == f'"{SECRET}"'
    assert by_key['"going on"']["state"] == "going on"
    assert lines[-1]["value"] == '{"id":"without a key"}'


def test_what_is_forgotten_is_started_again(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", str(path), "forget", "--namespace", "", "in doubt", '["a", 1]', "failed", "no"]) == 1
    output = capsys.readouterr()
    assert output.out == "forgotten: 1 failed\nforgotten: 2 in doubt\n"
    assert output.err == "not on record: 'no'\n"
    service = Service()
    program = Program(path, service, keys=Keys(retry_failed=False))
    assert program.published("in doubt")
    assert program.published("failed")
    program.kill()
    assert service.starts == ["in doubt", "failed"]


def test_with_several_namespaces_one_is_to_be_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", str(path), "forget", "done"]) == 1
    assert capsys.readouterr().err == "error: --namespace is needed, as there are several: '', 'other'\n"


def test_a_number_is_told_from_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tasks.db"
    leave_in_doubt(path, 1, "1", 2)
    assert told(capsys, path, "forget", "1", "2") == "forgotten: 2 in doubt\n"
    with Journal(path) as journal:
        assert [record.key for record in journal.start_records().unfinished()] == ["1"]


def test_it_can_be_looked_at_while_a_program_uses_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # In a process of its own: on POSIX, this one would give up its own locks.
    with Journal(path) as journal:
        journal.write([(5, "new")], [])
        records = journal.start_records()
        records.write([StartChange(records.first_free, '"new"', MEANT)])
        command = [sys.executable, "-m", "more_executors", "journal", str(path)]
        seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert seen.startswith(f"{path}: a program uses it\n")
        assert "being started" in seen
        assert "2 tasks without keys" in seen
        forgetting = subprocess.run([*command, "forget", "--namespace", "", "done"], capture_output=True, text=True)
        assert forgetting.returncode == 1
        assert forgetting.stderr == f"error: the journal {str(path)!r} is in use by another process\n"


@pytest.mark.parametrize("action", [[], ["export"], ["forget", "a"]])
@pytest.mark.parametrize("content", [None, b"to do: nothing", b"SQLite format 3\0" + b"x" * 200, b"damaged"])
def test_what_is_no_journal_is_named_and_left_alone(
    path: Path, capsys: pytest.CaptureFixture[str], action: list[str], content: bytes | None
) -> None:
    if content is None:
        path.unlink()
    elif content == b"damaged":
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])
    else:
        path.write_bytes(content)
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    assert main(["journal", str(path), *action]) == 1
    output = capsys.readouterr()
    assert not output.out
    assert output.err.startswith(f"error: the journal {str(path)!r} is ")
    assert output.err.count("\n") == 1
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


def test_an_empty_journal_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tasks.db"
    Journal(path).close()
    assert told(capsys, path) == f"{path}: no program uses it\n\n0 tasks without keys are going on\n"


def test_a_file_of_the_layout_without_keys_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).with_name("files") / "layout_1.db"
    assert "2 tasks without keys" in told(capsys, path)


@pytest.mark.skipif(os.name != "posix", reason="for a pipe that is closed early")
def test_who_has_seen_enough_may_go(path: Path) -> None:
    command = f"{sys.executable} -m more_executors journal {path} export | head -n 1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert not ended.stderr
    assert ended.stdout.count("\n") == 1
