"""What happens in a shard, on its way into messages for the client.

Guarantees:

* Of a task it is said first that it was created, or refused, or returned unbegun; then how it ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from ..._core import CallEntries, EventLog, HostedTask, NumberedTasks, start_run
from ..._runtime.delegate import Submits
from .._outcomes import PLAIN
from ._messages import (
    ANSWERED,
    CREATED,
    ENDED,
    REFUSED,
    RETURNED,
    STOPPED,
    message_of,
    sent,
    sent_error,
)

__all__: list[str] = []

ENOUGH = 500  # events for a message at once


class LeaseOver(RuntimeError):  # noqa: N818
    """The shard was stopped before this was begun."""


class HostEvents:
    """Events, and the tasks of the shard that they are about. One thread makes messages; others may do the rest."""

    def __init__(self, clock: Callable[[], float], check_lease: Callable[[], None]) -> None:
        """`check_lease` raises LeaseOver if nothing is to be started any more: see EventLog."""
        self.log = EventLog(clock, check_lease, PLAIN, ENOUGH)
        self.waker = self.log.waker  # of who makes messages
        self.is_over = False  # the last was made
        self._tasks = NumberedTasks()
        self._noted: deque[tuple[int, int, Any]] = deque()

    def __len__(self) -> int:
        return len(self._noted) + len(self.log)

    def note(self, kind: int, number: int, what: Any) -> None:
        self._noted.append((kind, number, what))
        if self.log.is_waiting or kind == STOPPED or len(self._noted) >= ENOUGH:
            self.waker.set()

    def starting(self, number: int) -> HostedTask:
        """A task is about to be started as `number`."""
        task = HostedTask(self.log, number)
        self._tasks.put(task)
        return task

    def start_run(
        self,
        way_in: Submits,
        fn: Callable[..., Any],
        entries: CallEntries,
        numbers: list[int],
        first: int,
        not_started: Callable[[HostedTask, BaseException], None],
    ) -> int:
        """Have calls of `fn` made that come one after another; see there."""
        return start_run(self.log, self._tasks, way_in, fn, entries, numbers, first, not_started)

    def adopted(self, number: int) -> HostedTask:
        """A task that is known at the service is to be polled as `number`."""
        task = HostedTask(self.log, number, True)
        self._tasks.put(task)
        return task

    def not_started(self, task: HostedTask, error: BaseException, is_unbegun: bool) -> None:
        """There is no such task, and no future for it."""
        self.forget(task)
        self.note(*((RETURNED, task.number, None) if is_unbegun else (REFUSED, task.number, error)))

    def forget(self, task: HostedTask) -> None:
        """Say nothing of `task`, for which there is no future."""
        self._tasks.pop(task.number)

    def give_up(self, numbers: list[int]) -> list[Future[Any] | None]:
        """The futures of tasks that the client wants no more; None for each that has ended."""
        futures: list[Future[Any] | None] = []
        for number in numbers:
            task = self._tasks.get(number)
            if task is not None and task.future is not None:
                task.is_given_up = True
            futures.append(None if task is None else task.future)
        return futures

    def future_of(self, number: int) -> Future[Any] | None:
        """The future of a task; None if there is none, or not yet."""
        task = self._tasks.get(number)
        return None if task is None else task.future

    def end(self) -> None:
        """No more messages are made."""
        self.log.end()
        for task in [*self._tasks.all(), *self.log.take(self._tasks)[4]]:
            task.let_go()
        self._tasks.clear()

    # -- messages -----------------------------------------------------------------------------------------------------

    def message(self, is_stopped: bool) -> bytes:
        """All that was noted."""
        noted = [self._noted.popleft() for _ in range(len(self._noted))]
        created, known_as, ended, outcomes, others = self.log.take(self._tasks)
        refused: list[int] = []
        errors: list[Any] = []
        if not PLAIN.issuperset(map(type, known_as)):
            created, known_as, failed = self._sent_tasks(created, known_as)
            noted += failed
        for task in others:
            kind, what = self._end_of(task, is_stopped)
            task.let_go()
            if kind == ENDED:
                ended.append(task.number)
                outcomes.append(what)
            elif kind:
                noted.append((kind, task.number, what))
        returned: list[int] = []
        rest: list[tuple[Any, ...]] = []
        for kind, number, what in noted:
            if kind == REFUSED:
                refused.append(number)
                errors.append(sent_error(what))
            elif kind == RETURNED:
                returned.append(number)
            elif kind == ANSWERED:
                rest.append((ANSWERED, number, what))
            elif kind == STOPPED:
                rest.append((STOPPED, what))
                self.is_over = True
        lists = ((CREATED, created, known_as), (REFUSED, refused, errors), (ENDED, ended, outcomes))
        parts: list[tuple[Any, ...]] = [part for part in lists if part[1]]
        if returned:
            parts.append((RETURNED, returned))
        return message_of(parts + rest)

    def _sent_tasks(self, numbers: list[int], tasks: list[Any]) -> tuple[list[int], list[Any], list[Any]]:
        """The same as they are sent, and events about those that cannot be."""
        created: list[int] = []
        known_as: list[Any] = []
        failed: list[tuple[int, int, BaseException]] = []
        for number, task in zip(numbers, tasks, strict=True):
            try:
                known_as.append(sent(task))
                created.append(number)
            except Exception as error:  # nobody else could wait for it, so it is not waited for here either
                failed.append((REFUSED, number, error))
                for future in self.give_up([number]):
                    if future is not None:
                        future.cancel()
        return created, known_as, failed

    def _end_of(self, task: HostedTask, is_stopped: bool) -> tuple[int, Any]:
        """What is said of the end of `task`; the kind is 0 if that is nothing."""
        future = task.future
        if future.cancelled():
            if not task.is_started:
                return RETURNED, None
            if task.is_given_up or is_stopped:
                return 0, None
            return ENDED, sent_error(CancelledError("it was cancelled where it was polled"))
        error = future.exception()
        if not task.is_started:
            if isinstance(error, LeaseOver):
                return RETURNED, None
            return REFUSED, error or RuntimeError("it has ended, but was not started")
        if error is None:
            try:
                return ENDED, sent(future.result())
            except Exception as raised:
                error = raised
        return ENDED, sent_error(error)
