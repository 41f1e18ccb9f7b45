"""What becomes of calls when a machine, or the cluster, is lost."""

from __future__ import annotations

from typing import TypeVar

from ..journal._key_errors import StartInDoubt

__all__ = ["ClusterLost", "ShardLost", "WorkerLost"]

ONE = TypeVar("ONE", bound=BaseException)


class ClusterLost(RuntimeError):  # noqa: N818
    """The scheduler cannot be reached, or no worker can run calls. Calls that were sent may have been made."""


class WorkerLost(RuntimeError):  # noqa: N818
    """The worker that a call was sent to is gone before it answered: the call may have been made, or not."""


class ShardLost(StartInDoubt):
    """The worker of a shard is gone, and with it the answer whether a task was started there.

    `key` is that of the task, or None if it has none.
    """

    def __str__(self) -> str:
        what = "a task" if self.key is None else f"a task for the key {self.key!r}"
        return f"it is not known whether {what} was started, as the worker that was to do so is lost"


def another(error: ONE) -> ONE:
    """The same again: who raises it adds to its traceback, and what is in that stays."""
    fresh = type(error)(*error.args)
    fresh.__cause__ = error.__cause__
    return fresh
