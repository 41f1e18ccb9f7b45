"""What is done while a service does not answer, or says that there are too many calls."""

from __future__ import annotations

from concurrent.futures import Future
from math import ceil, log2
from typing import Any

from ..rate_limit import Throttled
from ..retry import RetryPolicy

__all__: list[str] = []

LONGEST_PAUSE = 60.0  # seconds
OTHER_ERRORS = 3  # calls in a row that may raise what no outage explains


class LivesThroughOutages(RetryPolicy):
    """Has calls that ask a service made again while it is away: first after `pause` s, then twice as long, up to 60 s.

    Tasks fail when that has gone on for `patience` seconds; after three calls in a row, if an error is none of
    `outage_errors`: then it is a fault of the program rather than of the service.
    """

    def __init__(self, outage_errors: tuple[type[BaseException], ...], patience: float, pause: float) -> None:
        self._outage_errors = outage_errors
        self._patience = patience
        self._pause = min(max(pause, 0.001), LONGEST_PAUSE)
        self._doublings = ceil(log2(LONGEST_PAUSE / self._pause))  # until pauses are as long as can be

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        error = future.exception()
        if not isinstance(error, self._outage_errors):
            return error is not None and attempt < OTHER_ERRORS
        growing = min(attempt - 1, self._doublings)
        waited = self._pause * (2.0**growing - 1.0) + LONGEST_PAUSE * (attempt - 1 - growing)
        return waited < self._patience

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        return min(LONGEST_PAUSE, self._pause * 2.0 ** min(attempt - 1, self._doublings))


class StartsWhenThereIsRoom(RetryPolicy):
    """Has a start made again that was `Throttled`, so that nothing was started: at most ten times."""

    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        return attempt < 10 and isinstance(future.exception(), Throttled)

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        error = future.exception()
        asked = error.retry_after if isinstance(error, Throttled) else None
        return min(LONGEST_PAUSE, 2.0 ** (attempt - 1)) if asked is None else asked
