"""The share of a rate limit that one shard has, on its worker.

Guarantees:

* No call is let through before the client has given a share, nor after the lease is over: that is looked at right
  before each call.
* What the service throttles is held back here at once, and told to the client, which lowers the shares of all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from math import inf
from typing import Any

from ...rate_limit import RateLimit, Throttled
from ...rate_limit._checks import checked_pause, checked_time
from ...rate_limit._waiter import Waiter
from ._host_events import LeaseOver
from ._share import Share, ShareReport

__all__: list[str] = []

SECONDS_WITHOUT_SHARE = 1.0  # after which to ask again, where there is no share: whoever hears of one asks at once

_is_starting = ContextVar("_is_starting", default=False)


def call_as_start(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `fn`, which starts tasks: it is given up if the lease ends before it has a call of a limit."""
    token = _is_starting.set(True)
    try:
        return fn(*args, **kwargs)
    finally:
        _is_starting.reset(token)


async def await_as_start(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The same for an `async def`."""
    token = _is_starting.set(True)
    try:
        return await fn(*args, **kwargs)
    finally:
        _is_starting.reset(token)


class ShareLimit(RateLimit):
    """A RateLimit whose limit is what a client says. All methods may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(1.0, clock=clock)
        self.check_lease: Callable[[], object] = refuse  # raises LeaseOver
        self.when_throttled: Callable[[], object] = bool
        self._has_share = False
        self._version = 0
        self._epoch = 0
        self._epoch_since = -inf
        self._works = False
        self._successes = 0
        self._is_throttled = False
        self._pauses = 0
        self._asked_until = -inf  # by the service, for no calls

    # -- for the shard ------------------------------------------------------------------------------------------------

    def apply(self, share: Share) -> None:
        """Have `share`, unless it is an old one."""
        self._do(partial(self._apply, share, self._clock()))
        self._listeners.call()

    def report(self) -> ShareReport:
        """What the client is told."""
        pause = max(0.0, self._asked_until - self._clock())
        with self._lock:
            counts = (self._works, self._successes, self._is_throttled, self._pauses)
            return ShareReport(self._version, self._epoch, *counts, pause)

    @property
    def is_throttled(self) -> bool:
        """Whether the client is to lower the limit, and has not yet."""
        return self._is_throttled

    def wake_all(self) -> None:
        """Have those who wait look whether the lease is over."""
        self._do(self._wake_all)
        self._listeners.call()

    # -- what a RateLimit does ----------------------------------------------------------------------------------------

    def try_take(self) -> float:
        """See RateLimit. Raises what says that the lease is over, where a task is being started."""
        try:
            self.check_lease()
        except RuntimeError:
            if _is_starting.get():
                raise
            return SECONDS_WITHOUT_SHARE
        return min(super().try_take(), SECONDS_WITHOUT_SHARE)

    def take(self, timeout: float | None = None) -> bool:
        """See RateLimit. Once the lease is over, raises where that would wait for ever, and where a task is started."""
        try:
            self.check_lease()
            return super().take(timeout)
        except LeaseOver as error:
            if _is_starting.get():
                raise
            if timeout is None:
                raise Throttled(SECONDS_WITHOUT_SHARE) from error  # no task fails because of that
            return False

    def succeeded(self, began: float) -> None:
        """See RateLimit."""
        if checked_time(began) > self._epoch_since:
            self._do(self._count_success)

    def throttled(self, began: float, retry_after: float | None = None) -> None:
        """See RateLimit. The client lowers the shares of all shards."""
        began = checked_time(began)
        pause = 0.0 if retry_after is None else checked_pause(retry_after)
        self._do(partial(self._throttle, began, self._clock(), pause))
        self.when_throttled()

    def change(self, calls: float | None = None, per: float = 1.0, *, burst: int | None = None) -> None:
        """Raise RuntimeError: it is the client that has the limit."""
        raise RuntimeError("change: this is the share of a shard; change the RateLimit that its client was given")

    # -- with the lock, but for the last ------------------------------------------------------------------------------

    def _apply(self, share: Share, now: float) -> None:
        if share.version <= self._version:
            return
        self._version = share.version
        if share.epoch != self._epoch:
            self._epoch, self._epoch_since = share.epoch, now
            self._works = self._is_throttled = False
            self._successes = 0
        self._has_share = share.rate > 0.0
        if self._has_share:
            self._limit = share.rate
            self._change(now, share.rate / 2 if self._is_throttled else share.rate)
            self._allow_at_once(share.burst)
        if share.pause > 0.0:
            self._pause_until(now + share.pause)
        self._turn_at = now
        self._wake_first()

    def _throttle(self, began: float, now: float, pause: float) -> None:
        resume = now + pause
        if began > self._epoch_since and not self._is_throttled:
            self._is_throttled = True
            self._change(now, self._rate / 2)
            resume = max(resume, now + self._interval)
        if pause > 0.0:
            self._pauses += 1
            self._asked_until = max(self._asked_until, now + pause)
        self._pause_until(resume)

    def _count_success(self) -> None:
        self._works = True
        if self._pressed:
            self._successes += 1

    def _due(self) -> float:
        return super()._due() if self._has_share else inf

    def _wake_all(self) -> None:
        for waiter in self._line:
            waiter.set()

    def _stand_in_line(self, waiter: Waiter, now: float) -> float:
        self.check_lease()
        return super()._stand_in_line(waiter, now)


def refuse() -> None:
    raise RuntimeError("take: the limit of a shard lets no calls through before the shard is made")
