"""A thread that waits in line for a call to be allowed."""

from __future__ import annotations

from threading import get_ident

from .._core import Waker

__all__: list[str] = []


class Waiter:
    """A thread that waits in `take`."""

    def __init__(self) -> None:
        self.number = 0  # in order of arrival; 0 before
        self.thread = get_ident()
        self._waker = Waker()

    def wait(self, seconds: float) -> None:
        """Sleep until `set` is called, for so many seconds at the most."""
        self._waker.wait(seconds)

    def set(self) -> None:
        """Wake the thread, so that it asks again. Takes no lock."""
        self._waker.set()

    def clear(self) -> None:
        """Forget earlier calls of `set`."""
        self._waker.wait(0)
