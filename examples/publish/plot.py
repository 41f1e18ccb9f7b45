"""The outcome as a picture."""

# matplotlib does not say of what types its keywords are.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from plot_faults import draw_faults, mark_outage
from scenario import Outcome
from summary import percentile

INK = "#2b2d42"
PALE = "#cfd8e3"
STRONG = "#2a6f97"
ACCENT = "#d1495b"

BODY = 0.82
"""The share of the height that the data takes; the rest is for the legend."""


def draw(outcome: Outcome, path: Path) -> None:
    """Write the picture to ``path``, in the format of its suffix.

    Raises OSError if that cannot be written.
    """
    heights = [3.0, 2.0, 2.0] if outcome.faults else [3.0, 2.0]
    figure = Figure(figsize=(10, sum(heights) * 1.6), dpi=130, layout="constrained")
    upper, *middle, lower = figure.subplots(len(heights), 1, height_ratios=heights)
    _draw_outstanding(upper, outcome)
    _draw_delays(lower, outcome)
    for axes in (upper, lower):
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set_ylim(0, axes.dataLim.ymax / BODY or 1)
    for axes in middle:
        draw_faults(axes, outcome)
        _label_time(axes, outcome)
        mark_outage(axes, outcome, 1.0)
        mark_outage(upper, outcome, BODY)
    for axes in (upper, *middle, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(INK)
        axes.tick_params(colors=INK)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        axes.set_axisbelow(True)
    figure.savefig(path)


def _draw_outstanding(axes: Axes, outcome: Outcome) -> None:
    seconds = [sample.seconds for sample in outcome.samples]
    outstanding = [sample.outstanding for sample in outcome.samples]
    polled = [sample.polled for sample in outcome.samples]
    peak = max(zip(seconds, polled, strict=True), key=lambda point: point[1])
    axes.fill_between(seconds, outstanding, color=PALE, linewidth=0, label="all futures that are not done")
    axes.fill_between(seconds, polled, color=STRONG, linewidth=0, label="of these: started, and asked about")
    axes.plot(*peak, "o", color=ACCENT, markersize=6)
    axes.annotate(
        f"{peak[1]:,} tasks at the same time",
        peak,
        xytext=(0, 12),
        textcoords="offset points",
        ha="center",
        color=ACCENT,
        fontweight="bold",
        bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 2},
    )
    most = max((size for _, size in outcome.searches), default=0)
    title = (
        f"{outcome.tally.submitted:,} futures done in {outcome.seconds:.0f} s, "
        f"by {len(outcome.searches):,} searches for up to {most:,} tasks each"
    )
    axes.set_title(title, loc="left", color=INK, fontweight="bold")
    axes.set_ylabel("futures", color=INK)
    axes.legend(frameon=False, labelcolor=INK, loc="upper right", ncols=2)
    _label_time(axes, outcome)


def _label_time(axes: Axes, outcome: Outcome) -> None:
    axes.set_xlabel("seconds since the first submit", color=INK)
    axes.set_xlim(0, max(outcome.seconds, 0.1))


def _draw_delays(axes: Axes, outcome: Outcome) -> None:
    title = "How long after the end of its task a future was done"
    axes.set_title(title, loc="left", color=INK, fontweight="bold")
    axes.set_xlabel("seconds from the end of the task on the service", color=INK)
    if not outcome.delays:
        axes.text(0.5, 0.5, "no task ended", transform=axes.transAxes, ha="center", color=INK)
        return
    bins = min(60, max(10, len(outcome.delays) // 10))
    _, edges, _ = axes.hist(outcome.delays, bins=bins, color=STRONG)
    axes.set_ylabel(f"futures in each {edges[1] - edges[0]:.2g} s", color=INK)
    for percent, style in ((50, "-"), (95, "--"), (99, ":")):
        value = percentile(outcome.delays, percent)
        axes.axvline(value, 0, BODY, color=ACCENT, linestyle=style, label=f"{percent} % within {value:.2f} s")
    axes.set_xlim(left=0)
    axes.legend(frameon=False, labelcolor=INK, loc="upper right", ncols=3)
