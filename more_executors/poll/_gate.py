"""When the service may be called: one gate for polls and cancels.

Guarantees:

* No call begins before a pause is over that the service asked for, in a poll or in a cancel.
* The clock of a rate limit, which may be the user's, is called with no lock held.
"""

from __future__ import annotations

from asyncio import sleep as sleep_on_loop
from collections.abc import Callable
from time import monotonic, sleep

from .._core import Pause
from ..rate_limit import RateLimit, Throttled
from ..rate_limit._checks import checked_pause as checked_retry_after
from ._change_signal import ChangeSignal, sleep_unless

__all__: list[str] = []

SECONDS_WHEN_THROTTLED = 1.0  # to leave a service alone that did not say how long, where there is no rate limit


class CallGate:
    """Lets the calls of one executor through: within its rate limit, and not in a pause that the service asked for.

    All methods may be called from any thread.
    """

    def __init__(self, rate_limit: RateLimit | None) -> None:
        self.pause = Pause()  # where there is no rate limit: a limit has pauses itself
        self._limit = rate_limit
        self._changed = ChangeSignal()  # for coroutines that wait
        self.when_changed: Callable[[], object] = bool  # called when another limit was set, from any thread
        if rate_limit is not None:
            rate_limit._listeners.add(self._limit_has_changed)

    def _limit_has_changed(self) -> None:
        self.when_changed()
        self._changed.set()

    def may_hold_back(self) -> bool:
        """Whether `take` may have to wait."""
        return self._limit is not None or self.seconds_of_pause() > 0.0

    def seconds_of_pause(self) -> float:
        """How long the pause still is, where there is no rate limit; 0.0 if there is none."""
        return max(0.0, self.pause.until - monotonic())

    def try_take(self) -> float:
        """Take a call without waiting: returns 0.0 if there is one, else the seconds after which to ask again.

        Who is refused has a place in the line of the rate limit.
        """
        seconds = self.seconds_of_pause()
        return seconds if seconds > 0.0 or self._limit is None else self._limit.try_take()

    def take_now(self) -> bool:
        """Take a call if there is one now; who is refused has no place in the line."""
        return self.seconds_of_pause() == 0.0 and (self._limit is None or self._limit.take(0))

    def take(self, seconds: float) -> None:
        """Wait for a call, for so many seconds at most, and take it.

        Raises Throttled at once if the pause is longer, and TimeoutError when the rate limit allows none in time.
        """
        deadline = monotonic() + seconds
        while (pause := self.seconds_of_pause()) > 0.0:
            sleep(checked_pause(pause, deadline))
        if self._limit is not None and not self._limit.take(max(0.0, deadline - monotonic())):
            raise no_call()

    async def take_on_loop(self, seconds: float) -> None:
        """The same, in a coroutine."""
        deadline = monotonic() + seconds
        while (pause := self.seconds_of_pause()) > 0.0:
            await sleep_on_loop(checked_pause(pause, deadline))
        while self._limit is not None:
            with self._changed.heard() as changed:  # first: what comes after a refusal is heard
                if (wait := self._limit.try_take()) <= 0.0:
                    return
                if monotonic() + wait > deadline:
                    raise no_call()
                await sleep_unless(changed, wait)

    def now(self) -> float:
        """The time when a call begins, for `succeeded` and `throttled`."""
        return 0.0 if self._limit is None else self._limit.clock()

    def succeeded(self, began: float) -> None:
        """A call that began then was not one too many."""
        if self._limit is not None:
            self._limit.succeeded(began)

    def throttled(self, began: float, error: Throttled) -> None:
        """A call that began then was one too many: `error` came out of it.

        Raises TypeError or ValueError if its `retry_after`, which may have been set by hand, is no time that ends.
        """
        if self._limit is not None:
            self._limit.throttled(began, error.retry_after)
        else:
            seconds = error.retry_after
            seconds = SECONDS_WHEN_THROTTLED if seconds is None else checked_retry_after(seconds)
            self.pause.extend(monotonic() + seconds)


def checked_pause(seconds: float, deadline: float) -> float:
    """`seconds`; raises Throttled if they do not end by `deadline`."""
    if monotonic() + seconds > deadline:
        raise Throttled(seconds)
    return seconds


def no_call() -> TimeoutError:
    return TimeoutError("not asked: the rate limit allows no call in time")
