"""What the axes of all pictures have in common."""

# matplotlib does not say of what types its keywords are.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

from scenario import Outcome
from timeline import TimeLine

INK = "#2b2d42"
PALE = "#cfd8e3"
STRONG = "#2a6f97"
ACCENT = "#d1495b"


def title(axes: Axes, text: str) -> None:
    """Say what it shows."""
    axes.set_title(text, loc="left", color=INK, fontweight="bold")


def headline(outcome: Outcome) -> str:
    """What was done, and how long that took."""
    seconds = sum(run.ended - run.began for run in outcome.runs[:-1]) + outcome.seconds
    by = f" of {len(outcome.runs)} runs" if len(outcome.runs) > 1 else ""
    return f"{outcome.tally.submitted:,} futures done in {seconds:.0f} s{by}"


def leave_room(axes: Axes, body: float) -> None:
    """Have the data take a share ``body`` of the height; the rest is for the legend."""
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylim(0, axes.dataLim.ymax / body or 1)


def finish(all_axes: Iterable[Axes]) -> None:
    """Have all of them look the same."""
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(INK)
        axes.tick_params(colors=INK)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        axes.set_axisbelow(True)


def mark_breaks(axes: Axes, line: TimeLine) -> None:
    """Hatch the time in which no run went on."""
    for begin, end, _ in line.breaks:
        axes.axvspan(begin, end, facecolor="none", edgecolor=PALE, hatch="///", linewidth=0)


def label_breaks(axes: Axes, line: TimeLine) -> None:
    """Say how long that was."""
    for begin, end, duration in line.breaks:
        axes.text(
            (begin + end) / 2,
            0.4,
            f"not running for {duration:,.0f} s",
            transform=axes.get_xaxis_transform(),
            rotation="vertical",
            ha="center",
            va="center",
            color=INK,
        )


def label_time(axes: Axes, line: TimeLine) -> None:
    """Name the axis of the time, and have it end with the last run."""
    left_out = sum(seconds - (end - begin) for begin, end, seconds in line.breaks)
    shortened = f", but for {left_out:,.0f} s in which nothing ran" if left_out >= 0.5 else ""
    axes.set_xlabel(f"seconds since the first submit{shortened}", color=INK)
    axes.set_xlim(0, max(line.end, 0.1))
