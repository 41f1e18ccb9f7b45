"""What one shard may call, as far as its client knows.

Guarantees:

* `most` is no less than the share that the shard has, whatever is lost, comes late or comes twice.
"""

from __future__ import annotations

from collections import deque

from ._share import ShareReport

__all__: list[str] = []


class Grant:
    """The shares of one generation of a shard. For one thread at a time."""

    def __init__(self) -> None:
        self._shares: deque[tuple[int, float]] = deque([(0, 0.0)])  # versions and calls/s: acknowledged, and later ones
        self.epoch = self.successes = 0  # the last that was heard of
        self.pauses = 0

    @property
    def version(self) -> int:
        return self._shares[-1][0]

    @property
    def rate(self) -> float:
        """The last that the shard was, or is to be, told."""
        return self._shares[-1][1]

    @property
    def most(self) -> float:
        """The highest that it may have."""
        return max(rate for _, rate in self._shares)

    @property
    def is_pending(self) -> bool:
        """Whether the last is not known to be in force."""
        return len(self._shares) > 1

    def set(self, rate: float) -> None:
        """Have the shard told another one."""
        self._shares.append((self.version + 1, rate))

    def acknowledge(self, version: int) -> None:
        """It has the share of this version, or a later one."""
        while self._shares[0][0] < version:
            self._shares.popleft()

    def new_successes(self, report: ShareReport) -> int:
        """How many are reported that were not before."""
        before = self.successes if self.epoch == report.epoch else 0
        self.epoch, self.successes = report.epoch, max(before, report.successes)
        return self.successes - before
