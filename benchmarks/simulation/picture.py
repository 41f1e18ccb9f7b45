"""The plot of a simulated day: what is outstanding, the calls that are made, and the delays."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .day import DAY, HOUR, Day
from .record import SLOT, Record

Curves = dict[str, tuple[str, Record]]  # by label: colour and record


def draw(day: Day, limit: float, curves: Curves, path: Path) -> None:
    """Write the plot to `path`, in the format that its suffix says. `limit` is that of calls a second."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 8), layout="constrained")
    outstanding, calls, delays = figure.subplots(3, sharex=True, height_ratios=(2, 3, 3))
    draw_outstanding(outstanding, day)
    hours = [(slot + 0.5) * SLOT / HOUR for slot in range(int(DAY / SLOT))]
    for label, (colour, record) in curves.items():
        rates = [calls / SLOT for calls in by_slot(record.calls_by_time.sums)]
        line = "--" if record.throttled else "-"  # it is on top of the same without throttling
        calls.plot(hours, rates, line, color=colour, linewidth=1.5, label=label)
        found = by_slot(record.found_by_time.sums)
        late = by_slot(record.delays_by_time.sums)
        means = [total / number if number else float("nan") for total, number in zip(late, found, strict=True)]
        delays.plot(hours, means, line, color=colour, linewidth=1.5)
    calls.axhline(limit, color="black", linewidth=1, linestyle=":")
    calls.annotate(f"limit: {limit:g}/s", (0.2, limit), xytext=(0, 3), textcoords="offset points", fontsize=9)
    calls.set(yscale="log", ylim=(limit / 100, limit * 2))
    calls.yaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
    calls.set_title("Calls a second, ten-minute means", loc="left", fontsize=11)
    delays.set(yscale="log", xlim=(0, DAY / HOUR))
    delays.set_yticks([1, 10, 100, 1000], labels=["1 s", "10 s", "100 s", "1000 s"])
    delays.set_title("Mean delay until it is known that a task is done", loc="left", fontsize=11)
    delays.set_xticks(range(0, 25, 3))
    delays.set_xlabel("hour of the day")
    for axes in (outstanding, calls, delays):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, dpi=150)


def draw_outstanding(axes: Axes, day: Day) -> None:
    times = [minute * 60.0 for minute in range(int(DAY / 60) + 1)]
    ends = sorted(day.ends)
    counts = [bisect_right(day.starts, time) - bisect_right(ends, time) for time in times]
    axes.fill_between([time / HOUR for time in times], counts, color="#0369a1", alpha=0.3, linewidth=0)
    axes.yaxis.set_major_formatter(lambda count, _: f"{int(count):,}")
    axes.set_ylim(bottom=0)
    axes.set_title(f"Outstanding, of {len(day):,} tasks that are started over a day", loc="left", fontsize=11)


def by_slot(sums: list[float]) -> list[float]:
    """Those of the day; tasks go on after it."""
    slots = int(DAY / SLOT)
    return (sums + [0.0] * slots)[:slots]
