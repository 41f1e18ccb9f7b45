"""When the next call is, at a rate that changes: what a rate limit knows of the calls that it let through."""

from __future__ import annotations

from math import inf

__all__: list[str] = []


class SpacedCalls:
    """Calls that are evenly spaced, but for bursts. Not safe from several threads at once.

    In any time there are at most as many as the largest burst, and as the rates allow for as long as each held.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._more = burst - 1
        self._rate = rate  # calls/s
        self._interval = 1 / self._rate
        self._slack = self._more * self._interval  # how much earlier than evenly spaced a call may be
        self._next = -inf  # when the next call is, evenly spaced
        self._resume = -inf  # no call before
        self._paused = False  # whether there was no call since that was set
        self._refused = self._pressed = False  # whether a call was refused since the last call; before it

    def _due(self) -> float:
        """When the next call may be."""
        due = self._next - self._slack
        return due if due > self._resume else self._resume

    def _take(self, now: float) -> None:
        if self._paused:  # no call is left that was saved up before
            self._paused = False
            self._next = max(self._next, self._resume + self._slack)
        self._next = (self._next if self._next > now else now) + self._interval
        self._pressed = self._refused
        self._refused = False

    def _pause_until(self, resume: float) -> None:
        if resume > self._resume:
            self._resume = resume
            self._paused = True

    def _change(self, now: float, rate: float) -> None:
        """Set the rate. The number of calls that are saved up, or taken in advance, stays the same."""
        if self._next > now:
            self._next = now + (self._next - now) * (self._rate / rate)
        self._rate = rate
        self._interval = 1 / rate
        self._slack = self._more * self._interval

    def _allow_at_once(self, burst: int) -> None:
        """Set the size of a burst. Calls that were taken in advance stay taken."""
        self._more = burst - 1
        self._slack = self._more * self._interval
