"""Coroutines that report it when they block their event loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import weakref
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from time import monotonic
from typing import Any, TypeVar, cast

from .._core import log
from .._frames import without_frames

__all__: list[str] = []

A = TypeVar("A")

SLOW_SECONDS = 0.1  # that a step of a coroutine may take without being reported, as in asyncio's debug mode
QUIET_SECONDS = 10.0  # between two reports


class Watched(Coroutine[Any, Any, A]):
    """A coroutine that reports each step, from one await to the next, that takes longer than `SLOW_SECONDS`."""

    def __init__(self, coroutine: Coroutine[Any, Any, A], report: Callable[[float], None]) -> None:
        self._coroutine = coroutine
        self._report = report

    def send(self, value: Any, /) -> Any:
        try:
            return self._stepped(self._coroutine.send, value)
        finally:
            del self, value  # see _frames

    def throw(self, *error: Any) -> Any:
        try:
            return self._stepped(self._coroutine.throw, *error)
        finally:
            del self, error

    def close(self) -> None:
        self._coroutine.close()

    def _stepped(self, step: Callable[..., Any], *arguments: Any) -> Any:
        began = monotonic()
        try:
            return step(*arguments)
        finally:
            seconds = monotonic() - began
            if seconds > SLOW_SECONDS:
                self._report(seconds)
            del self, step, arguments

    def __getattr__(self, name: str) -> Any:  # cr_frame and the like, for who looks
        return getattr(self._coroutine, name)

    def __await__(self) -> Generator[Any, Any, A]:
        send, argument = self.send, None
        try:
            while True:
                try:
                    awaited = send(argument)
                except StopIteration as stop:
                    return cast("A", stop.value)
                try:
                    send, argument = self.send, (yield awaited)
                except GeneratorExit:
                    raise
                except BaseException as error:  # thrown in here: without this frame it goes on
                    send, argument = self.throw, without_frames(error, 1)
        finally:
            self.close()
            del self, send, argument


class BlockingReports:
    """Logs which functions block the event loop of `owner`, at WARNING, and at most once in `QUIET_SECONDS`."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._quiet_until = -QUIET_SECONDS
        self._logger: Callable[[], logging.Logger | None] = lambda: None

    def watched(self, coroutine: Coroutine[Any, Any, A], function: object, logger: logging.Logger) -> Watched[A]:
        """A coroutine that does what `coroutine` does, and reports steps that block the loop as `function`'s."""
        self.report_to(logger)
        return Watched(coroutine, partial(self.report, function))

    def report_to(self, logger: logging.Logger) -> None:
        """Log to `logger` from now on. Weakly: what keeps this must not lead to what a logger may keep, as errors."""
        with contextlib.suppress(TypeError):
            self._logger = weakref.ref(logger)

    def make_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        """The task factory of the loop: has the tasks that users' coroutines create report blocking steps too."""
        if inspect.iscoroutine(coroutine):
            coroutine = Watched(coroutine, partial(self.report, coroutine))
        return asyncio.Task(coroutine, loop=loop, **options)

    def report(self, function: object, seconds: float) -> None:
        """Log that a step of `function`, or of a coroutine, took so many seconds."""
        now = monotonic()
        logger = self._logger() or logging.getLogger(__name__)
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            name = getattr(function, "__qualname__", None) or repr(function)
            message = "%s blocked the event loop of %s for %.2f s: what waits in it should be awaited"
            log(logger, logging.WARNING, message, name, self._owner, seconds)
