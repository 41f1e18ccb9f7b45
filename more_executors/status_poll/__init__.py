"""A poll function made of a function that gets the statuses of ids: see `StatusPoll`."""

from ._status_poll import AsyncStatusPoll as AsyncStatusPoll
from ._status_poll import StatusPoll
from ._task_missing import TaskMissing

__all__ = ["StatusPoll", "TaskMissing"]
