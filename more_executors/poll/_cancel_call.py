"""One call of a function that cancels: within the rate limit, and on the loop if it is an `async def`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import RLock
from time import monotonic, sleep
from typing import Any

from .._callables import done_by, is_async
from .._runtime.loop_resource import LoopResource
from .._runtime.loop_thread import LoopThread
from ..rate_limit import RateLimit, Throttled

__all__: list[str] = []

TRIES = 10  # for a request that nobody waits for, or that is for many, if it is throttled
SECONDS_TO_WAIT = 60.0  # for the rate limit to let a call go, and for a service to stop throttling
SECONDS_WHEN_THROTTLED = 1.0


class CancelCalls:
    """Calls `function`, with one result, or with a list of them if it cancels `many`. May be used from any thread."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        many: bool,
        rate_limit: RateLimit | None,
        loop: LoopThread,
        resource: LoopResource,
    ) -> None:
        self.is_async = is_async(function)
        self.many = many
        self._function = function
        self._rate_limit = rate_limit
        self._loop = loop
        self._resource = resource
        # Of those who ask persistently one at a time stands in the line of the limit: the time that each is ready to
        # wait begins when it is the next. Re-entrant, as a signal handler may ask, too.
        self._line = RLock()
        self._line_on_loop = asyncio.Lock()

    def take_if_free(self) -> bool:
        """Take a call if the rate limit has one now."""
        return self._rate_limit is None or self._rate_limit.take(0)

    def once(self, argument: Any, taken: bool = False) -> Any:
        """What the function answers. `taken` says that a call has been taken. Raises Throttled, and what it raises."""
        if not taken:
            self._take()
        return self._called(argument)

    def persistently(self, results: list[Any]) -> list[bool]:
        """Which of `results` are cancelled; it is asked again while it is throttled, but not for ever."""
        for pause in pauses():
            with self._line:
                self._take()
            try:
                return self.checked(self._called(self._argument(results)), results)
            except Throttled as throttled:
                seconds = pause(throttled)
                if self._rate_limit is None:  # else that has been told
                    sleep(seconds)
        raise AssertionError

    async def persistently_on_loop(self, results: list[Any]) -> list[bool]:
        """The same of an `async def`, on the loop."""
        for pause in pauses():
            async with self._line_on_loop:
                await self._take_on_loop()
            began = self._now()
            try:
                answer = done_by(
                    self._function, await self._called_on_loop(self._argument(results)), iterated=self.many
                )
            except Throttled as throttled:
                self._throttled(began, throttled)
                seconds = pause(throttled)
                if self._rate_limit is None:
                    await asyncio.sleep(seconds)
            else:
                self._succeeded(began)
                return self.checked(answer, results)
        raise AssertionError

    def _argument(self, results: list[Any]) -> Any:
        return results if self.many else results[0]

    def checked(self, answer: Any, results: list[Any]) -> list[bool]:
        """The truth values that `answer` stands for. Raises ValueError if they are not as many as `results`."""
        if not self.many:
            return [bool(answer)]
        found = [bool(each) for each in answer]
        if len(found) != len(results):
            raise ValueError(f"cancel_many_fn must return {len(results)} truth values, not {len(found)}")
        return found

    def _called(self, argument: Any) -> Any:
        began = self._now()
        try:
            if self.is_async:
                answer = self._loop.wait_for(lambda: self._called_on_loop(argument))
            else:
                answer = done_by(self._function, self._function(argument), iterated=self.many)
        except Throttled as throttled:
            self._throttled(began, throttled)
            raise
        self._succeeded(began)
        return answer

    async def _called_on_loop(self, argument: Any) -> Any:
        try:
            if not self._resource.is_open:
                await self._resource.open()
            return await self._function(argument)
        finally:
            del self, argument  # see _frames

    # -- the rate limit ------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        if self._rate_limit is not None and not self._rate_limit.take(SECONDS_TO_WAIT):
            raise not_asked()

    async def _take_on_loop(self) -> None:
        if self._rate_limit is None:
            return
        deadline = monotonic() + SECONDS_TO_WAIT
        while (seconds := self._rate_limit.try_take()) > 0:
            if monotonic() + seconds > deadline:
                raise not_asked()
            await asyncio.sleep(seconds)

    def _now(self) -> float:
        return 0.0 if self._rate_limit is None else self._rate_limit.clock()

    def _succeeded(self, began: float) -> None:
        if self._rate_limit is not None:
            self._rate_limit.succeeded(began)

    def _throttled(self, began: float, throttled: Throttled) -> None:
        if self._rate_limit is not None:
            self._rate_limit.throttled(began, throttled.retry_after)


def pauses() -> Iterator[Callable[[Throttled], float]]:
    """For each try, what gives the seconds to pause if it was throttled, or raises that if it is to be the last."""
    deadline = monotonic() + SECONDS_TO_WAIT

    def pause(throttled: Throttled) -> float:
        seconds = SECONDS_WHEN_THROTTLED if throttled.retry_after is None else throttled.retry_after
        if tries == TRIES or monotonic() + seconds > deadline:
            raise throttled
        return seconds

    tries = 0
    while tries < TRIES:
        tries += 1
        yield pause


def not_asked() -> TimeoutError:
    return TimeoutError(f"not asked: the rate limit allows no call for {SECONDS_TO_WAIT:g} s")
