"""What `PollExecutor` tells of itself, under the name that this module had before."""

from .poll.stats import OutstandingTask, PollStats

__all__ = ["OutstandingTask", "PollStats"]
