"""The tasks that a client has on its shards, found by what they are known by at the service.

Guarantees:

* A lock is held for some steps in a dict, and nothing of the user's is called meanwhile.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from ..._core import ShardTask

__all__: list[str] = []


class TaskRegister:
    """Tasks by the identity of their `result`. All methods may be called from any thread.

    An object may be the result of several: an int that is equal to another one is often the same. Such tasks are one
    and the same for the service, so it does not matter which of them is found.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[int, list[ShardTask] | ShardTask] = {}

    def add_all(self, tasks: list[ShardTask]) -> None:
        with self._lock:
            found = self._found
            for task in tasks:
                key = id(task.result)
                there = found.setdefault(key, task)
                if there is not task:
                    found[key] = [*(there if isinstance(there, list) else [there]), task]

    def clear(self) -> None:
        """Forget all: they would be kept for ever, as the garbage collector does not look into tasks."""
        with self._lock:
            found, self._found = self._found, {}
        found.clear()  # with nothing held: what tasks are known by may have destructors

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

    def claim_all(self, descriptors: list[Any]) -> list[ShardTask | None]:
        """The task of each of `descriptors`, which nobody has asked for before; None if it was not started here."""
        claimed: list[ShardTask | None] = []
        with self._lock:
            for descriptor in descriptors:
                found = self._found.get(id(descriptor.result))
                if isinstance(found, list):
                    found = next((task for task in found if task.descriptor is None), None)
                if found is not None and found.descriptor is None:
                    found.descriptor = descriptor
                    claimed.append(found)
                else:
                    claimed.append(None)
        return claimed

    def of(self, result: Any) -> ShardTask | None:
        """A task that is known as `result`."""
        with self._lock:
            found = self._found.get(id(result))
        return found[0] if isinstance(found, list) else found
