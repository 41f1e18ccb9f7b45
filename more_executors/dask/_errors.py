"""What becomes of calls when a machine, or the cluster, is lost."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["ClusterLost", "WorkerLost"]

ONE = TypeVar("ONE", bound=BaseException)


class ClusterLost(RuntimeError):  # noqa: N818
    """The scheduler cannot be reached, or no worker can run calls. Calls that were sent may have been made."""


class WorkerLost(RuntimeError):  # noqa: N818
    """The worker that a call was sent to is gone before it answered: the call may have been made, or not."""


def another(error: ONE) -> ONE:
    """The same again: who raises it adds to its traceback, and what is in that stays."""
    fresh = type(error)(*error.args)
    fresh.__cause__ = error.__cause__
    return fresh
