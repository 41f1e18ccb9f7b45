"""The thread that ends futures of a ShardedPollExecutor: callbacks run there.

Guarantees:

* That a task was created is said before how it ended, and nothing waits for the callbacks but this.
* What is `dealt_with` is on disk, if there is a journal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any

from ..._core import RemoteCall, ShardTask, TaskRegister, log
from ..._runtime.nested_calls import start_thread
from .._errors import ClusterLost
from .._outcomes import PLAIN
from ._messages import outcome_of

__all__: list[str] = []

SECONDS_TO_FLUSH = 0.5  # a journal; one that cannot be written holds nothing up for longer


class Resolver:
    """All methods may be called from any thread."""

    def __init__(self, register: TaskRegister, logger: logging.Logger, name: str) -> None:
        self._register = register
        self._logger = logger
        self._items: SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = SimpleQueue()
        self.fail_all: Callable[[list[Any], BaseException], object] = print  # of the table of the executor
        self.flush: Callable[[float], bool] | None = None  # waits until what was created is on disk: whether it is
        self._is_to_flush = False  # there is something that was created, and may not be
        self._thread = Thread(target=self._run, name=f"{name}-resolver", daemon=True)
        start_thread(self._thread)

    def created(self, calls: list[RemoteCall | None], tasks: list[ShardTask | None]) -> None:
        """The calls have started these tasks, but for those that are None."""
        self._items.put((self._created, (calls, tasks)))

    def failed(self, calls: list[tuple[RemoteCall, Any]]) -> None:
        """The calls have started nothing, or nobody knows: each with its error, as it is or as it was sent."""
        self._items.put((self._failed, (calls,)))

    def cancelled(self, call: RemoteCall) -> None:
        """The future of `call` was cancelled before that was made."""
        self._items.put((call.conclude, (CancelledError(),)))

    def ended(self, tasks: list[ShardTask | None], outcomes: list[Any]) -> None:
        """The tasks, but for those that are None, have ended with these outcomes, as they were sent."""
        self._items.put((self._ended, (tasks, outcomes)))

    def lost(self, tasks: list[ShardTask], error: ClusterLost) -> None:
        """The tasks go on, but nobody polls them."""
        self.ended([*tasks], [error] * len(tasks))

    def after_all(self, then: Callable[[], object], has_created: bool) -> None:
        """Call this when all that was said before is dealt with, and if something was created, is on disk."""
        self._items.put((self._dealt_with, (then, has_created)))

    def end(self) -> None:
        """Have the thread end after what it was given."""
        self._items.put(None)

    def is_current(self) -> bool:
        """Whether the caller is on the thread."""
        return current_thread() is self._thread

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def end_with(self, task: ShardTask, outcome: Any) -> None:
        """End what `task`, whose descriptor is there, stands for; also called on the thread that polls."""
        descriptor = task.descriptor
        self._register.remove(task)
        if type(outcome) in PLAIN:
            descriptor.yield_result(outcome)
            return
        if isinstance(outcome, ClusterLost):
            self.fail_all([descriptor], outcome)
            return
        value, is_error = outcome_of(outcome)
        if is_error:
            descriptor.yield_exception(value)
        else:
            descriptor.yield_result(value)

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            try:
                what, details = item
                what(*details)
            except Exception as error:
                log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
            finally:
                item = what = details = None  # type: ignore[assignment]

    def _created(self, calls: list[RemoteCall | None], tasks: list[ShardTask | None]) -> None:
        for call, task in self._register.create_all(calls, tasks):
            task.result, is_error = outcome_of(task.sent)
            if is_error:
                self._failed([(call, task.result)])
                continue
            self._register.add_all([task])
            if call.start is not None:
                call.conclude(None)
            with suppress(InvalidStateError):  # the interpreter ends
                call.future.set_result(task.result)

    def _failed(self, calls: list[tuple[RemoteCall, Any]]) -> None:
        for call, found in calls:
            error = outcome_of(found)[0]
            call.conclude(error)
            with suppress(InvalidStateError):
                call.future.set_exception(error)

    def _ended(self, tasks: list[ShardTask | None], outcomes: list[Any]) -> None:
        for task, outcome in self._register.end_all(tasks, outcomes):
            self.end_with(task, outcome)

    def _dealt_with(self, then: Callable[[], object], has_created: bool) -> None:
        self._is_to_flush |= has_created
        if self._is_to_flush and self.flush is not None:
            if not self.flush(SECONDS_TO_FLUSH):
                return  # the shard keeps it until later
            self._is_to_flush = False
        then()
