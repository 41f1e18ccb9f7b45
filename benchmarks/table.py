"""From what pytest-benchmark measured to the first table: each row of ours beside its references."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from .layer_rows import LAYER_ROWS
from .rows import OURS, ROWS, Row
from .volume_rows import VOLUME_ROWS

ALL_ROWS = [*ROWS, *VOLUME_ROWS, *LAYER_ROWS]

HEADINGS = ("", "this library", "compared with", "which takes", "times as much")

Found = dict[str, dict[str, list[float]]]  # by row and by who: the value of each turn


def found_in(benchmarks: list[dict[str, Any]]) -> Found:
    """The values in a report of pytest-benchmark, in seconds or bytes for one future."""
    found: Found = {}
    for benchmark in benchmarks:
        info = benchmark["extra_info"]
        value = info["value"] if "value" in info else benchmark["stats"]["min"] / info["per"]
        found.setdefault(info["row"], {}).setdefault(info["who"], []).append(value)
    return found


def not_in(found: Found, gil: bool) -> list[str]:
    """The rows that nothing of ours was measured for, although it can be here, with or without a GIL."""
    missing = [row for row in ALL_ROWS if OURS not in found.get(row.title, {}) and not (gil and row.free_threaded)]
    return [row.title for row in missing if not row.needs or find_spec(row.needs) is not None]


@dataclass(frozen=True)
class Line:
    """Ours beside one reference, if there is one, each the best of its turns; NaN is a reference that is missing.

    The targets are those of the row for the first of its references, and none for the others.
    """

    row: Row
    ours: float
    reference: str
    takes: float | None
    at_most: float | None
    times: float | None

    @property
    def ratio(self) -> float | None:
        return None if self.takes is None or math.isnan(self.takes) else self.ours / self.takes

    @property
    def met(self) -> bool | None:
        """Whether ours is within all targets; None without one."""
        checks = []
        if self.at_most is not None:
            checks.append(self.ours <= self.at_most)
        if self.times is not None and self.ratio is not None:
            checks.append(self.ratio <= self.times)
        return all(checks) if checks else None

    def cells(self) -> tuple[str, ...]:
        """How the table shows it."""
        return (
            self.row.title,
            amount(self.ours, self.row.unit),
            self.reference,
            "" if self.takes is None else amount(self.takes, self.row.unit),
            "" if self.ratio is None else multiple(1 / self.ratio),
        )

    def missed(self) -> str:
        """What to say to those who work on it if ours is above a target, else an empty string."""
        if self.met is not False:
            return ""
        targets = [] if self.at_most is None else [amount(self.at_most, self.row.unit)]
        if self.times is not None:
            targets.append(f"{self.times:.3g} times {self.reference}")
        return f"{self.row.title}: {amount(self.ours, self.row.unit)}, target {' and '.join(targets)}"

    def record(self) -> dict[str, Any]:
        """The same for `results.json`."""
        return {
            "row": self.row.title,
            "unit": self.row.unit,
            "ours": self.ours,
            "reference": self.reference or None,
            "takes": self.takes,
            "ratio": self.ratio,
            "at most": self.at_most,
            "times": self.times,
            "met": self.met,
        }


def lines(found: Found) -> Iterator[Line]:
    """What was measured, in the order of the table."""
    for row in ALL_ROWS:
        if row.title not in found:
            continue
        values = {who: min(turns) for who, turns in found[row.title].items()}
        ours = values.pop(OURS)
        at_most, times = row.at_most, row.times
        for reference, takes in values.items() or [("", None)]:
            yield Line(row, ours, reference, takes, at_most, times)
            at_most = times = None


def markdown(shown: list[Line]) -> str:
    """The table in Markdown, in columns, so that it can also be read as it is."""
    cells: list[tuple[str, ...]] = [HEADINGS]
    for before, line in zip([None, *shown], shown, strict=False):
        repeated = before is not None and before.row is line.row
        cells.append(("", "", *line.cells()[2:]) if repeated else line.cells())
    return aligned(cells)


def aligned(cells: list[tuple[str, ...]]) -> str:
    """A Markdown table of these rows, the first of which are its headings."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [cells[0], tuple("-" * width for width in widths), *cells[1:]]
    return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows) + "\n"


def amount(value: float, unit: str) -> str:
    """A time or a size in three digits; a number as it is, where there is no unit."""
    if math.isnan(value):
        return "missing"
    if not unit:
        return f"{value:,.0f}"
    if unit == "B":
        return f"{value:,.0f} B"
    for factor, prefix in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 0.9995:
            return f"{value * factor:.3g} {prefix}"
    return f"{value * 1e9:.3g} ns"


def multiple(ratio: float) -> str:
    """A ratio in two digits, or as a whole number."""
    if ratio >= 9.95:
        return f"{ratio:,.0f}"
    return f"{ratio:.1f}" if ratio >= 0.995 else f"{ratio:.2g}"
