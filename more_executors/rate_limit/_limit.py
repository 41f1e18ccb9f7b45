"""How many calls a second go to a service.

Guarantees:

* In any `per` seconds at most `burst + calls` calls are let through, whatever the rate in force was meanwhile; where
  the limit was changed, as many as the highest `burst`, and as each limit allows for as long as it held.
* No call is let through before a `retry_after` is over.
* Those who wait in `take` are served in order. A `try_take` that is refused while some wait stands in line with them,
  so neither keeps the other from calling.
* A signal handler, or a destructor, that interrupts any of this never waits for what it interrupted.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from math import inf
from threading import TIMEOUT_MAX, RLock, get_ident

from .._callables import checked_clock
from .._checks import checked_number, refuse_copy
from .._core import InUse
from ._ceiling import RateCeiling
from ._checks import checked_burst, checked_pause, checked_rate, checked_time
from ._fork import call_in_forked_child
from ._listeners import Listeners
from ._spaced_calls import SpacedCalls
from ._waiter import Waiter

__all__ = ["RateLimit"]

CLAIM_SECONDS = 0.05  # that those in line wait for a `try_take` whose turn it is
EARLY = 1e-9  # seconds that a call may be early, for what is lost in sums of floats


class RateLimit(SpacedCalls):
    """Lets so many calls go to a service, evenly spaced, and fewer while the service says that they are too many.

        limit = RateLimit(50, per=1.0)
        with PollExecutor(ThreadPoolExecutor(), poll, rate_limit=limit) as executor:
            ...

    `try_take` and `take` ask for one call. `succeeded` and `throttled` say how it went, and so set the rate in force,
    `rate`. When a call is throttled, the rate is halved: once for all the calls that were on their way then. Calls
    that succeed bring it quickly back to 0.9 times the rate at which it was throttled; from there on it rises by very
    small steps, and by longer and longer ones once it is above that rate, up to `limit`. It rises only while it is
    what holds calls back. `change` sets another limit.

    One object may be shared by any number of executors and threads; all methods may be called from any thread. It has
    no thread of its own. Every operation takes constant time, about a microsecond.
    """

    def __init__(
        self, calls: float, per: float = 1.0, *, burst: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make it.

        Args:
            calls: how many calls there may be in `per` seconds, more than 0.
            per: seconds, more than 0.
            burst: how many calls may be made at once, after a time without; 1 to 10**15.
            clock: gives the time in seconds, and never goes back.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        self._limit = checked_rate(calls, per)
        super().__init__(self._limit, checked_burst(burst))
        self._clock = checked_clock(clock)
        self._listeners = Listeners()  # to be called after each `change`
        self._lock = RLock()  # guards all that follows, and lets in what interrupts its owner: that finds it busy
        self._busy = InUse()
        self._later: deque[Callable[[], object]] = deque()  # what came in the middle of a call, to be called after it
        self._ceiling = RateCeiling(self._limit)
        self._line: OrderedDict[Waiter, None] = OrderedDict()  # who waits in `take`
        self._threads: set[int] = set()  # theirs
        self._joined = 0  # how many ever have
        self._ahead: int | None = None  # how many of them are ahead of `try_take`, if that stands in line
        self._claimed = 0  # `_joined` as it went there
        self._turn_at = -inf  # when it came to be first
        call_in_forked_child(self._begin_anew)

    @property
    def limit(self) -> float:
        """The most calls a second: `calls / per`."""
        return self._limit

    @property
    def rate(self) -> float:
        """The calls a second now; never 0, and not more than `limit`."""
        return self._rate

    @property
    def burst(self) -> int:
        """How many calls may be made at once, after a time without."""
        return self._more + 1

    @property
    def clock(self) -> Callable[[], float]:
        """The function that gives the time, in seconds: for `succeeded` and `throttled`."""
        return self._clock

    __reduce_ex__ = refuse_copy(  # a copy would let as many calls through again
        "share it, or send another process a function that makes one for its share of the calls"
    )

    def __repr__(self) -> str:
        return f"<RateLimit of {self._limit:g} calls/s, {self._rate:g} now>"

    def try_take(self) -> float:
        """Take a call if there is one now, without waiting.

        Returns 0.0 if there is: go on and call. Else, for how many seconds not to ask again; nothing is taken then.
        That may turn out too short, as others take calls, and too long, after `succeeded`.
        """
        now = self._clock()
        with self._lock:
            if self._busy.now:
                return self._interval
            try:
                with self._busy:
                    if self._line:
                        return self._take_in_line(now)
                    wait = self._due() - now
                    if wait > EARLY:
                        self._refused = True
                        return wait
                    self._ahead = None
                    self._take(now)
                    return 0.0
            finally:
                self._catch_up()

    def take(self, timeout: float | None = None) -> bool:
        """Wait until there is a call, and take it: first come, first served.

        Args:
            timeout: for how many seconds to wait at the most; 0 does not wait, None is for ever.

        Returns whether a call was taken. Raises TypeError or ValueError if `timeout` cannot be used, and RuntimeError
        in a signal handler, or a destructor, that would have to wait for what it interrupted. Waiting costs nothing,
        and any number of threads may.
        """
        now = self._clock()
        deadline = now + (inf if timeout is None else checked_number("timeout", timeout))
        with self._lock:
            if self._busy.now or get_ident() in self._threads:
                if now >= deadline:
                    return False
                raise RuntimeError(f"take: {self!r} cannot be waited for here, in the midst of another call of it")
            try:
                with self._busy:
                    if not self._line and self._ahead is None and self._due() - now <= EARLY:
                        self._take(now)
                        return True
            finally:
                self._catch_up()
        waiter = Waiter()
        try:
            while (pause := self._stand_in_line(waiter, now)) > 0 and now < deadline:
                waiter.wait(min(pause, deadline - now, TIMEOUT_MAX))
                now = self._clock()
            self._leave(waiter, now)
            return pause == 0
        except BaseException:  # a Ctrl-C, perhaps in the midst of leaving
            self._leave(waiter, now)
            raise

    def succeeded(self, began: float) -> None:
        """Note that the service accepted a call, whether that failed otherwise or not.

        `began` is what `clock()` said when it began. Raises TypeError if that is no number.
        """
        began = checked_time(began)
        if self._rate == self._limit:
            return
        self._do(partial(self._rise, began, self._clock()))

    def throttled(self, began: float, retry_after: float | None = None) -> None:
        """Note that the service refused a call because of too many: it raised `Throttled`, or the reply was 429.

        Args:
            began: what `clock()` said when it began.
            retry_after: for how many seconds from now there is to be no call, if the service said so.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        began = checked_time(began)
        pause = 0.0 if retry_after is None else checked_pause(retry_after)
        self._do(partial(self._fall, began, self._clock(), pause))

    def change(self, calls: float | None = None, per: float = 1.0, *, burst: int | None = None) -> None:
        """Set another limit, from now on and for all who wait now. What is not given stays.

        Calls that were let through before count on: after a burst, a smaller one is there when that has been made up
        for. The rate in force becomes the new limit if it was the old one; else, as the service throttled calls, it
        stays what it is, at most the new limit. Executors and threads that wait look again at once.

        Args:
            calls: how many calls there may be in `per` seconds from now on, more than 0.
            per: seconds, more than 0.
            burst: how many calls may be made at once, after a time without; 1 to 10**15.

        Raises TypeError or ValueError if one of these cannot be used; then nothing changes.
        """
        rate = checked_rate(1 if calls is None else calls, per)
        most = None if burst is None else checked_burst(burst)
        self._do(partial(self._set_limit, None if calls is None else rate, most, self._clock()))
        self._listeners.call()

    def _do(self, action: Callable[[], object]) -> None:
        """Call `action` now, or after the call of this object that it interrupted."""
        with self._lock:
            self._later.append(action)
            self._catch_up()

    # The lock is held from here on, and taken by `_stand_in_line` and `_leave`.

    def _catch_up(self) -> None:
        """Call the actions that came in the middle of another call, unless that goes on."""
        while self._later and not self._busy.now:
            with self._busy:
                self._later.popleft()()

    def _rise(self, began: float, now: float) -> None:
        if self._ceiling.is_old(began):
            return
        self._ceiling.works(began)
        if self._pressed:
            self._change(now, self._ceiling.rise(self._rate))
            self._wake_first()

    def _fall(self, began: float, now: float, pause: float) -> None:
        resume = now + pause
        if not self._ceiling.is_old(began):
            self._change(now, self._ceiling.fall(self._rate, began, now))
            resume = max(resume, now + self._interval)
        self._pause_until(resume)

    def _set_limit(self, limit: float | None, most: int | None, now: float) -> None:
        if limit is not None:
            rate = self._ceiling.follow(limit, self._rate)
            self._limit = limit
            self._change(now, rate)
        if most is not None:
            self._allow_at_once(most)
        self._turn_at = now  # who is to take a call by `try_take`, and sleeps, is given the time for it
        self._wake_first()

    def _take_in_line(self, now: float) -> float:
        """`try_take` while threads wait in `take`."""
        wait = max(0.0, self._due() - now)
        if self._ahead == 0 and wait <= EARLY:
            self._ahead = None
            self._take(now)
            self._wake_first()
            return 0.0
        if self._ahead is None:
            self._ahead = len(self._line)
            self._claimed = self._joined
        return wait + self._ahead * self._interval

    def _stand_in_line(self, waiter: Waiter, now: float) -> float:
        """Take a call if it is the turn of `waiter`, and return 0; else for how long to wait before asking again."""
        with self._lock:
            try:
                with self._busy:
                    waiter.clear()
                    if waiter not in self._line:
                        self._joined += 1
                        waiter.number = self._joined
                        self._line[waiter] = None
                        self._threads.add(waiter.thread)
                    return self._pause_in_line(waiter, now)
            finally:
                self._catch_up()

    def _pause_in_line(self, waiter: Waiter, now: float) -> float:
        if next(iter(self._line)) is not waiter:
            return inf
        due = self._due()
        if self._ahead == 0:
            claim_ends = max(due, self._turn_at) + CLAIM_SECONDS
            if now < claim_ends:
                return claim_ends - now
            self._ahead = None
        if due - now > EARLY:
            self._refused = True
            return due - now
        self._take(now)
        return 0

    def _leave(self, waiter: Waiter, now: float) -> None:
        with self._lock:
            try:
                with self._busy:
                    if waiter in self._line:
                        self._threads.discard(waiter.thread)
                        if self._ahead and waiter.number <= self._claimed:
                            self._ahead -= 1
                            self._turn_at = now
                        del self._line[waiter]  # last: if this is interrupted, it is called once more
                    self._wake_first()
            finally:
                self._catch_up()

    def _begin_anew(self) -> None:
        """In a forked child: forget the threads that waited, or held the lock, as they are not there."""
        self._lock = RLock()
        self._busy = InUse()
        self._later.clear()
        self._line.clear()
        self._threads.clear()
        self._ahead = None

    def _wake_first(self) -> None:
        if self._line:
            next(iter(self._line)).set()
