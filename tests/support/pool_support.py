"""What tests of thread pools share."""

from __future__ import annotations

import threading
from typing import Any

from support import PATIENCE


class Gate:
    """A function that waits until the test opens it; `begun` is released by each call."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self._open = threading.Event()

    def __call__(self, value: Any = None) -> Any:
        self.begun.release()
        assert self._open.wait(PATIENCE)
        return value

    def wait(self, calls: int = 1) -> None:
        for _ in range(calls):
            assert self.begun.acquire(timeout=PATIENCE)

    def open(self) -> None:
        self._open.set()


class NoThread(threading.Thread):
    """One that cannot be started."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")
