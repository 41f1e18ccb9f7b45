"""A journal that is closed before the executor that uses it: a line says so, and nothing is lost."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from support import PATIENCE

from more_executors import PollExecutor, SyncExecutor
from more_executors.journal import Journal, JournalError


def test_it_stays_open_until_the_executor_has_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tasks.db"
    journal = Journal(path)
    with (
        caplog.at_level(logging.WARNING),
        PollExecutor(
            SyncExecutor(), lambda tasks: [task.yield_result(task.result) for task in tasks], journal=journal, name="it"
        ) as executor,
    ):
        journal.close()
        journal.close()
        assert executor.submit_once("a", str, "task-1").result(PATIENCE) == "task-1"
        assert executor.flush_journal(PATIENCE)
    (line, again) = caplog.records
    assert line.levelname == "WARNING"
    assert (
        line.getMessage()
        == again.getMessage()
        == (
            f"the journal {str(path)!r} is closed before the executor that uses it: "
            "it stays open until PollExecutor-it has ended"
        )
    )
    assert line.exc_info is None
    with pytest.raises(JournalError, match="is closed"):
        journal.write([], [])
    with Journal(path) as reopened:
        assert [record.state for record in reopened.start_records().find(['"a"'])] == ["done"]


def test_in_the_right_order_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        Journal(tmp_path / "tasks.db") as journal,
        PollExecutor(SyncExecutor(), lambda tasks: None, journal=journal) as executor,
    ):
        executor.adopt("a").cancel()
    assert not caplog.records
