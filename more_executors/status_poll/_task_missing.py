"""The exception for tasks that a service does not know any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .._checks import real_number, shown

__all__ = ["TaskMissing"]


class TaskMissing(LookupError):  # noqa: N818  # as LookupError and the like
    """The replies of the service have left out this task for longer than `missing_after` of a `StatusPoll`.

    Args:
        task_id: the id of the task.
        since: a `datetime` in UTC, the time of the first reply without the task.
        seconds: a float, how many seconds ago that was.

    All three are attributes too.
    """

    task_id: Any
    since: datetime
    seconds: float

    def __init__(self, task_id: Any, since: datetime, seconds: float) -> None:
        if not isinstance(since, datetime):
            raise TypeError(f"since must be a datetime, not {shown(since)}")
        super().__init__(task_id, since, seconds)
        self.task_id = task_id
        self.since = since
        self.seconds = real_number("seconds", seconds, " s")

    def __str__(self) -> str:
        since = f"{self.since:%Y-%m-%d %H:%M:%S %Z}"
        return f"task {shown(self.task_id)} has been in no reply since {since}, for {self.seconds:.1f} s"
