"""One call of a function that cancels: through the gate, and on the loop if it is an `async def`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from .._callables import done_by, is_async
from .._runtime.loop_resource import LoopResource
from .._runtime.loop_thread import LoopThread
from ..rate_limit import Throttled
from ._cancel_line import CancelLine
from ._gate import CallGate

__all__: list[str] = []

TRIES = 10  # for a request that nobody waits for, or that is for many, if it is throttled
SECONDS_TO_WAIT = 60.0  # in all, for a call to be let through


class Patience:
    """How often a request is still made, and how long it waits for that, in all. Time in line does not count."""

    def __init__(self) -> None:
        self._tries = TRIES
        self._seconds = SECONDS_TO_WAIT

    def take(self, gate: CallGate) -> None:
        """Wait for a call. Raises Throttled or TimeoutError if that takes too long."""
        began = monotonic()
        gate.take(self._seconds)
        self._seconds -= monotonic() - began

    async def take_on_loop(self, gate: CallGate) -> None:
        """The same, in a coroutine."""
        began = monotonic()
        await gate.take_on_loop(self._seconds)
        self._seconds -= monotonic() - began

    def use_up(self, error: Throttled) -> None:
        """A try came to nothing; raises `error` if there is to be none after it."""
        self._tries -= 1
        if not self._tries or (error.retry_after or 0.0) > self._seconds:
            raise error


class CancelCalls:
    """Calls `function`, with one result, or with a list of them if it cancels `many`. May be used from any thread."""

    def __init__(
        self, function: Callable[[Any], Any], many: bool, gate: CallGate, loop: LoopThread, resource: LoopResource
    ) -> None:
        self.is_async = is_async(function)
        self.many = many
        self._function = function
        self._gate = gate
        self._loop = loop
        self._resource = resource
        self._line = CancelLine()
        self._line_on_loop = asyncio.Lock()

    def is_on_own_loop(self) -> bool:
        """Whether this is the thread of the loop that the function runs on: it cannot be waited for here."""
        return self.is_async and self._loop.is_current()

    def once(self, argument: Any, taken: bool = False) -> Any:
        """What the function answers, asked once.

        `taken` says that a call has been taken from the gate. Raises Throttled and TimeoutError, as that does, and what
        the function raises.
        """
        try:
            if not (taken or self.is_on_own_loop()):
                self._gate.take(SECONDS_TO_WAIT)
            return self._called(argument)
        finally:
            del self, argument  # see _frames

    def persistently(self, results: list[Any]) -> list[bool]:
        """Which of `results` are cancelled; asked again while that is throttled, `TRIES` times and a minute at most.

        Raises the same as `once`, and ValueError if the answer makes no sense.
        """
        patience = Patience()
        try:
            while True:
                if not (self.is_on_own_loop() or self._gate.take_now()):
                    self._line.run_in_turn(partial(patience.take, self._gate))
                try:
                    return self.checked(self._called(self._argument(results)), results)
                except Throttled as error:
                    patience.use_up(error)
        finally:
            del self, results

    async def persistently_on_loop(self, results: list[Any]) -> list[bool]:
        """The same of an `async def`, on the loop."""
        patience = Patience()
        try:
            while True:
                async with self._line_on_loop:
                    await patience.take_on_loop(self._gate)
                began = self._gate.now()
                try:
                    answer = await self._called_on_loop(self._argument(results))
                    answer = done_by(self._function, answer, iterated=self.many)
                except Throttled as error:
                    self._gate.throttled(began, error)
                    patience.use_up(error)
                else:
                    self._gate.succeeded(began)
                    return self.checked(answer, results)
        finally:
            del self, results

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
        began = self._gate.now()
        try:
            if self.is_async:
                answer = self._loop.wait_for(partial(self._called_on_loop, argument))
            else:
                answer = done_by(self._function, self._function(argument), iterated=self.many)
            self._gate.succeeded(began)
            return answer
        except Throttled as error:
            self._gate.throttled(began, error)
            raise
        finally:
            del self, argument

    async def _called_on_loop(self, argument: Any) -> Any:
        try:
            if not self._resource.is_open:
                await self._resource.open()
            return await self._function(argument)
        finally:
            del self, argument  # see _frames
