"""The rule about frames and exceptions.

An exception keeps, through its traceback, each frame that it went through, and so all variables and all callers of that
frame. Futures keep exceptions, and so do log records. A future that failed would keep its executor alive, and whatever
else was outstanding with it. Therefore, wherever an exception out of a user's function may come by:

* The traceback is cut to begin in the user's function: see `without_frames`.
* Functions of ours that stay in it, or that called one which does, empty their frames when they end, in a `finally`:
  `del self, tasks  # see _frames`. A frame that is over keeps no variable that was deleted.
"""

from __future__ import annotations

from typing import TypeVar

__all__: list[str] = []

AnyError = TypeVar("AnyError", bound=BaseException)


def without_frames(error: AnyError, count: int) -> AnyError:
    """`error`, with the first `count` frames, which are ours, taken off its traceback."""
    trace = error.__traceback__
    for _ in range(count):
        trace = trace and trace.tb_next
    return error.with_traceback(trace)
