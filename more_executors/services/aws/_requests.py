"""Requests of which a call for an executor makes several: each counts for the rate limit, and all tasks have a turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast

__all__: list[str] = []

F = TypeVar("F", bound=Callable[..., Any])

MOST_KNOWN = 200_000  # tasks whose last turn is known


class Paid(threading.local):
    """What this thread has taken of the rate limit, for the call that it makes."""

    is_counted = False
    requests = 0


def counted(method: F) -> F:
    """Have each request of `method`, of a service, count: the executor has asked the rate limit for the first only."""

    @wraps(method)
    def counting(self: Any, *args: Any, **kwargs: Any) -> Any:
        paid: Paid = self.paid
        if paid.is_counted:  # by a method that has called this one
            return method(self, *args, **kwargs)
        paid.is_counted, paid.requests = True, 1
        try:
            return method(self, *args, **kwargs)
        finally:
            paid.is_counted = False

    return cast("F", counting)


class Turns:
    """Whose turn it is, if there are more than a call asks about: who was asked longest ago. For all threads."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, int] = {}  # those that go on, by when that was, which is the order in here, too
        self._number = 0
        self._lock = threading.Lock()

    def sorted(self, ids: Iterable[Any]) -> list[Any]:
        """Those that were never asked, as they come, and then the others."""
        with self._lock:
            return sorted(ids, key=lambda one: self._asked.get(one, 0))

    def was_asked(self, one: Hashable, goes_on: bool) -> None:
        """It was, and is to be asked again if it `goes_on`."""
        with self._lock:
            self._asked.pop(one, None)
            if goes_on:
                self._number += 1
                self._asked[one] = self._number
                if len(self._asked) > MOST_KNOWN:
                    del self._asked[next(iter(self._asked))]  # whose turn it is next, known or not
