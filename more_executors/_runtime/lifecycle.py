"""Ending executors at the end of the interpreter, and in forked child processes.

Guarantees:

* The end of the interpreter waits for no executor. What is pending then is cancelled, so that no thread that the
  interpreter joins waits for it for ever. Nothing is printed.
* In a forked child, the parent's executors are dead: their threads are not there. Their futures are cancelled, and
  `submit` raises.
"""

from __future__ import annotations

import atexit

# For what it does when the interpreter ends: that is to come after what is done here.
import concurrent.futures.thread  # noqa: F401  # pyright: ignore[reportUnusedImport]
import itertools
import os
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

from .._core import end_quietly

__all__: list[str] = []


class Tracked(Protocol):
    """An executor that may have pending futures."""

    def _end_with_interpreter(self) -> None:
        """Cancel what is pending without calling anything of the user's, and accept no more."""

    def _end_after_fork(self) -> None:
        """Do the same in a forked child, where other threads of the parent may have held any lock."""


_serial = itertools.count()
_living: dict[int, weakref.ref[Tracked]] = {}
_over = False


def track(executor: Tracked) -> None:
    """Have `executor` ended when the interpreter ends, and in forked children. This does not keep it alive.

    Raises RuntimeError once the interpreter is ending.
    """
    key = next(_serial)
    # No lock: a garbage collection may call this back at any moment. Single operations on a dict are atomic. First in,
    # then a look whether that was in time: the end is announced first, and then looks who is in.
    _living[key] = weakref.ref(executor, lambda _: _living.pop(key, None))
    if _over:
        _living.pop(key, None)
        raise RuntimeError("cannot make an executor after interpreter shutdown")


_last: list[tuple[Callable[[], None], Callable[[], None]]] = []


def call_last(with_interpreter: Callable[[], None], after_fork: Callable[[], None]) -> None:
    """Have one of these called after the executors were ended, at the end of the interpreter or in a forked child."""
    _last.append((with_interpreter, after_fork))


def _tracked() -> list[Tracked]:
    found = (reference() for reference in _living.copy().values())
    return [executor for executor in found if executor is not None]


def _end_with_interpreter() -> None:
    global _over
    _over = True
    end_quietly()
    for executor in _tracked():
        executor._end_with_interpreter()
    for with_interpreter, _ in _last:
        with_interpreter()


def _end_after_fork() -> None:
    error: BaseException | None = None
    for end in (*(executor._end_after_fork for executor in _tracked()), *(after_fork for _, after_fork in _last)):
        try:
            end()
        except (
            BaseException
        ) as another:  # a lack of memory, or one that was not made to its end: the others must not suffer
            error = error or another
    if error is not None:
        raise error


def _register() -> None:
    # atexit runs after the threads that are no daemons have been joined, and one of them may be waiting for us.
    # So does concurrent.futures for its own workers, in the same way.
    register = getattr(threading, "_register_atexit", atexit.register)
    register(_end_with_interpreter)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_end_after_fork)


_register()
