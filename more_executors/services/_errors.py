"""What calls of services raise, and what tasks of theirs fail with."""

from __future__ import annotations

from typing import Any

from .._checks import shown

__all__: list[str] = []


class TaskFailed(Exception):  # noqa: N818  # as TaskMissing
    """The service says that this task has failed, or was cancelled there.

    Args:
        task: what `start` returned.
        status: what the service says of the task; each adapter has its own record.
        why: a str, the reason as one reads it; by default the status itself.

    All three are attributes too.
    """

    task: Any
    status: Any
    why: str

    def __init__(self, task: Any, status: Any, why: str | None = None) -> None:
        super().__init__(task, status, why)
        self.task = task
        self.status = status
        self.why = shown(status) if why is None else why

    def __str__(self) -> str:
        return f"task {shown(self.task)} has failed: {self.why}"


def shown_task(task: object) -> str:
    """As `shown`, of what is no task. A list may be what `start_array` returned."""
    text = shown(task)
    return f"{text}; those that start_array returns are for adopt_many" if isinstance(task, list) else text


class ServiceAway(OSError):  # noqa: N818
    """The service could not be asked: it does not answer, or says that it cannot now. It is worth asking again."""


class UnexpectedReply(Exception):  # noqa: N818
    """The service has refused a request, and would do so again; `status` is the HTTP status."""

    status: int

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


for error in (TaskFailed, ServiceAway, UnexpectedReply):
    error.__module__ = "more_executors.services"  # where everybody has them from
