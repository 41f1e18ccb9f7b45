"""How many calls go into a pack: as many as take some tens of milliseconds, and return a megabyte."""

from __future__ import annotations

from ._pack import MOST_BYTES

__all__: list[str] = []

SECONDS_OF_PACK = 0.05
MOST_CALLS = 4000
GROWTH = 8  # so many times as many as in the largest pack that has come back
LONG_CALL = 0.25  # seconds: who has sent so long a call to each thread of a worker sends no more there


class PackSize:
    """Learns from packs that come back. For one thread at a time."""

    def __init__(self) -> None:
        self._seconds: float | None = None  # of a call, most lately
        self._bytes = 1.0  # of what a call returned: no less than most lately
        self._largest = 1

    def learn(self, seconds: float, calls: int, size: int) -> None:
        """A pack of so many `calls` took `seconds`, and returned so many bytes."""
        each = seconds / calls
        self._seconds = each if self._seconds is None else (self._seconds + each) / 2
        self._bytes = max(size / calls, (self._bytes + size / calls) / 2, 1.0)
        self._largest = max(self._largest, calls)

    def calls(self, waiting: int, threads: int) -> int:
        """How many of those that are `waiting` go into the next pack, with so many `threads` on all workers."""
        if self._seconds is None:
            return 1
        in_time = SECONDS_OF_PACK / max(self._seconds, 1e-9)
        fitting = int(min(in_time, MOST_BYTES / self._bytes, GROWTH * self._largest, MOST_CALLS))
        return max(1, min(fitting, -(-waiting // max(threads, 1))))

    def takes_long(self) -> bool:
        """Whether calls take so long that none is to wait on a worker while others are idle."""
        return self._seconds is not None and self._seconds > LONG_CALL
