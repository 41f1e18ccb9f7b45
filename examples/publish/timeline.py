"""The time line of all runs, without most of the time in which none went on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from runs import Run

LONGEST_BREAK = 0.1
"""How much of the time line a break may take, as a share of what the runs take together."""


class TimeLine:
    """Says where on the line a moment is, as seconds since the first run began, and where the breaks are.

    ``breaks`` has for each its begin and its end on the line, and how many seconds it took.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._begin = runs[0].began
        self._breaks: list[tuple[float, float, float]] = []  # begin, end, and how much of it is on the line
        longest = LONGEST_BREAK * sum(run.ended - run.began for run in runs)
        for before, after in pairwise(runs):
            begin, end = before.ended, max(before.ended, after.began)
            seconds = end - begin
            self._breaks.append((begin, end, min(1.0, longest / seconds) if seconds else 1.0))
        self.breaks = [(self.at(begin), self.at(end), end - begin) for begin, end, _ in self._breaks]
        self.end = self.at(runs[-1].ended)

    def at(self, moment: float) -> float:
        """Where a moment is, which is in seconds since the epoch."""
        left_out = sum(
            (min(moment, end) - begin) * (1 - share) for begin, end, share in self._breaks if moment > begin
        )
        return moment - self._begin - left_out
