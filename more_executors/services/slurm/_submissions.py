"""When jobs were submitted here: numbers are used again, and the database may have an older job of a number."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any

__all__: list[str] = []

MOST = 65_536


class Submissions:
    """The last ones, by cluster and number. May be used from any thread.

    Of those before, it is as if they had been submitted elsewhere.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._begun: dict[tuple[str | None, str], float] = {}

    def add(self, cluster: str | None, number: str, began: float) -> None:
        with self._lock:
            self._begun.pop((cluster, number), None)
            self._begun[cluster, number] = began
            if len(self._begun) > MOST:
                del self._begun[next(iter(self._begun))]

    def __reduce__(self) -> Any:
        """Copies know of none."""
        return Submissions, ()

    def of(self, cluster: str | None, numbers: Iterable[str]) -> dict[str, float]:
        """Those of jobs with these numbers."""
        found = ((number, self._begun.get((cluster, number))) for number in numbers)
        return {number: began for number, began in found if began is not None}
