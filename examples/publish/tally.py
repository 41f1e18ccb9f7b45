"""How many tasks there are of which kind."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

from more_executors import RecordedError

from client import TaskError


@dataclass(frozen=True)
class Sample:
    """The counts at a moment, ``seconds`` after the start; ``polled`` of them are on the service.

    In a cluster, ``shards`` has how many each shard has, and ``workers`` the number of the worker where it is
    open, or 0.
    """

    seconds: float
    submitted: int
    finished: int
    failed: int
    cancelled: int
    polled: int
    shards: tuple[int, ...] = ()
    workers: tuple[int, ...] = ()

    @property
    def done(self) -> int:
        """Futures that are resolved."""
        return self.finished + self.failed + self.cancelled

    @property
    def outstanding(self) -> int:
        """Futures that are not: waiting for a worker, being published, or polled."""
        return self.submitted - self.done


class Tally:
    """The counts so far. One thread writes, others may read."""

    def __init__(self) -> None:
        self.submitted = 0
        self.finished = 0
        self.failed = 0
        self.cancelled = 0
        self.complaints: Counter[str] = Counter()

    def count(self, future: Future[Any]) -> None:
        """Add a future that is done."""
        try:
            future.result()
        except CancelledError:
            self.cancelled += 1
        except Exception as error:
            self.failed += 1
            self.complaints[str(error) if isinstance(error, TaskError) else name_of_kind(error)] += 1
        else:
            self.finished += 1

    @property
    def done(self) -> int:
        """How many were counted."""
        return self.finished + self.failed + self.cancelled

    def sample(self, seconds: float, polled: int) -> Sample:
        """The counts now."""
        finished, failed, cancelled = self.finished, self.failed, self.cancelled
        polled = min(polled, self.submitted - finished - failed - cancelled)
        return Sample(seconds, self.submitted, finished, failed, cancelled, polled)


def name_of_kind(error: BaseException) -> str:
    """What the class of ``error`` is called, also of one that is on record from an earlier run."""
    name = error.type_name if isinstance(error, RecordedError) else type(error).__name__
    return name.rpartition(".")[2]
