"""Poll functions made of a function that gets statuses: of many ids, `StatusPoll`, or of one, `EachStatus`."""

from ._each_status import AsyncEachStatus as AsyncEachStatus
from ._each_status import EachStatus
from ._status_poll import AsyncStatusPoll as AsyncStatusPoll
from ._status_poll import StatusPoll
from ._task_missing import TaskMissing
from ._task_unknown import TaskUnknown

__all__ = ["EachStatus", "StatusPoll", "TaskMissing", "TaskUnknown"]
