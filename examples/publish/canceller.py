"""A thread that cancels some futures on the way, and all of them after Ctrl-C."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import Any

from options import Options
from progress import say


class Canceller:
    """Cancels futures while in its ``with`` block.

    A share ``options.cancel_rate`` of ``futures``, which may still be growing, is cancelled at random times
    in the first two task durations: in the queue of the pool, on the service, or too late. Once ``stop()``
    is true, all are, by ``cancel_all()``.
    """

    def __init__(
        self,
        options: Options,
        futures: Sequence[Future[Any]],
        stop: Callable[[], bool],
        cancel_all: Callable[[], object],
    ) -> None:
        rng = random.Random(options.seed)
        chosen = [index for index in range(options.tasks) if rng.random() < options.cancel_rate]
        self._plan = sorted(((rng.uniform(0, 2 * options.duration), index) for index in chosen), reverse=True)
        self._futures = futures
        self._stop = stop
        self._cancel_all = cancel_all
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canceller", daemon=True)

    def __enter__(self) -> Canceller:
        self._begin = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._left.wait(0.05):
            while self._due() and not (self._stop() or self._left.is_set()):
                self._futures[self._plan.pop()[1]].cancel()
            if self._stop():
                self._see_all_cancelled()

    def _due(self) -> bool:
        if not self._plan:
            return False
        seconds, index = self._plan[-1]
        return time.monotonic() - self._begin >= seconds and index < len(self._futures)

    def _see_all_cancelled(self) -> None:
        # Again and again: what is being published at the moment cannot be cancelled before it is a task.
        told = False
        while outstanding := [future for future in self._futures if not future.done()]:
            if not told:
                say(f"cancelling {len(outstanding):,} futures; Ctrl-C again not to wait for the service")
                told = True
            self._cancel_all()
            wait(outstanding, timeout=0.1)
