"""What is tried again, when, and how often."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from more_executors import RetryPolicy, Throttled

T = TypeVar("T")

ATTEMPTS = 30
"""How often a request is made before it is given up: for half a minute or so."""


class UnavailableError(Exception):
    """The service had an error of its own, or there was no answer. Perhaps it did what it was asked."""


class Patience(RetryPolicy):
    """Tries again what may well work a moment later, with longer and longer pauses.

    There are up to ``attempts`` in all. A service that asks to be left alone is, for that time. Once
    ``hopeless()`` is true, nothing is tried again.
    """

    def __init__(self, attempts: int, hopeless: Callable[[], bool]) -> None:
        self._attempts = attempts
        self._hopeless = hopeless

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        """Whether to try once more."""
        return self._worth_it(attempt, future.exception())

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        """Seconds before that."""
        return self._pause(attempt, future.exception())

    def call(self, function: Callable[[], T]) -> T:
        """Call ``function`` right here, again and again while that is worth it."""
        attempt = 1
        while True:
            try:
                return function()
            except Exception as error:
                if not self._worth_it(attempt, error):
                    raise
                time.sleep(self._pause(attempt, error))
            attempt += 1

    def _worth_it(self, attempt: int, error: BaseException | None) -> bool:
        temporary = isinstance(error, (Throttled, UnavailableError))
        return temporary and attempt < self._attempts and not self._hopeless()

    def _pause(self, attempt: int, error: BaseException | None) -> float:
        least = (isinstance(error, Throttled) and error.retry_after) or 0.0
        # Not all at the same time: they would only be in each other's way again.
        return least + random.uniform(0.05, 0.15) * min(2.0 ** (attempt - 1), 16.0)
