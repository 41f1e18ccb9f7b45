"""The exception of a service that does not know a task."""

from __future__ import annotations

__all__ = ["TaskUnknown"]


class TaskUnknown(LookupError):  # noqa: N818  # as TaskMissing
    """Raised by `fetch_one` if the service says that it does not know the task, as by the status 404.

    The task fails when that has been so for `missing_after` seconds: a service may not know a new task yet.
    """
