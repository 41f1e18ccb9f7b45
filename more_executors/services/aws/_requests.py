"""Calls that make several requests: each request counts for the rate limit, and tasks are asked about in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast

__all__: list[str] = []

F = TypeVar("F", bound=Callable[..., Any])

MOST_KNOWN = 200_000  # tasks whose last turn is known


class Paid(threading.local):
    """How many requests the executor has asked the rate limit for, of the call that this thread makes."""

    is_counted = False
    requests = 0


def counted(method: F) -> F:
    """Have each request that `method` makes count for the rate limit; the executor has asked that for the first one."""

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
    """Which tasks to ask about first, where one call cannot ask about all: those not asked about for longest.

    May be used from several threads at a time.
    """

    def __init__(self) -> None:
        self._asked: dict[Hashable, int] = {}  # those that go on: the number of the question, which is their order, too
        self._number = 0
        self._lock = threading.Lock()

    def in_turn(self, ids: Iterable[Any]) -> list[Any]:
        """`ids` in the order in which to ask: those that never were, as they come, then the others."""
        with self._lock:
            return sorted(ids, key=lambda one: self._asked.get(one, 0))

    def was_asked(self, one: Hashable, goes_on: bool) -> None:
        """The service has been asked about `one`, and is to be asked again if it `goes_on`."""
        with self._lock:
            self._asked.pop(one, None)
            if goes_on:
                self._number += 1
                self._asked[one] = self._number
                if len(self._asked) > MOST_KNOWN:
                    del self._asked[next(iter(self._asked))]  # whose turn it is next, known or not
