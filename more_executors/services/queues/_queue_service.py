"""What services for job queues have in common.

A queue answers with what is in its store of results. What is not there may wait, may run, may have been lost with its
worker, or may never have been sent. So a job of which nothing new is heard for `silent_after` fails, with an error that
says what may have become of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any, TypeVar

from ..._callables import checked_clock
from ..._checks import checked_seconds, refuse_copy, shown
from ..._core import PollDescriptor
from ...journal._key_errors import StartInDoubt
from ...journal._keys import key_of_text, text_of_key
from .._service import Service
from .._tags import tag_of
from ._errors import NothingHeard
from ._unchanged_tasks import UnchangedTasks

__all__: list[str] = []

T = TypeVar("T")
S = TypeVar("S")

DAY = 86_400.0  # seconds


class QueueService(Service[T, S, Any]):
    """The base of the services for job queues.

    A subclass has `start`, `fetch` and `resolve`, which calls `succeeded`, `failed`, or `go_on` with what a record says
    that is not final. A job of which there is no record is `missing`, after `missing_after`.
    """

    interval = 1.0
    batch_size = 1000
    max_concurrency = 1
    silent_after: float
    unheard = "it waits, runs, was lost, or was never sent"

    def __init__(self, silent_after: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises TypeError or ValueError if `silent_after` is no number of seconds."""
        self.silent_after = checked_seconds("silent_after", silent_after)
        self.missing_after = self.silent_after
        self._unchanged = UnchangedTasks(checked_clock(clock))

    __reduce_ex__ = refuse_copy("share it, or make another one, of a client of its own")

    def id_of(self, task: Any) -> Any:
        """The id of a job; what the client itself calls a result or a job will do too."""
        found = getattr(task, "id", task)
        if not isinstance(found, str):
            raise TypeError(f"a job must be an id, or have one, not {shown(task)}")
        if not found:
            raise ValueError("a job must have an id that is not empty")
        return found

    def in_doubt_unless(self, keys: list[Any], known: Container[Any]) -> dict[Any, Any]:
        """What `find` returns where a job has the tag as its id, and may be in a queue that cannot be looked through.

        Of a job that is not `known`, it cannot be said whether it was sent.
        """
        tags = {key_of_text(text_of_key(key)): tag_of(key) for key in keys}
        return {key: tag if tag in known else StartInDoubt(key) for key, tag in tags.items()}

    def missing(self, task_id: Any, since: datetime, seconds: float) -> BaseException:
        return NothingHeard(task_id, since, seconds, self.unheard)

    def go_on(self, descriptor: PollDescriptor[Any, Any], heard: Any, lost: str) -> None:
        """A record that is not final says `heard`. If that is nothing new for too long, the job fails: see `lost`."""
        seconds = self._unchanged.seconds(descriptor, heard)
        if seconds >= self.silent_after:
            since = datetime.now(timezone.utc) - timedelta(seconds=seconds)
            self.failed(descriptor, NothingHeard(self.id_of(descriptor.result), since, seconds, lost))

    def succeeded(self, descriptor: PollDescriptor[Any, Any], result: Any) -> None:
        self._unchanged.forget(descriptor)
        descriptor.yield_result(result)

    def failed(self, descriptor: PollDescriptor[Any, Any], error: BaseException) -> None:
        self._unchanged.forget(descriptor)
        descriptor.yield_exception(error)


def imported(module: str, extra: str) -> Any:
    """A module of a client. Raises ImportError, naming the extra, if it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        raise ImportError(f"{package} is not installed: pip install 'more-executors[{extra}]'", name=package) from error
