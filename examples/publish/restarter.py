"""A thread that kills the service in the middle, and starts it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from service_process import ServiceProcess


class Restarter:
    """While in its ``with`` block, restarts ``service`` once, as soon as ``now()`` is true.

    The service is down for ``seconds``. ``outage`` says from when to when that was, by ``time.time``.
    """

    def __init__(self, service: ServiceProcess, now: Callable[[], bool], seconds: float) -> None:
        self.outage: tuple[float, float] | None = None
        self._service = service
        self._now = now
        self._seconds = seconds
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restarter", daemon=True)

    def __enter__(self) -> Restarter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._left.wait(0.02):
            if self._now():
                began = time.time()
                self._service.restart(self._left, self._seconds)
                self.outage = (began, time.time())
                break
