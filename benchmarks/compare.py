"""Two builds in turns: the time of each row of the one, divided by that of the other, with its spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from . import builds, running, table
from .rows import OURS, Row

TURNS = 3
NOTICEABLE = 1.1

Found = table.Found


@dataclass(frozen=True)
class Ratio:
    """A row of this tree, as a multiple of the same of the other commit, in each turn."""

    row: Row
    before: float
    after: float
    turns: list[float]

    def cells(self) -> tuple[str, ...]:
        values = (median(self.turns), min(self.turns), max(self.turns))
        amounts = (table.amount(value, self.row.unit) for value in (self.before, self.after))
        return (self.row.title, *amounts, *(f"{value:.2f}" for value in values))


def in_turns(other: Path, scratch: Path, files: list[str], short: bool) -> tuple[Found, Found, set[str]]:
    """What was measured of the other build and of this one, file by file, and the files in which this one failed."""
    sides: tuple[Found, Found] = ({}, {})
    failed: set[str] = set()
    options = ["--only-ours", "--turns=1", "-q", *(["--short"] if short else [])]
    for file in files or sorted(path.name for path in running.HERE.glob("bench_*.py")):
        for turn in range(1 if short else TURNS):
            for side in (0, 1) if turn % 2 == 0 else (1, 0):  # neither always comes first
                package = (other, builds.ROOT)[side]
                report, well = running.run(package, scratch, [file], *options)
                for row, values in table.found_in(report["benchmarks"]).items():
                    sides[side].setdefault(row, {}).setdefault(OURS, []).extend(values[OURS])
                if not well and side:
                    failed.add(file)
    return *sides, failed


def ratios(before: Found, after: Found) -> Iterator[Ratio]:
    """Of each row that was measured as often of both."""
    for row in table.ALL_ROWS:
        old, new = (found.get(row.title, {}).get(OURS, []) for found in (before, after))
        if old and len(old) == len(new):
            yield Ratio(row, min(old), min(new), [mine / theirs for theirs, mine in zip(old, new, strict=True)])


def missing(before: Found, after: Found) -> list[str]:
    """The rows that only one of both has."""
    return [row.title for row in table.ALL_ROWS if (row.title in before) != (row.title in after)]


def slower(found: list[Ratio]) -> list[Ratio]:
    """What takes longer in each of the turns, and not just a little; the worst first."""
    sure = [ratio for ratio in found if min(ratio.turns) > 1 and median(ratio.turns) > NOTICEABLE]
    return sorted(sure, key=lambda ratio: -median(ratio.turns))


def markdown(found: list[Ratio]) -> str:
    """In the order of the tables, where a row may refer to the one above."""
    headings = ("", "before", "after", "after / before", "least", "greatest")
    return table.aligned([headings, *(ratio.cells() for ratio in found)])
