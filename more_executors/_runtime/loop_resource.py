"""What the functions on an event loop share, such as a client: opened before the first call, closed after the last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from .._core import log
from .loop_thread import LoopThread

__all__: list[str] = []

Hook: TypeAlias = Callable[[], Coroutine[Any, Any, object]]


class LoopResource:
    """Awaits `open_fn` before the first call on `loop`, and `close_fn` when the loop ends.

    `loop` does not refer to this until it is closed: so functions of the user's do not live as long as its
    thread does.
    """

    def __init__(self, loop: LoopThread, open_fn: Hook | None, close_fn: Hook | None, logger: logging.Logger) -> None:
        self.is_open = open_fn is None and close_fn is None  # there is nothing to do before a call
        self._loop = loop
        self._open_fn = open_fn
        self._close_fn = close_fn
        self.has_close_fn = close_fn is not None
        self._logger = logger
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Await `open_fn`, unless that has succeeded before. Raises what it raises. Runs on the loop."""
        try:
            async with self._opening:
                if self.is_open:
                    return
                if self._open_fn is not None:
                    await self._loop.watched(self._open_fn(), self._open_fn, self._logger)
                self.is_open = True
        finally:
            del self  # see _frames

    def close_with_loop(self) -> None:
        """Close the loop, and await `close_fn` there when all else is over. Waits for nothing."""
        self._loop.close(None if self._close_fn is None else self._close)

    async def _close(self) -> None:
        close_fn, self._close_fn = self._close_fn, None
        if close_fn is None or not self.is_open:
            return
        try:
            await self._loop.watched(close_fn(), close_fn, self._logger)
        except BaseException as error:
            if self._loop.has_cancelled(error):
                raise
            log(self._logger, logging.ERROR, "Exception in close_fn %r", close_fn, error=error)
        finally:
            del self, close_fn


class ClosedWhenDropped:
    """Closes a resource and its loop when nobody refers to this any more.

    No `weakref.finalize`: that would keep the functions of the resource alive, which may refer to the executor. When a
    garbage collection finds both, `__del__` still has them whole.
    """

    def __init__(self, resource: LoopResource) -> None:
        self._resource = resource

    def __del__(self) -> None:
        self._resource.close_with_loop()
