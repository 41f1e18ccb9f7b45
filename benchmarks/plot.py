"""The plot: what one future costs over its life, by how many are outstanding."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .rows import ASYNCIO_TASKS, DICT_LOOP, ORIGINAL, OURS, PLOTTED
from .table import Found, amount

# who: colour, label
CURVES = {
    ORIGINAL: ("#c2410c", "more-executors 2.11.4"),
    DICT_LOOP: ("#6b7280", "stdlib futures in a dict"),
    ASYNCIO_TASKS: ("#7c3aed", "an asyncio task each"),
    OURS: ("#0369a1", "this library"),
}
NEAR = 1.6  # labels overlap where one curve ends at less than so many times another


def draw(found: Found, path: Path) -> None:
    """Write the plot to `path`, in the format that its suffix says."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.add_subplot()
    curves = {
        who: [(count, min(values[who])) for count, row in PLOTTED.items() if who in (values := found[row.title])]
        for who in CURVES
    }
    for who, (colour, label) in CURVES.items():
        counts, seconds = zip(*curves[who], strict=True)
        others = [points[-1][1] for other, points in curves.items() if other != who and points[-1][0] == counts[-1]]
        above = any(seconds[-1] / NEAR < end <= seconds[-1] for end in others)
        below = any(seconds[-1] < end < seconds[-1] * NEAR for end in others)
        axes.plot(counts, seconds, "o-", color=colour, linewidth=2.5 if who == OURS else 1.5, markersize=4)
        axes.annotate(
            label,
            (counts[-1], seconds[-1]),
            xytext=(8, 6 * (above - below)),
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
