"""Histograms for the metrics: how often values of each size were seen."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, pairwise
from threading import Lock
from typing import NamedTuple

__all__: list[str] = []


class HistogramCounts(NamedTuple):
    """The counts of a Histogram at some moment.

    `counts` has one number for each of `bounds`, of the values up to that bound and above the one before, and a last
    one for those above all bounds. `total` is the sum of the values.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def observations(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def plus(self, other: HistogramCounts) -> HistogramCounts:
        """The sum of both. Raises ValueError unless they have the same bounds."""
        if self.bounds != other.bounds:
            raise ValueError(f"histograms with different bounds cannot be added: {self.bounds!r} and {other.bounds!r}")
        counts = tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        return HistogramCounts(self.bounds, counts, self.total + other.total)

    def cumulative(self) -> list[int]:
        """How many values there were up to each bound; the last number is that of all values."""
        return list(accumulate(self.counts))


class Histogram:
    """Counts values by size, between bounds that are given once.

    `observe` may be called from any thread, and takes less than a microsecond. `snapshot` takes no lock, so it may be
    called wherever Python code may run: in a signal handler, a destructor, a forked child. It may find a value counted
    that is not in the sum yet.
    """

    __slots__ = ("_bounds", "_counts", "_lock", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """`bounds` are the upper bounds, inclusive, in ascending order. Raises ValueError if they are not."""
        if not bounds or not all(low < high for low, high in pairwise(bounds)):
            raise ValueError(f"bounds must be one or more numbers that ascend, not {bounds!r}")
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0
        self._lock = Lock()

    def observe(self, value: float) -> None:
        """Count `value`; anything below 0 as 0."""
        value = max(value, 0)
        at = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[at] += 1
            self._total += value

    def snapshot(self) -> HistogramCounts:
        """The counts so far."""
        return HistogramCounts(self._bounds, tuple(self._counts.copy()), self._total)
