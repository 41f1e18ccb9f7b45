"""StatusPoll: replies that leave ids out, and replies that are odd."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone
from math import inf
from typing import Any

import pytest
from status_poll_support import Clock, Service, key, outcomes, outstanding, resolve, status
from support import PATIENCE, HeardLogger, SomeError

from more_executors import PollExecutor, SyncExecutor
from more_executors.status_poll import StatusPoll, TaskMissing
from more_executors.status_poll._missing_tasks import MANY_MISSING


class Missing:
    """A StatusPoll that lets tasks be missing for 60 s of its clock."""

    def __init__(self, missing_after: float | None = 60.0) -> None:
        self.clock = Clock()
        self.service = Service()
        self.logger = HeardLogger()
        self.poll = StatusPoll(
            self.service.fetch, key, resolve, missing_after=missing_after, logger=self.logger, clock=self.clock
        )

    def after(self, seconds: float, tasks: list[Any], *reply: Any) -> list[Any]:
        """Let time pass, then get `reply`; returns the outcomes."""
        self.clock.now += seconds
        self.service.reply = reply
        self.poll(tasks)
        return outcomes(tasks)


# -- ids that are left out -------------------------------------------------------------------------------------------


def test_a_task_that_every_reply_leaves_out_for_long_enough_is_missing() -> None:
    replies, (gone, there) = Missing(), outstanding("gone", "there")
    running = status("there", "running")
    assert replies.after(0, [gone, there], running) == [None, None]
    assert replies.after(59, [gone, there], running) == [None, None]
    before = datetime.now(timezone.utc)
    replies.after(1.5, [gone, there], running)
    after = datetime.now(timezone.utc)
    assert there.outcome is None
    assert isinstance(gone.error, TaskMissing)
    assert isinstance(gone.error, LookupError)
    assert (gone.error.task_id, gone.error.seconds) == ("gone", 60.5)
    assert before <= gone.error.since + timedelta(seconds=60.5) <= after
    assert gone.error.since.tzinfo is timezone.utc


def test_the_error_says_which_task_and_since_when_and_can_be_pickled() -> None:
    error = TaskMissing("job-7", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), 61.25)
    assert str(error) == "task 'job-7' has been in no reply since 2026-01-02 03:04:05 UTC, for 61.2 s"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), vars(again), str(again)) == (TaskMissing, vars(error), str(error))


@pytest.mark.parametrize("missing_after", [None, inf, 10**400])
def test_without_a_time_a_task_may_be_left_out_for_ever(missing_after: float | None) -> None:
    replies, tasks = Missing(missing_after), outstanding(1)
    for _ in range(3):
        assert replies.after(1e9, tasks) == [None]
    assert replies.after(1, tasks, status(1)) == [("result", 1)]
    assert replies.poll._missing.since == {}


def test_with_a_time_of_zero_the_first_reply_decides() -> None:
    replies, tasks = Missing(0), outstanding(1)
    assert isinstance(replies.after(0, tasks)[0][1], TaskMissing)


def test_a_reply_that_has_the_task_starts_the_time_anew() -> None:
    replies, tasks = Missing(), outstanding(1)
    replies.after(0, tasks)
    replies.after(59, tasks, status(1, "running"))
    assert replies.poll._missing.since == {}
    assert replies.after(59, tasks) == [None]
    assert replies.after(59, tasks) == [None]
    assert isinstance(replies.after(1, tasks)[0][1], TaskMissing)
    assert tasks[0].error.seconds == 60


def test_a_call_that_fails_says_nothing_about_who_is_missing() -> None:
    replies, tasks = Missing(), outstanding(1)
    for _ in range(3):
        replies.service.reply = SomeError()
        replies.clock.now += 100
        with pytest.raises(SomeError):
            replies.poll(tasks)
    assert replies.after(100, tasks) == [None]
    assert replies.after(59, tasks) == [None]


def test_a_reply_of_which_nothing_can_be_read_says_nothing_about_who_is_missing() -> None:
    replies, tasks = Missing(), outstanding(1)
    for _ in range(3):
        assert replies.after(100, tasks, "nonsense") == [None]
    assert replies.after(100, tasks, "nonsense", status(2)) == [None]  # the first that counts
    assert isinstance(replies.after(100, tasks, "nonsense", status(2))[0][1], TaskMissing)


def test_tasks_of_the_same_id_are_missing_each_for_its_own_time() -> None:
    replies, (old, young) = Missing(), outstanding(1, 1)
    replies.after(0, [old])
    replies.after(30, [old, young])
    replies.after(30, [old, young])
    assert isinstance(old.error, TaskMissing)
    assert young.outcome is None
    replies.after(30, [young])
    assert young.error.seconds == 60


def test_twins_that_come_back_are_both_missing_no_more() -> None:
    replies, tasks = Missing(), outstanding(1, 1)
    replies.after(0, tasks)
    assert len(replies.poll._missing.since) == 2
    replies.after(0, tasks, status(1, "running"))
    assert replies.poll._missing.since == {}


def test_a_task_that_is_missing_is_forgotten_with_that() -> None:
    replies, tasks = Missing(), outstanding(*range(10))
    replies.after(0, tasks)
    replies.after(60, tasks)
    assert all(isinstance(task.error, TaskMissing) for task in tasks)
    assert replies.poll._missing.since == {}


def test_tasks_that_end_otherwise_while_missing_are_forgotten_in_time() -> None:
    replies = Missing()
    (alive,) = outstanding("alive")
    replies.after(0, [alive])
    for _ in range(50):
        tasks = outstanding(*range(100))
        replies.after(0.1, tasks)
        for task in tasks:
            task.cancel()
        assert len(replies.poll._missing.since) <= 2 * MANY_MISSING
    assert alive in replies.poll._missing.since


def test_many_that_are_alive_and_missing_are_all_remembered() -> None:
    replies, tasks = Missing(), outstanding(*range(5 * MANY_MISSING))
    for n in range(0, len(tasks), 100):
        replies.after(0, tasks[n : n + 100])
    assert len(replies.poll._missing.since) == len(tasks)
    replies.after(60, tasks)
    assert all(isinstance(task.error, TaskMissing) for task in tasks)


def test_what_is_left_out_is_said_at_debug_only() -> None:
    replies, tasks = Missing(), outstanding(1, 2, 3)
    replies.after(0, tasks, status(2))
    assert [(level, message) for level, message, _ in replies.logger.lines] == [("DEBUG", "the reply leaves out 2 ids")]


def test_the_future_of_a_missing_task_fails() -> None:
    poll = StatusPoll(Service().fetch, key, resolve, missing_after=0)
    with PollExecutor(SyncExecutor(), poll) as executor:
        error = executor.submit(str, "gone").exception(PATIENCE)
    assert isinstance(error, TaskMissing)
    assert error.task_id == "gone"


# -- odd replies -----------------------------------------------------------------------------------------------------


def warnings_after(calls: int, *reply: Any) -> list[str]:
    replies = Missing()
    for _ in range(calls):
        tasks = outstanding(1, 2)
        assert replies.after(0, tasks, *reply)[0] == ("result", 1)
    return replies.logger.of_level("WARNING")


def test_statuses_of_ids_that_were_not_asked_for_are_reported_once() -> None:
    (warning,) = warnings_after(3, status("x"), status(1), status("y"))
    assert "fetch" in warning
    assert "a status of 'x', which was not asked for" in warning


def test_of_two_statuses_of_an_id_the_first_counts_which_is_reported_once() -> None:
    (warning,) = warnings_after(3, status(1), status(1, "exploded"), status(2, "running"), status(2))
    assert "two statuses of 1, of which the first counts" in warning


@pytest.mark.parametrize("entry", [None, "nonsense", {}, {"id": []}, b"", 3])
def test_entries_whose_id_cannot_be_read_are_reported_once(entry: Any) -> None:
    (warning,) = warnings_after(3, entry, status(1), entry)
    assert f"an entry whose id cannot be read: {entry!r}" in warning


def test_the_report_of_an_entry_has_the_error_of_the_key() -> None:
    replies = Missing()
    replies.after(0, outstanding(1), {})
    assert [type(error) for level, _, error in replies.logger.lines if level == "WARNING"] == [KeyError]


def test_each_kind_is_reported_by_itself() -> None:
    reply = None, status(1), status(1), status("x")
    assert len(warnings_after(5, *reply)) == 3


def test_odd_ids_of_a_mapping_are_reported_as_well() -> None:
    logger = HeardLogger()
    StatusPoll(Service({"1": status(1)}).fetch, None, resolve, logger=logger)(outstanding(1))
    (warning,) = logger.of_level("WARNING")
    assert "a status of '1', which was not asked for" in warning


def test_reports_go_to_a_logger_of_its_own_by_default(caplog: pytest.LogCaptureFixture) -> None:
    StatusPoll(Service([None]).fetch, key, resolve)(outstanding(1))
    assert [record.name for record in caplog.records if record.levelname == "WARNING"] == ["StatusPoll"]


def test_a_logger_that_raises_stops_nothing(nothing_left_behind: list[BaseException | None]) -> None:
    tasks = outstanding(1)
    logger = HeardLogger(raising=SomeError())
    StatusPoll(Service([None, status(1)]).fetch, key, resolve, logger=logger)(tasks)
    assert outcomes(tasks) == [("result", 1)]
    assert [type(error) for error in nothing_left_behind] == [SomeError]
    nothing_left_behind.clear()


@pytest.mark.parametrize("reply", [None, 7, "finished", b"finished", bytearray(b"finished"), object()])
def test_a_reply_that_cannot_be_one_fails_the_call(reply: Any) -> None:
    tasks = outstanding(1)
    with pytest.raises(TypeError, match="fetch must return an iterable of statuses"):
        StatusPoll(Service(reply).fetch, key, resolve, missing_after=0)(tasks)
    assert outcomes(tasks) == [None]


def test_without_a_key_a_reply_must_be_a_mapping() -> None:
    with pytest.raises(TypeError, match="without a key, fetch must return a mapping"):
        StatusPoll(Service([status(1)]).fetch, None, resolve)(outstanding(1))
