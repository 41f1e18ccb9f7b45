"""What is counted of a DaskExecutor for metrics, beside its futures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NoReturn

__all__: list[str] = []


class DaskMeter:
    """Counted by the thread that sends, and by no other. All may be read from any thread."""

    def __init__(self) -> None:
        self.packs = 0
        self.calls_again = 0
        self.workers_lost = 0

    def counts(self) -> Mapping[str, int]:
        """All of them, by their names in the totals."""
        return {"packs": self.packs, "calls_again": self.calls_again, "workers_lost": self.workers_lost}

    def histograms(self) -> Iterable[tuple[str, NoReturn]]:
        """There are none."""
        return ()
