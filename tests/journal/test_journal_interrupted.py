"""A Ctrl-C in the midst of opening or closing a journal, at whichever line: the next one has all that is on record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from interrupts_at_lines import at_each_line

from more_executors.journal import Journal

pytestmark = pytest.mark.long


def is_not_there(path: Path) -> list[tuple[int, str]]:
    return []


def was_closed(path: Path) -> list[tuple[int, str]]:
    with Journal(path) as journal:
        journal.write([(1, "a")], [])
    return [(1, "a")]


def was_killed(path: Path) -> list[tuple[int, str]]:
    before = path.with_name("before")
    with Journal(before) as journal:
        journal.write([(1, "a")], [])
        for end in ("", "-wal"):
            shutil.copyfile(f"{before}{end}", f"{path}{end}")
    before.unlink()
    return [(1, "a")]


@pytest.mark.parametrize("make", [is_not_there, was_closed, was_killed])
def test_opening_one(
    make: Callable[[Path], list[tuple[int, str]]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for interrupt in at_each_line():
        path = tmp_path / str(interrupt.line)
        on_record = make(path)
        opened: list[Journal] = []
        interrupt.hits(lambda path=path, opened=opened: opened.append(Journal(path)))
        assert bool(opened) is not interrupt.came_out
        for journal in opened:
            journal.close()
        with Journal(path) as journal:
            assert list(journal.outstanding()) == on_record, interrupt.line
        assert caplog.records == []


def test_closing_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for interrupt in at_each_line():
        path = tmp_path / str(interrupt.line)
        journal = Journal(path)
        journal.write([(1, "a")], [])
        interrupt.hits(journal.close)
        journal.close()
        with Journal(path) as journal:
            assert list(journal.outstanding()) == [(1, "a")], interrupt.line
        assert caplog.records == []


def test_one_that_is_dropped_after_that_is_closed(tmp_path: Path) -> None:
    for interrupt in at_each_line():
        path = tmp_path / str(interrupt.line)
        journal = Journal(path)
        interrupt.hits(journal.close)
        del journal
        Journal(path).close()
