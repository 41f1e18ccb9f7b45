"""The exception of a task that a service does not know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .._checks import real_number, shown

__all__ = ["TaskMissing"]


class TaskMissing(LookupError):  # noqa: N818  # as LookupError and the like
    """A task that no reply has had for longer than `missing_after` of a `StatusPoll`.

    `task_id` is the id it was asked for by, `since` when the first reply left it out, a `datetime` in UTC, and
    `seconds` how long that had been so.
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
