"""Which tasks a service does not know any more, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

from .._callables import check_optional_callable, checked_clock
from .._checks import checked_seconds, shown
from .._core import PollDescriptor
from .._frames import without_frames
from ._task_missing import TaskMissing

__all__: list[str] = []

MANY_MISSING = 256  # those that are gone are looked for when there are more, and twice as many as the last time

Descriptor: TypeAlias = PollDescriptor[Any, Any]
MissingError: TypeAlias = Callable[[Any, datetime, float], BaseException]


class MissingTasks:
    """Remembers when replies left out tasks first, and fails those that are missing for too long.

    May be used from several threads. Without a `missing_after`, it remembers nothing.
    """

    def __init__(
        self, missing_after: float | None, missing_error: MissingError | None, clock: Callable[[], float]
    ) -> None:
        """Raises TypeError or ValueError if one of these cannot be used."""
        check_optional_callable("missing_error", missing_error)
        self.clock = checked_clock(clock)
        self.missing_after = None if missing_after is None else checked_seconds("missing_after", missing_after)
        self.missing_error = missing_error
        self.since: dict[Descriptor, float] = {}  # when the first reply left them out, by the clock
        self._many = MANY_MISSING
        self._look_again = self.clock()  # for those that are gone, however few they are

    def left_out(self, tasks: Iterable[tuple[Any, Iterable[Descriptor]]]) -> None:
        """Note that a reply had no statuses of `tasks`: ids, and the descriptors of each."""
        if self.missing_after is None:
            return
        now = self.clock()
        task_id = descriptors = descriptor = None
        try:
            for task_id, descriptors in tasks:
                for descriptor in descriptors:
                    seconds = now - self.since.setdefault(descriptor, now)
                    if seconds >= self.missing_after:
                        self.since.pop(descriptor, None)
                        descriptor.yield_exception(self._error(task_id, seconds))
            if len(self.since) > self._many or now >= self._look_again:
                self._look_again = now + self.missing_after
                self._forget_who_is_gone()
        finally:
            del self, tasks, task_id, descriptors, descriptor

    def _error(self, task_id: Any, seconds: float) -> BaseException:
        since = datetime.now(timezone.utc) - timedelta(seconds=seconds)
        if self.missing_error is None:
            return TaskMissing(task_id, since, seconds)
        try:
            error = self.missing_error(task_id, since, seconds)
            if not isinstance(error, BaseException):
                raise TypeError(f"missing_error must return an exception, not {shown(error)}")
            return error
        except Exception as fault:
            return without_frames(fault, 1)

    def _forget_who_is_gone(self) -> None:
        """Forget missing tasks that are done meanwhile, such as cancelled ones."""
        for descriptor in list(self.since):
            if descriptor.done:
                self.since.pop(descriptor, None)
        self._many = max(2 * len(self.since), MANY_MISSING)
