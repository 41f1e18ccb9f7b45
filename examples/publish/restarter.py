"""A thread that kills the service in the middle, and starts it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runs import Run
from service_process import ServiceProcess


class Restarter:
    """While in its ``with`` block, restarts ``service`` once, as soon as ``now()`` is true.

    The service is down for ``seconds``; ``run`` is told from when to when.
    """

    def __init__(self, service: ServiceProcess, run: Run, now: Callable[[], bool], seconds: float) -> None:
        self._service = service
        self._run = run
        self._now = now
        self._seconds = seconds
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._restart_once, name="restarter", daemon=True)

    def __enter__(self) -> Restarter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()

    def _restart_once(self) -> None:
        while not self._left.wait(0.02):
            if self._now():
                self._run.killed = time.time()
                self._service.restart(self._left, self._seconds)
                self._run.restarted = time.time()
                break
