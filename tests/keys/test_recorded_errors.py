"""What the tasks of an earlier run failed with, in the next one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from keys_support import Program, Service

from more_executors import TaskMissing
from more_executors.journal import Keys


def test_a_task_that_the_service_has_lost_is_lost_in_the_next_run(
    run: Callable[..., Program], service: Service
) -> None:
    keys = Keys(retry_failed=False)
    since = datetime(2026, 1, 2, 3, 4, 5, 6, timezone.utc)
    service.failing["a"] = TaskMissing("task-1", since, 9.5)
    with pytest.raises(TaskMissing):
        run(keys=keys).published("a")
    with pytest.raises(TaskMissing, match="task 'task-1' has been in no reply since 2026-01-02") as caught:
        run(keys=keys).published("a")
    assert caught.value.args == ("task-1", since, 9.5)
