"""The time that a thread was there for.

Guarantees:

* Who waits for an answer by this waits for as long as the thread has looked for one. While its process was stopped, or
  others had the machine, it did not look: an answer that came then is still to be read.
* It never goes faster than the clock that it is made of. So what is certain to have happened after some time by that
  one, has happened after the same time by this.
"""

from __future__ import annotations

from collections.abc import Callable

__all__: list[str] = []


class PresentClock:
    """Called by one thread, which gets the time in seconds; others may only `look`."""

    def __init__(self, clock: Callable[[], float], most: float) -> None:
        """`most`: what is counted between two calls, in seconds. The thread has to make some within that time."""
        self._clock = clock
        self._most = most
        self._called_at = clock()
        self._missed = 0.0

    def __call__(self) -> float:
        now = self._clock()
        self._missed += max(0.0, now - self._called_at - self._most)
        self._called_at = now
        return now - self._missed

    def look(self) -> float:
        """The time, for any thread."""
        return self._clock() - self._missed
