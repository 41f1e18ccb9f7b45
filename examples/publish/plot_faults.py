"""What went wrong with the service, on a time line."""

# matplotlib does not say of what types its keywords are.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from matplotlib.axes import Axes

from plot_axes import ACCENT, INK, title
from runs import Run
from timeline import TimeLine

Faults: TypeAlias = "Mapping[str, Sequence[tuple[float, int]]]"
"""For each kind the times, in seconds since the epoch, and how often it struck then."""

NAMES = {
    "429": "too many requests",
    "500": "errors",
    "dropped": "lost connections",
    "slow": "slow answers",
    "left out": "left out of answers",
    "vanished": "vanished for good",
}
"""The kinds of faults, from top to bottom."""

SLOTS = 200
"""How many bars there are along the time line."""

TALL = 0.6
"""The height of the tallest bar of a row; from row to row it is 1."""


def draw_faults(axes: Axes, runs: Sequence[Run], faults: Faults, line: TimeLine) -> None:
    """Draw a row for each kind of fault: how many there were when. The scale of each row is on the right."""
    width = max(line.end, 0.1) / SLOTS
    kinds = [kind for kind in NAMES if kind in faults]
    labels = [f"{NAMES[kind]} ({sum(n for _, n in faults[kind]):,})" for kind in kinds]
    scales: dict[float, str] = {}
    for row, kind in enumerate(kinds):
        counts: Counter[int] = Counter()
        for moment, count in faults[kind]:
            counts[int(line.at(moment) / width)] += count
        most = max(counts.values(), default=1)
        bottom = -row - TALL / 2
        scales[bottom], scales[bottom + TALL] = "0", f"{most:,}"
        left = [slot * width for slot in counts]
        heights = [TALL * count / most for count in counts.values()]
        axes.bar(left, heights, width, [bottom] * len(left), align="edge", color=ACCENT, linewidth=0)
    for begin, end in outages_of(runs):
        axes.barh(-len(kinds), line.at(end) - line.at(begin), TALL, line.at(begin), color=INK)
        labels.append(f"killed, down for {end - begin:.1f} s")
    axes.set_yticks([-row for row in range(len(labels))], labels)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    title(axes, "What went wrong with the service")
    _draw_scales(axes, scales, width)


def mark_outages(axes: Axes, runs: Sequence[Run], line: TimeLine, height: float) -> None:
    """A band while the service was down, of a share ``height`` of the axes."""
    for begin, end in outages_of(runs):
        axes.axvspan(line.at(begin), line.at(end), ymax=height, color=INK, alpha=0.15, linewidth=0)


def outages_of(runs: Sequence[Run]) -> list[tuple[float, float]]:
    """When the service was down: at most once, as a run does not kill it again."""
    return [run.outage for run in runs if run.outage is not None]


def _draw_scales(axes: Axes, scales: dict[float, str], width: float) -> None:
    right = axes.twinx()
    right.set_ylim(axes.get_ylim())
    right.set_yticks(list(scales), list(scales.values()), fontsize="small")
    right.tick_params(colors=INK)
    right.spines[["top", "left", "bottom"]].set_visible(False)
    right.spines["right"].set_color(INK)
    right.set_ylabel(f"how many in {width:.2g} s", color=INK)
