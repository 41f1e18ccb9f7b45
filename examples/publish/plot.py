"""The outcome as a picture."""

# matplotlib does not say of what types its keywords are.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plot_axes import (
    ACCENT,
    INK,
    PALE,
    STRONG,
    finish,
    headline,
    label_breaks,
    label_time,
    leave_room,
    mark_breaks,
    title,
)
from plot_faults import draw_faults, mark_outages
from runs import Run
from scenario import Outcome
from summary import percentile
from timeline import TimeLine

BODY = 0.82
"""The share of the height that the data takes; the rest is for the legend."""


def draw(outcome: Outcome, path: Path) -> None:
    """Write the picture to ``path``, in the format of its suffix.

    Raises OSError if that cannot be written.
    """
    faults = {} if outcome.audit is None else outcome.audit.faults
    line = TimeLine(outcome.runs)
    heights = [3.0, 2.0, 2.0] if faults else [3.0, 2.0]
    figure = Figure(figsize=(10, sum(heights) * 1.6), dpi=130, layout="constrained")
    upper, *middle, lower = figure.subplots(len(heights), 1, height_ratios=heights)
    _draw_outstanding(upper, outcome, line)
    _draw_delays(lower, [delay for run in outcome.runs for delay in run.delays])
    for axes in (upper, lower):
        leave_room(axes, BODY)
    for axes in middle:
        draw_faults(axes, outcome.runs, faults, line)
        label_time(axes, line)
        mark_outages(axes, outcome.runs, line, 1.0)
        mark_outages(upper, outcome.runs, line, BODY)
        mark_breaks(axes, line)
    finish((upper, *middle, lower))
    figure.savefig(path)


def _draw_outstanding(axes: Axes, outcome: Outcome, line: TimeLine) -> None:
    points = [
        (line.at(run.began + sample.seconds), sample.polled) for run in outcome.runs for sample in run.samples
    ]
    peak = max(points, key=lambda point: point[1])
    for run in outcome.runs:
        _draw_run(axes, run, line, is_first=run is outcome.runs[0])
    axes.plot(*peak, "o", color=ACCENT, markersize=6)
    is_early = peak[0] < points[-1][0] / 2  # left of it there may be futures that are not asked about yet
    axes.annotate(
        f"{peak[1]:,} tasks at the same time",
        peak,
        xytext=(8, 8) if is_early else (0, 12),
        textcoords="offset points",
        ha="left" if is_early else "center",
        color=ACCENT,
        fontweight="bold",
        bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 2},
    )
    searches = [size for run in outcome.runs for size in run.searches]
    text = (
        f"{headline(outcome)}, "
        f"by {len(searches):,} searches for up to {max(searches, default=0):,} tasks each"
    )
    title(axes, text)
    axes.set_ylabel("futures", color=INK)
    axes.legend(frameon=False, labelcolor=INK, loc="upper right", ncols=2)
    label_time(axes, line)
    mark_breaks(axes, line)
    label_breaks(axes, line)


def _draw_run(axes: Axes, run: Run, line: TimeLine, *, is_first: bool) -> None:
    seconds = [line.at(run.began + sample.seconds) for sample in run.samples]
    outstanding = [sample.outstanding for sample in run.samples]
    polled = [sample.polled for sample in run.samples]
    labels = ("all futures that are not done", "of these: started, and asked about") if is_first else ("", "")
    axes.fill_between(seconds, outstanding, color=PALE, linewidth=0, label=labels[0])
    axes.fill_between(seconds, polled, color=STRONG, linewidth=0, label=labels[1])


def _draw_delays(axes: Axes, delays: Sequence[float]) -> None:
    title(axes, "How long after the end of its task a future was done")
    axes.set_xlabel("seconds from the end of the task on the service", color=INK)
    if not delays:
        axes.text(0.5, 0.5, "no task ended", transform=axes.transAxes, ha="center", color=INK)
        return
    bins = min(60, max(10, len(delays) // 10))
    _, edges, _ = axes.hist(delays, bins=bins, color=STRONG)
    axes.set_ylabel(f"futures in each {edges[1] - edges[0]:.2g} s", color=INK)
    for percent, style in ((50, "-"), (95, "--"), (99, ":")):
        value = percentile(delays, percent)
        axes.axvline(value, 0, BODY, color=ACCENT, linestyle=style, label=f"{percent} % within {value:.2f} s")
    axes.set_xlim(left=0)
    axes.legend(frameon=False, labelcolor=INK, loc="upper right", ncols=3)
