"""The outcome with a cluster as a picture: how many tasks each shard has, and where it is."""

# matplotlib does not say of what types its keywords are.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from plot_axes import (
    ACCENT,
    INK,
    PALE,
    finish,
    headline,
    label_breaks,
    label_time,
    leave_room,
    mark_breaks,
    title,
)
from runs import Run
from scenario import Outcome
from timeline import TimeLine

BODY = 0.7
"""The share of the height that the data takes; the rest is for the legend and what happened when."""

LABELS = (0.86, 0.79)
"""How high it is said what happened, in turns, as a share of the height."""

NAMED = 12
"""Of more shards, only the first and the last are in the legend."""

WORKERS = ("#8c8c8c", "#2a6f97", "#f4a261", "#52a675", "#e9c46a", "#8f6bb3")
"""The colours of workers, in turns."""

LEGEND: dict[str, Any] = {"labelcolor": INK, "facecolor": "white", "edgecolor": "none", "framealpha": 0.85}
"""How the legends look, also above the time in which no run went on."""

THICK = 0.7
"""The height of the bar of a shard; from shard to shard it is 1."""


def draw_cluster(outcome: Outcome, path: Path) -> None:
    """Write the picture to ``path``, in the format of its suffix.

    Raises OSError if that cannot be written.
    """
    line = TimeLine(outcome.runs)
    count = max((len(sample.shards) for run in outcome.runs for sample in run.samples), default=0)
    height = 2 + 0.25 * count
    figure = Figure(figsize=(10, 5 + height), dpi=130, layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=[5, height])
    _draw_outstanding(upper, outcome, line, count)
    _draw_places(lower, outcome.runs, line, count)
    for axes in (upper, lower):
        label_time(axes, line)
        mark_breaks(axes, line)
        _mark(axes, outcome.runs, line, is_labelled=axes is upper)
    label_breaks(upper, line)
    finish((upper, lower))
    figure.savefig(path)


def _draw_outstanding(axes: Axes, outcome: Outcome, line: TimeLine, count: int) -> None:
    shades = colormaps["GnBu"]
    colours = [shades(0.3 + 0.7 * number / max(1, count - 1)) for number in range(count)]
    for run in outcome.runs:
        samples = [sample for sample in run.samples if len(sample.shards) == count]
        seconds = [line.at(run.began + sample.seconds) for sample in samples]
        axes.fill_between(seconds, [sample.outstanding for sample in samples], color=PALE, linewidth=0)
        below = [0] * len(samples)
        for number, colour in enumerate(colours):
            above = [low + sample.shards[number] for low, sample in zip(below, samples, strict=True)]
            axes.fill_between(seconds, below, above, color=colour, edgecolor="white", linewidth=0.4)
            below = above
    title(axes, f"{headline(outcome)}: how many each shard has, one upon another")
    axes.set_ylabel("futures that are not done", color=INK)
    leave_room(axes, BODY)
    handles = [Patch(color=colours[number], label=f"shard {number}") for number in range(count)]
    if count > NAMED:
        handles = [handles[0], handles[-1]]
    handles.append(Patch(color=PALE, label="none: not sent yet, or in doubt"))
    axes.legend(handles=handles, **LEGEND, loc="upper right", ncols=5)


def _draw_places(axes: Axes, runs: Sequence[Run], line: TimeLine, count: int) -> None:
    seen: set[int] = set()
    for run in runs:
        for number in range(count):
            for worker, begin, end in _stays(run, number):
                seen.add(worker)
                left = line.at(begin)
                axes.barh(
                    number,
                    line.at(end) - left,
                    THICK,
                    left,
                    color=WORKERS[worker % len(WORKERS)],
                    linewidth=0,
                )
    title(axes, "Which worker has each shard")
    axes.set_yticks(range(count), [f"shard {number}" for number in range(count)])
    axes.set_ylim(-0.6, count + 0.9)  # above them is the legend
    handles = [
        Patch(color=WORKERS[worker % len(WORKERS)], label=f"worker {worker}") for worker in sorted(seen)
    ]
    if handles:
        axes.legend(handles=handles, **LEGEND, loc="upper right", ncols=6)


def _stays(run: Run, shard: int) -> Iterator[tuple[int, float, float]]:
    """On which worker a shard was, from when to when."""
    samples = [sample for sample in run.samples if shard < len(sample.workers)]
    moments = [run.began + sample.seconds for sample in samples]
    moments.append(run.ended)
    for worker, group in groupby(range(len(samples)), lambda index: samples[index].workers[shard]):
        indexes = list(group)
        if worker:
            yield worker, moments[indexes[0]], moments[indexes[-1] + 1]


def _mark(axes: Axes, runs: Sequence[Run], line: TimeLine, *, is_labelled: bool) -> None:
    marks = [mark for run in runs for mark in run.marks]
    for number, (moment, what) in enumerate(marks):
        at = line.at(moment)
        height = LABELS[number % len(LABELS) if is_labelled else 0]
        axes.axvline(at, ymax=height, color=ACCENT, linestyle="--", linewidth=1.5)
        if is_labelled:
            is_late = at > line.end * 0.8
            axes.annotate(
                what,
                (at, height),
                xycoords=axes.get_xaxis_transform(),
                xytext=(-5 if is_late else 5, 0),
                textcoords="offset points",
                ha="right" if is_late else "left",
                va="top",
                color=ACCENT,
                fontweight="bold",
                bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1},
            )
