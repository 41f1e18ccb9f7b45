"""The plot: what one future costs over its life, by how many are outstanding."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .rows import ASYNCIO_TASKS, DICT_LOOP, ORIGINAL, OURS, PLOTTED
from .table import Found, amount

# who: colour, label, points that the label is moved up by
CURVES = {
    ORIGINAL: ("#c2410c", "more-executors 2.11.4", 0),
    DICT_LOOP: ("#6b7280", "stdlib futures in a dict", 6),
    ASYNCIO_TASKS: ("#7c3aed", "an asyncio task each", -6),
    OURS: ("#0369a1", "this library", 0),
}


def draw(found: Found, path: Path) -> None:
    """Write the plot to `path`, in the format that its suffix says."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.add_subplot()
    for who, (colour, label, up) in CURVES.items():
        points = [(count, min(values[who])) for count, row in PLOTTED.items() if who in (values := found[row.title])]
        counts, seconds = zip(*points, strict=True)
        axes.plot(counts, seconds, "o-", color=colour, linewidth=2.5 if who == OURS else 1.5, markersize=4)
        axes.annotate(
            label,
            (counts[-1], seconds[-1]),
            xytext=(8, up),
            textcoords="offset points",
            color=colour,
            va="center",
            fontweight="bold" if who == OURS else "normal",
        )
    axes.set(xscale="log", yscale="log", xlim=(800, 9_000_000))
    axes.set_xticks(list(PLOTTED)[::2], labels=[f"{count:,}" for count in list(PLOTTED)[::2]])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter(lambda seconds, _: amount(seconds, "s"))
    axes.set_xlabel("outstanding at the same time")
    axes.set_title("Time per future: submit, one poll pass in vain, resolved in the next", loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    figure.savefig(path, dpi=150)
