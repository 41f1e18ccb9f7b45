"""Starting many tasks by one call of the service.

Guarantees:

* Of each item it is said what became of it: that a task was created, that none was, or that it was not begun.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeAlias

from ..._checks import shown
from ..._core import HostedTask
from ..._types import A, B, T
from ...poll import PollExecutor
from ...rate_limit import RateLimit
from ._host_events import HostEvents, LeaseOver
from ._share_limit import call_as_start

__all__ = ["Shard"]

MOST_ITEMS = 1_000  # in a call
THREADS = 4


class Shard(NamedTuple):
    """What the function that makes a shard may return, in place of the executor alone.

    Args:
        executor: what polls the tasks, and starts those that are submitted.
        start_many_fn: gets a list of at most a thousand items that `start_many` was given, and returns as many ids of
            tasks, in the same order. If it raises, no task was started. Called on one of four threads.
    """

    executor: PollExecutor[Any, Any, Any]
    start_many_fn: Callable[[list[Any]], Any] | None = None


MakeShard: TypeAlias = (
    "Callable[[], PollExecutor[A, B, T] | Shard] | Callable[[RateLimit], PollExecutor[A, B, T] | Shard]"
)


def start_item(item: Any) -> Any:
    """In the place of a function that starts a task: a shard knows it, and does not call it."""
    raise NotImplementedError


class Batches:
    """All methods may be called from any thread."""

    def __init__(
        self,
        start_many_fn: Callable[[list[Any]], Any] | None,
        executor: PollExecutor[Any, Any, Any],
        events: HostEvents,
        check_lease: Callable[[], None],
        name: str,
    ) -> None:
        """`check_lease` raises LeaseOver if nothing is to be started any more."""
        self._start_many_fn = start_many_fn
        self._executor = executor
        self._events = events
        self._check_lease = check_lease
        self._pool = ThreadPoolExecutor(THREADS, f"{name}-many")

    def start(self, batch: list[tuple[HostedTask, Any]]) -> None:
        """Start each of these, which get an item each."""
        for first in range(0, len(batch), MOST_ITEMS):
            part = batch[first : first + MOST_ITEMS]
            try:
                self._pool.submit(self._start, part)
            except RuntimeError as error:  # it has ended
                self._say(part, error, is_unbegun=True)

    def end(self) -> None:
        """Return when no call goes on."""
        self._pool.shutdown()

    def _start(self, batch: list[tuple[HostedTask, Any]]) -> None:
        try:
            self._check_lease()
        except LeaseOver as error:
            self._say(batch, error, is_unbegun=True)
            return
        try:
            tasks = call_as_start(self._started, [item for _, item in batch])
        except BaseException as error:
            self._say(batch, error, is_unbegun=isinstance(error, LeaseOver))
            return
        for (task, _), known_as in zip(batch, tasks, strict=True):
            self._events.log.created(task, known_as)
            try:
                task.keep(self._executor.adopt(known_as))
            except RuntimeError:  # it is shut down meanwhile: somebody else adopts the task
                continue

    def _started(self, items: list[Any]) -> list[Any]:
        if self._start_many_fn is None:
            raise TypeError("start_many: what makes a shard must return a Shard with a start_many_fn")
        tasks = list(self._start_many_fn(items))
        if len(tasks) != len(items):
            raise ValueError(f"start_many_fn must return as many ids as it got items, {len(items)}, not {shown(tasks)}")
        return tasks

    def _say(self, batch: list[tuple[HostedTask, Any]], error: BaseException, is_unbegun: bool) -> None:
        for task, _ in batch:
            self._events.not_started(task, error, is_unbegun)
