"""What futures of jobs fail with, beside what the jobs raised."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..._checks import shown
from ...status_poll import TaskMissing

__all__: list[str] = []


class NothingHeard(TaskMissing):
    """Nothing new was heard of a job for so long that it is not waited for any more. It may still run.

    Args:
        task_id: the id of the job.
        since: a `datetime` in UTC, when the last was heard of it, as far as this program knows.
        seconds: a float, how many seconds ago that was.
        why: a str, what may have become of the job, of which the queue does not tell which.

    All four are attributes too.
    """

    why: str

    def __init__(self, task_id: Any, since: datetime, seconds: float, why: str) -> None:
        super().__init__(task_id, since, seconds)
        self.args = (task_id, since, seconds, why)
        self.why = why

    def __str__(self) -> str:
        since = f"{self.since:%Y-%m-%d %H:%M:%S %Z}"
        return f"nothing new of job {shown(self.task_id)} since {since}, for {self.seconds:.1f} s: {self.why}"


class RemoteTraceback(Exception):  # noqa: N818
    """The traceback of an error at the worker, as text: the `__cause__` of the exception that the future gets."""

    text: str

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


def with_traceback_text(error: BaseException, text: Any) -> BaseException:
    """`error`, with what is known of where it was raised."""
    if isinstance(text, str) and text and error.__cause__ is None:
        error.__cause__ = RemoteTraceback(text)
    return error


for public in (NothingHeard, RemoteTraceback):
    public.__module__ = "more_executors.services.queues"  # where everybody has them from
