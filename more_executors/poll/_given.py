"""Tasks with keys that exist already: what stands for the function that would start them, and for the delegate."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .._core import Future

__all__: list[str] = []


class Given:
    """In the place of a function that starts a task: returns what is known of it."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def __call__(self, token: str | None = None) -> Any:
        return self._result


class CalledLater:
    """In the place of the delegate: keeps what is submitted until `call_all`, on the thread that calls that.

    So it is put on record of all of them that they are meant, before it is waited for that of the first.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def submit(self, fn: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._calls.append((future, fn))
        return future

    def call_all(self) -> None:
        """Make the calls, in order. Whatever comes, the futures are done then."""
        try:
            while self._calls:
                end_as(*self._calls.popleft())
        finally:  # after a Ctrl-C there are some left
            while self._calls:
                self._calls.pop()[0].cancel()


def end_as(future: Future[Any], fn: Callable[[], Any]) -> None:
    """End `future` as a call of `fn` ends, unless it is cancelled."""
    try:
        if future.set_running_or_notify_cancel():
            future.set_result(fn())
    except BaseException as error:
        future.set_exception(error)
        if not isinstance(error, Exception):
            raise
    finally:
        del future, fn  # see _frames
