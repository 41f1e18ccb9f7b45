"""The requests of one call of an async `EachStatus`, and those that calls did not wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeAlias

from .._core import PollDescriptor
from ..rate_limit import Throttled
from ._request_line import RequestLine

__all__: list[str] = []

SECONDS_FOR_THE_LAST = 1.0  # that a call waits for its requests when all of them are under way

Descriptor: TypeAlias = PollDescriptor[Any, Any]


class LeftBehind:
    """The requests that go on although their call is over, and the errors of those that have failed since.

    Used from the loops of all executors that have the same poll function; a descriptor is of one of them.
    """

    def __init__(self, most: int) -> None:
        """At most `most` of them go on at a time, on one loop."""
        self._many = 2 * most
        self._errors: dict[Descriptor, BaseException | None] = {}  # None while a request goes on
        self.throttles = 0  # how often a service has said that there are too many requests

    def add(self, descriptor: Descriptor) -> None:
        """A call does not wait any more for the request for it."""
        self._errors[descriptor] = None

    def ended(self, descriptor: Descriptor, error: BaseException | None) -> None:
        """The request for it is over. If it failed, the next call is to say so."""
        if error is None or descriptor.done:
            self._errors.pop(descriptor, None)
        else:
            self._errors[descriptor] = error

    def has(self, descriptor: Descriptor, errors: dict[Descriptor, BaseException]) -> bool:
        """Whether a call is not to ask about it: a request goes on, or has failed, which is put in `errors`."""
        if not self._errors or descriptor not in self._errors:
            return False
        error = self._errors[descriptor]
        if error is not None:
            del self._errors[descriptor]
            errors[descriptor] = error
        if len(self._errors) > self._many:
            for one in [one for one in self._errors if one.done]:
                self._errors.pop(one, None)
        return True


class ConcurrentRequests:
    """The requests of one call."""

    def __init__(
        self,
        ask: Callable[[Descriptor], Coroutine[Any, Any, BaseException | None]],
        line: RequestLine,
        left_behind: LeftBehind,
        descriptors: list[Descriptor],
        name: str,
    ) -> None:
        """`ask(descriptor)` makes one and returns what went wrong, or None. They begin when it is their turn in `line`.

        `name` is that of the function that `ask` calls, for reports.
        """
        self._name = name
        self._ask = ask
        self._line = line
        self._left_behind = left_behind
        self._throttles = left_behind.throttles
        self._to_ask = iter(descriptors)
        self._waiting = len(descriptors)  # for their requests to begin
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._have_begun = asyncio.Event()  # all of them; or there is a fault
        self._have_ended = asyncio.Event()  # those that have begun
        self._workers = 0
        self._under_way: set[Descriptor] = set()
        self._errors: dict[Descriptor, BaseException] = {}
        self._fault: BaseException | None = None
        self._is_over = False
        self._is_cancelled = False

    async def make(self) -> dict[Descriptor, BaseException]:
        """Make the requests; returns those that failed, by their descriptors.

        When all are under way, it waits for the last of them for a second, and leaves them behind then.
        """
        try:
            self._line.join(self)
            await self._have_begun.wait()
            if self._workers:
                await self._wait_for_the_last()
            if self._fault is not None:
                raise self._fault
            self._is_over = True
            for descriptor in self._under_way:
                self._left_behind.add(descriptor)
            return self._errors
        except BaseException:
            self._is_cancelled = True
            self._to_ask = iter(())
            self._line.cancel(self)
            raise
        finally:
            self._fault = None
            del self

    async def _wait_for_the_last(self) -> None:
        timer = self._loop.call_later(SECONDS_FOR_THE_LAST, self._have_ended.set)
        try:
            await self._have_ended.wait()
        finally:
            timer.cancel()
            del self

    def start_worker(self) -> asyncio.Task[None] | None:
        """See `MakesRequests`."""
        descriptor = coroutine = None
        try:
            descriptor = self._next()
            if descriptor is None:
                return None
            coroutine = self._work(descriptor)
            worker = self._context.run(self._make_task, coroutine)
            self._workers += 1
            return worker
        except BaseException as fault:
            if coroutine is not None:
                coroutine.close()
            self._failed(fault)
            return None
        finally:
            del self, descriptor, coroutine

    def worker_ended(self) -> None:
        """See `MakesRequests`."""
        self._workers -= 1
        if self._workers == 0:
            self._have_ended.set()

    def _make_task(self, coroutine: Any) -> asyncio.Task[None]:
        # The loop reports what blocks it in tasks that it makes itself. That costs as much as all else: one is enough.
        if self._workers:
            return asyncio.Task(coroutine, loop=self._loop)
        coroutine.__qualname__ = self._name
        return self._loop.create_task(coroutine)

    def _next(self) -> Descriptor | None:
        """The next task to ask about, if there is one."""
        for descriptor in self._to_ask:
            self._waiting -= 1
            if self._is_to_be_asked(descriptor):
                break
        else:
            descriptor = None
        if self._waiting == 0:
            self._have_begun.set()
        return descriptor

    def _is_to_be_asked(self, descriptor: Descriptor) -> bool:
        if descriptor.done or self._left_behind.has(descriptor, self._errors):
            return False
        if self._left_behind.throttles != self._throttles:  # since the begin of the call
            self._errors[descriptor] = Throttled()
            return False
        return True

    async def _work(self, descriptor: Descriptor | None) -> None:
        error = None
        try:
            while descriptor is not None:
                self._under_way.add(descriptor)
                try:
                    error = await self._ask(descriptor)
                except asyncio.CancelledError as cancelled:
                    if self._is_cancelled:
                        raise
                    error = cancelled  # out of the user's function
                finally:
                    self._under_way.discard(descriptor)
                if error is not None or self._is_over:
                    self._has_ended(descriptor, error)
                # First of all, what else has ended meanwhile is resolved. A request that is sent here would let the
                # thread have the GIL that waits for the one future, which would have to sleep again for the next.
                await asyncio.sleep(0)
                descriptor = self._next()
        except GeneratorExit:  # there is no loop any more
            raise
        except BaseException as fault:
            self._failed(fault)
        finally:
            del self, descriptor, error  # see _frames

    def _has_ended(self, descriptor: Descriptor, error: BaseException | None) -> None:
        if isinstance(error, Throttled):
            self._left_behind.throttles += 1
        if self._is_over:
            self._left_behind.ended(descriptor, error)
        elif error is not None:
            self._errors[descriptor] = error

    def _failed(self, fault: BaseException) -> None:
        self._fault = fault
        self._to_ask = iter(())
        self._have_begun.set()
        self._have_ended.set()
