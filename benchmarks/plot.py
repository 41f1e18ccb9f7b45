"""The plots: what a future costs over its life, and for how long a collection holds all up, by how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .rows import ASYNCIO_TASKS, DICT_LOOP, LONGEST_PAUSES, ORIGINAL, OURS, PAUSES, PLOTTED, STDLIB_FUTURE, Row
from .table import Found, amount

NEAR = 1.6  # labels overlap where one curve ends at less than so many times another

BLUE, GREY, PURPLE, ORANGE = "#0369a1", "#6b7280", "#7c3aed", "#c2410c"


@dataclass(frozen=True)
class Curve:
    """What was measured of `who`, by how many there were."""

    rows: Mapping[int, Row]
    who: str
    colour: str
    label: str
    line: str = "o-"

    def points(self, found: Found) -> list[tuple[int, float]]:
        """Those that there are; the best of the turns."""
        turns = {count: found.get(row.title, {}).get(self.who) for count, row in self.rows.items()}
        return [(count, min(values)) for count, values in turns.items() if values]


LIVES = [
    Curve(PLOTTED, ORIGINAL, ORANGE, "more-executors 2.11.4"),
    Curve(PLOTTED, DICT_LOOP, GREY, "stdlib futures in a dict"),
    Curve(PLOTTED, ASYNCIO_TASKS, PURPLE, "an asyncio task each"),
    Curve(PLOTTED, OURS, BLUE, "this library"),
]

COLLECTIONS = [
    Curve(PAUSES, STDLIB_FUTURE, GREY, "stdlib futures"),
    Curve(PAUSES, ASYNCIO_TASKS, PURPLE, "asyncio tasks"),
    Curve(LONGEST_PAUSES, OURS, BLUE, "this library, the longest", "o:"),
    Curve(PAUSES, OURS, BLUE, "this library"),
]


def draw(found: Found, folder: Path) -> list[Path]:
    """Write the plots into the folder; returns where they are."""
    lives, collections = folder / "outstanding.png", folder / "collections.png"
    draw_curves(LIVES, found, "Time per future: submit, one poll pass in vain, resolved in the next", lives)
    draw_curves(COLLECTIONS, found, "Pause of a full garbage collection, the median of ten", collections)
    return [lives, collections]


def draw_curves(curves: list[Curve], found: Found, title: str, path: Path) -> None:
    """Write a plot to `path`, in the format that its suffix says."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.add_subplot()
    measured = [(curve, points) for curve in curves if (points := curve.points(found))]
    for curve, points in measured:
        counts, seconds = zip(*points, strict=True)
        ends = [other[-1][1] for _, other in measured if other is not points and other[-1][0] == counts[-1]]
        above = any(seconds[-1] / NEAR < end <= seconds[-1] for end in ends)
        below = any(seconds[-1] < end < seconds[-1] * NEAR for end in ends)
        ours = curve.who == OURS
        axes.plot(counts, seconds, curve.line, color=curve.colour, linewidth=2.5 if ours else 1.5, markersize=4)
        axes.annotate(
            curve.label,
            (counts[-1], seconds[-1]),
            xytext=(8, 6 * (above - below)),
            textcoords="offset points",
            color=curve.colour,
            va="center",
            fontweight="bold" if ours else "normal",
        )
    axes.set(xscale="log", yscale="log", xlim=(800, 9_000_000))
    axes.set_xticks(list(PLOTTED)[::2], labels=[f"{count:,}" for count in list(PLOTTED)[::2]])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter(lambda seconds, _: amount(seconds, "s"))
    axes.set_xlabel("outstanding at the same time")
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    figure.savefig(path, dpi=150)
