"""A parked poll executor, as in `workload`, in which each task has a time of its own."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from more_executors import Backoff, Executors

from .workload import Scene

FAR = Backoff(3600.0, maximum=3600.0, jitter=0.5)  # nothing is due again while a benchmark runs, unless it says so


class Scheduled:
    """Its poll function blocks in a call with one task, number 0, until it is told what to do.

    Meanwhile others may join. What a poll gets is due again at once, or where a scene returns None, far in the future.
    """

    def __init__(self, **options: Any) -> None:
        self.futures: list[Future[Any]] = []
        self.some: list[Any] = []
        self._scenes: list[Scene] = []
        self._cue = threading.Event()
        self._parked = threading.Event()
        self._over = False
        self.executor = Executors.sync().with_poll(self._poll, **{"schedule": FAR, "min_interval": 0.0, **options})
        self.futures.append(self.executor.adopt(0))
        self._parked.wait()

    def _poll(self, descriptors: list[Any]) -> Any:
        if self._scenes:
            return self._scenes.pop(0)(descriptors)
        if self._over:
            for descriptor in descriptors:
                descriptor.yield_result()
        else:
            self._parked.set()
            self._cue.wait()
            self._cue.clear()
        return 0

    def play(self, *scenes: Scene) -> None:
        """Give each scene the list of one poll, then park again; one more poll than scenes is begun."""
        self._scenes = list(scenes)
        self._parked.clear()
        self._cue.set()
        self._parked.wait()

    def adopt(self, count: int) -> None:
        """Have `count` outstanding, and keep their futures."""
        self.futures += self.executor.adopt_many(range(1, count))

    def keep_due(self, due: int) -> None:
        """Have so many due at once again after each poll that returns 0, the others far in the future."""

        def scene(descriptors: list[Any]) -> None:
            for descriptor in descriptors[:due]:
                descriptor.poll_after(0)
            self.some = descriptors[:due]

        self.play(scene)

    def close(self) -> None:
        """Resolve what is outstanding and end the executor."""
        self._over = True
        self.some.clear()
        self._cue.set()
        self.executor.notify()
        self.executor.shutdown()
        self.futures.clear()
