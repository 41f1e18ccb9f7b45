"""What an executor has promised to do in the background, counted, so that nobody ends its threads before."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

__all__: list[str] = []


class Owed:
    """How many things are owed. May be used from any thread, and from a signal handler."""

    def __init__(self) -> None:
        self.when_none: Callable[[], object] = bool  # called when the last is done
        self.count = 0
        self._lock = RLock()

    def begin(self) -> None:
        """One more is owed."""
        with self._lock:
            self.count += 1

    def end(self) -> None:
        """One is done, or will never be."""
        with self._lock:
            self.count -= 1
            none = not self.count
        if none:
            self.when_none()
