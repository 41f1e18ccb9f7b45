"""The statistics of a `PollExecutor`: another name of the module `more_executors.poll.stats`."""

from .poll.stats import OutstandingTask, PollStats

__all__ = ["OutstandingTask", "PollStats"]
