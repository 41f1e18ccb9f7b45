"""Since when the records of tasks say the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..._core import PollDescriptor

__all__: list[str] = []

MANY = 1024  # those that are gone are looked for when there are more, and twice as many as the last time

Descriptor: TypeAlias = PollDescriptor[Any, Any]


class UnchangedTasks:
    """Remembers what was heard of tasks last, and when first. May be used from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard: dict[Descriptor, tuple[Any, float]] = {}
        self._many = MANY

    def seconds(self, descriptor: Descriptor, heard: Any) -> float:
        """For how many seconds the same was heard of the task as now, which is `heard`."""
        now = self._clock()
        before = self._heard.get(descriptor)
        if before is not None and before[0] == heard:
            return now - before[1]
        self._heard[descriptor] = (heard, now)
        if len(self._heard) > self._many:
            for one in [one for one in list(self._heard) if one.done]:
                self._heard.pop(one, None)
            self._many = max(2 * len(self._heard), MANY)
        return 0.0

    def forget(self, descriptor: Descriptor) -> None:
        """The task is done."""
        self._heard.pop(descriptor, None)

    def __len__(self) -> int:
        return len(self._heard)
