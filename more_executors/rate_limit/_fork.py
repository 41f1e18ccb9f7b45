"""What is to begin anew in a forked child, where the threads that waited for it, or held its lock, are not."""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable

__all__: list[str] = []

_serial = itertools.count()
_living: dict[int, weakref.WeakMethod[Callable[[], None]]] = {}


def call_in_forked_child(method: Callable[[], None]) -> None:
    """Call `method()` in each forked child, for as long as the object whose method it is lives."""
    key = next(_serial)
    _living[key] = weakref.WeakMethod(method, lambda _: _living.pop(key, None))


def _after_fork_in_child() -> None:
    for reference in _living.copy().values():
        if (method := reference()) is not None:
            method()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
