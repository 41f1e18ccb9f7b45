"""What stands for the service where a client polls: its shards, which have the tasks.

Guarantees:

* A task that joins is polled by a shard, by the one that has started it or, if it was adopted, by another.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any

from ..._core import ShardTask
from ...poll.stats import OutstandingTask
from ._coordinator import Coordinator
from ._link import CancelRequest, Link, State
from ._looks import Looks
from ._messages import sent
from ._on_worker import look_at
from ._placement import Place

__all__: list[str] = []


class ShardService:
    """All methods may be called from any thread."""

    def __init__(self, coordinator: Coordinator, lease: float) -> None:
        self._coordinator = coordinator
        self._longest_cancel = 4 * lease  # seconds

    def claim(self, descriptors: list[Any]) -> None:
        """The poll function: each descriptor comes once, when its task joins."""
        coordinator = self._coordinator
        adopted: list[ShardTask] = []
        claimed = coordinator.register.claim_all(descriptors)
        for task, descriptor in zip(claimed, descriptors, strict=True):
            if task is None:
                if descriptor.done:  # it was late at once
                    continue
                new = self._new(descriptor.result, descriptor)
                if new is not None:
                    adopted.append(new)
            elif task.outcome is not None:
                coordinator.resolver.end_with(task, task.outcome[0])
        if adopted:
            coordinator.tell(coordinator.adopt, adopted)

    def _new(self, result: Any, descriptor: Any = None) -> ShardTask | None:
        """A task that is known as `result`; None if that cannot be sent, and then the `descriptor` fails."""
        try:
            task = ShardTask(next(self._coordinator.numbers), None, sent(result))
        except Exception as error:
            if descriptor is not None:
                descriptor.yield_exception(error)
            return None
        task.result = result
        task.descriptor = descriptor
        self._coordinator.register.add_all([task])
        return task

    def cancel(self, results: list[Any]) -> list[bool]:
        """Have the shards cancel the tasks that are known as these; returns which they have."""
        coordinator = self._coordinator
        tasks: list[ShardTask | None] = []
        adopted: list[ShardTask] = []
        for result in results:
            task = coordinator.register.of(result)
            if task is None and (task := self._new(result)) is not None:  # it has just joined
                adopted.append(task)
            tasks.append(task)
        if adopted:
            coordinator.tell(coordinator.adopt, adopted)
        request = CancelRequest([task for task in tasks if task is not None])
        cancelled: set[ShardTask] = set()
        if request.unanswered:
            coordinator.tell(coordinator.cancel, request)
            cancelled = request.wait(self._longest_cancel)
        return [task in cancelled for task in tasks]

    def release(self, results: Iterable[Any]) -> None:
        """Have the shards poll them no more."""
        found = (self._coordinator.register.of(result) for result in results)
        self._coordinator.tell(self._coordinator.release, [task for task in found if task is not None])

    def look_at(self, rows: list[OutstandingTask], seconds: float) -> list[OutstandingTask]:
        """The same with what shards say of these tasks, if they do within so many seconds."""
        asked: dict[Link, tuple[list[int], list[int]]] = {}  # places in `rows`, and numbers
        for place, row in enumerate(rows):
            task = self._coordinator.register.of(row.result)
            if task is not None and task.link is not None:
                places, numbers = asked.setdefault(task.link, ([], []))
                places.append(place)
                numbers.append(task.number)
        looks = Looks(rows.copy())
        count = 0
        for link, (places, numbers) in asked.items():
            worker, name = link.place, link.name
            if worker is not None and link.state is State.OPEN:
                count += 1
                about, then = pickle.dumps(numbers, 5), partial(looks.put, places)
                self._coordinator.transport.call(worker.address, look_at, name, about, seconds=seconds, then=then)
        looks.wait_for(count, seconds)
        return looks.rows

    def drain(self, address: str, seconds: float) -> bool:
        """See ShardedPollExecutor."""
        coordinator = self._coordinator
        answer: SimpleQueue[Place | None] = SimpleQueue()
        coordinator.tell(coordinator.deployment.drain, address, answer.put)
        try:
            place = answer.get(timeout=seconds)
        except Empty:
            return False
        if place is None:
            raise ValueError(f"worker must be the address of one, not {address!r}")
        until = monotonic() + seconds
        while any(link.place is place for link in coordinator.links.copy()):
            if monotonic() > until:
                return False
            sleep(0.02)
        return True
