"""The tasks that a client has on its shards, found by what they are known by at the service.

Guarantees:

* A lock is held for some steps in a dict, and nothing of the user's is called meanwhile.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

__all__: list[str] = []


class ShardTask:
    """A task that is known at the service, as `result`."""

    __slots__ = ("descriptor", "link", "number", "outcome", "result", "sent")

    def __init__(self, number: int, link: Any, sent: Any) -> None:
        self.number = number
        self.link = link  # to the shard that polls it
        self.sent = sent  # `result`, as it is sent
        self.result: Any = None
        self.descriptor: Any = None  # of the executor of the client, once its poll function was given that
        self.outcome: Any = None  # a list of what it has ended with, until that is there


class TaskRegister:
    """Tasks by the identity of their `result`. All methods may be called from any thread.

    An object may be the result of several: an int that is equal to another one is often the same. Such tasks are one
    and the same for the service, so it does not matter which of them is found.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[int, list[ShardTask] | ShardTask] = {}

    def add(self, task: ShardTask) -> None:
        key = id(task.result)
        with self._lock:
            there = self._found.setdefault(key, task)
            if isinstance(there, list):
                there.append(task)
            elif there is not task:
                self._found[key] = [there, task]

    def remove(self, task: ShardTask) -> None:
        key = id(task.result)
        with self._lock:
            there = self._found.get(key)
            if there is task:
                del self._found[key]
            elif isinstance(there, list) and task in there:
                there.remove(task)
                if not there:
                    del self._found[key]

    def claim(self, descriptor: Any) -> ShardTask | None:
        """The task of `descriptor`, which nobody has asked for before; None if it was not started here."""
        with self._lock:
            for task in self._all(descriptor.result):
                if task.descriptor is None:
                    task.descriptor = descriptor
                    return task
        return None

    def of(self, result: Any) -> ShardTask | None:
        """A task that is known as `result`."""
        with self._lock:
            return next(iter(self._all(result)), None)

    def _all(self, result: Any) -> list[ShardTask]:
        there = self._found.get(id(result))
        return there if isinstance(there, list) else [] if there is None else [there]
