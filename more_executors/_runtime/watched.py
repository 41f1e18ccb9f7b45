"""A coroutine that is watched, so that one that blocks its event loop is found."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from time import monotonic
from typing import Any, TypeVar, cast

from .._frames import without_frames

__all__: list[str] = []

A = TypeVar("A")

SLOW_SECONDS = 0.1  # that a step of a coroutine may take without being reported, as in asyncio's debug mode


class Watched(Coroutine[Any, Any, A]):
    """A coroutine that reports each of its steps, from one await to the next, that takes too long."""

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
