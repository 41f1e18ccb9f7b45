"""What services for job queues have in common: errors that travel, and what is remembered of tasks that go on."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timezone
from typing import Any

import pytest

from more_executors.services.queues import NothingHeard, RemoteTraceback
from more_executors.services.queues._queue_service import QueueService, imported
from more_executors.services.queues._unchanged_tasks import UnchangedTasks

NOW = datetime(2026, 11, 30, 15, 10, tzinfo=timezone.utc)


class Descriptor:
    done = False


def test_errors_are_the_same_in_another_process() -> None:
    error = pickle.loads(pickle.dumps(NothingHeard("job-1", NOW, 60, "it was lost")))
    assert (error.task_id, error.since, error.seconds, error.why) == ("job-1", NOW, 60.0, "it was lost")
    assert str(error) == "nothing new of job 'job-1' since 2026-11-30 15:10:00 UTC, for 60.0 s: it was lost"
    assert str(pickle.loads(pickle.dumps(RemoteTraceback("the text")))) == "\nthe text"


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_service_is_not_copied(how: Any) -> None:
    with pytest.raises(TypeError, match="QueueService cannot be copied or pickled: share it"):
        how(QueueService[Any, Any](60.0))


@pytest.mark.parametrize(("task", "error"), [(7, TypeError), (None, TypeError), (["id"], TypeError), ("", ValueError)])
def test_what_has_no_id_is_refused(task: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="a job must"):
        QueueService[Any, Any](60.0).id_of(task)


def test_what_is_heard_anew_begins_the_time_again() -> None:
    now = [0.0]
    unchanged = UnchangedTasks(lambda: now[0])
    task: Any = Descriptor()
    assert unchanged.seconds(task, "started") == 0.0
    now[0] = 5.0
    assert unchanged.seconds(task, "started") == 5.0
    assert unchanged.seconds(task, "half done") == 0.0
    now[0] = 7.0
    assert unchanged.seconds(task, "half done") == 2.0
    unchanged.forget(task)
    assert unchanged.seconds(task, "half done") == 0.0


def test_tasks_that_are_done_otherwise_are_forgotten() -> None:
    unchanged = UnchangedTasks(lambda: 0.0)
    for _ in range(10_000):  # cancelled ones, of which no record says more
        task: Any = Descriptor()
        unchanged.seconds(task, "started")
        task.done = True
    assert len(unchanged) <= 1025


def test_a_client_that_is_there_but_broken_says_what_is_wrong() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"json\.nothing"):
        imported("json.nothing.at_all", "json")
    with pytest.raises(ImportError, match=r"no_such_client is not installed: pip install 'more-executors\[some\]'"):
        imported("no_such_client.part", "some")
