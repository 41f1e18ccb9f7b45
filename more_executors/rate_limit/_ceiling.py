"""The highest rate of calls that a service accepts, estimated from which calls it throttles."""

from __future__ import annotations

from math import inf, log, pow

RECOVERY_SECONDS = 0.5  # in which the rate doubles until it is just under the ceiling
JUST_UNDER = 0.9  # times the ceiling
BY_CHANCE = 0.93  # times the ceiling: a rate above that may be throttled by chance
PROBING_SECONDS = 300.0  # from just under the ceiling to the ceiling
DOUBLING_SECONDS = 60.0  # in which the steps double, above the ceiling
LOWEST_SHARE = 1000.0  # of the limit, that throttling goes down to
LONGEST_INTERVAL = 60.0  # seconds, at the most, that throttling makes of the time between two calls


class RateCeiling:
    """Remembers at which rate calls were throttled, and gives the next rate. Not safe from several threads at once.

    Not every reply "too many" is news. Calls that began before the rate was last halved say nothing about it now. Those
    that began later, but before any that succeeded, say that it is still too soon, not that the rate is too high.
    """

    __slots__ = ("_at", "_halved_at", "_limit", "_lowest", "_works_since")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._lowest = lowest_of(limit)
        self._at = limit  # calls/s
        self._halved_at = -inf
        self._works_since = -inf  # when the first call began that has succeeded since; inf if none has

    def follow(self, limit: float, rate: float) -> float:
        """The rate, after `rate`, as there is another limit. What is known of the service holds on."""
        if rate == self._limit:  # nothing keeps it down now
            rate = self._at = limit
        self._at = min(self._at, limit)
        self._limit = limit
        self._lowest = lowest_of(limit)
        return min(limit, max(self._lowest, rate))

    def is_old(self, began: float) -> bool:
        """Whether a call that began then is from before the rate was last halved."""
        return began <= self._halved_at

    def works(self, began: float) -> None:
        """Note that a call that began then has succeeded."""
        self._works_since = min(self._works_since, began)

    def rise(self, rate: float) -> float:
        """The rate after a success at `rate`, which counts as the time between two calls, whenever it comes."""
        under = JUST_UNDER * self._at
        if rate < under:
            return min(under, rate * pow(2, min(1, 1 / (rate * RECOVERY_SECONDS))))
        step = (self._at - under) / PROBING_SECONDS  # calls/s a second
        if rate > self._at:
            step += (rate - self._at) * log(2) / DOUBLING_SECONDS
        return min(self._limit, rate + step / rate)

    def fall(self, rate: float, began: float, now: float) -> float:
        """The rate after a call, which began then, was throttled at `rate`."""
        if began > self._works_since:
            by_chance = BY_CHANCE * self._at < rate < self._at
            self._at = (self._at + rate) / 2 if by_chance else rate
        self._works_since = inf
        self._halved_at = now
        return max(self._lowest, rate / 2)


def lowest_of(limit: float) -> float:
    """The rate that throttling goes down to."""
    return min(limit, max(limit / LOWEST_SHARE, 1 / LONGEST_INTERVAL))
