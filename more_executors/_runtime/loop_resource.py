"""What the functions on an event loop share, such as a client: opened before the first call, closed after the last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from .._core import log
from .._types import Hook
from .loop_thread import LoopThread

__all__: list[str] = []


class LoopResource:
    """Awaits `open_fn` before the first call on `loop`, and `close_fn` when the loop ends.

    `loop` does not refer to this until it is closed: so functions of the user's do not live as long as its
    thread does.
    """

    def __init__(self, loop: LoopThread) -> None:
        self.is_open = True  # there is nothing to do before a call
        self._loop = loop
        self._open_fn: Hook = None
        self._close_fn: Hook = None
        self._has_hooks = False
        self._was_opened = False  # `open` has succeeded
        self._opening = asyncio.Lock()

    def set_hooks(self, open_fn: Hook, close_fn: Hook, logger: logging.Logger, name: str) -> None:
        """Await these from now on. Raises ValueError if there are some; `name` is what the loop is called there."""
        if self._has_hooks:
            what = "open_fn and close_fn: give both to one of the executors that share an event loop, here that of"
            raise ValueError(f"{what} {name}")
        self._open_fn, self._close_fn, self._logger = open_fn, close_fn, logger
        self._has_hooks = True
        self.is_open = False

    def withdraw_hooks(self) -> None:
        """Await them no more, unless they are awaited already."""
        if not (self._was_opened or self._opening.locked()):
            self._open_fn = self._close_fn = None
            self._has_hooks = False
            self.is_open = True

    async def open(self) -> None:
        """Await `open_fn`, unless that has succeeded before. Raises what it raises. Runs on the loop."""
        try:
            async with self._opening:
                if self.is_open:
                    return
                open_fn, close_fn = self._open_fn, self._close_fn
                if open_fn is not None:
                    await self._loop.watched(open_fn(), open_fn, self._logger)
                self._close_fn = close_fn  # whatever was withdrawn meanwhile
                self.is_open = self._was_opened = True
        finally:
            del self  # see _frames

    def called_once_open(
        self, fn: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """A coroutine that awaits `fn(*args, **kwargs)` when it is open."""
        return call_once_open(self, fn, args, kwargs)

    def close_with_loop(self) -> None:
        """Close the loop, and await `close_fn` there when all else is over. Waits for nothing."""
        self._loop.close(None if self._close_fn is None else self._close)

    async def _close(self) -> None:
        close_fn, self._close_fn = self._close_fn, None
        if close_fn is None or not self._was_opened:
            return
        try:
            await self._loop.watched(close_fn(), close_fn, self._logger)
        except BaseException as error:
            if self._loop.has_cancelled(error):
                raise
            log(self._logger, logging.ERROR, "Exception in close_fn %r", close_fn, error=error)
        finally:
            del self, close_fn


async def call_once_open(
    resource: LoopResource, fn: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    try:
        await resource.open()
        return await fn(*args, **kwargs)
    finally:
        del resource, fn, args, kwargs  # see _frames
