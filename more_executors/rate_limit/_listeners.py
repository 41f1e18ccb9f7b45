"""Who hears that a rate limit was changed."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable

__all__: list[str] = []


class Listeners:
    """Methods to be called, which do not keep their objects alive. No lock: a destructor may come at any time."""

    def __init__(self) -> None:
        self._serial = itertools.count()
        self._methods: dict[int, weakref.WeakMethod[Callable[[], None]]] = {}

    def add(self, method: Callable[[], None]) -> None:
        key = next(self._serial)
        methods = self._methods
        methods[key] = weakref.WeakMethod(method, lambda _: methods.pop(key, None))

    def call(self) -> None:
        for reference in self._methods.copy().values():
            if (method := reference()) is not None:
                method()
