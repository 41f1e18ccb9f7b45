"""What went wrong with the service, on a time line."""

from __future__ import annotations

from collections import Counter

from matplotlib.axes import Axes

from scenario import Outcome

INK = "#2b2d42"
FAULT = "#d1495b"
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


def draw_faults(axes: Axes, outcome: Outcome) -> None:
    """A row for each kind of fault: how often it struck when, to a scale of its own."""
    width = max(outcome.seconds, 0.1) / SLOTS
    kinds = [kind for kind in NAMES if kind in outcome.faults]
    labels = [f"{NAMES[kind]} ({sum(n for _, n in outcome.faults[kind]):,})" for kind in kinds]
    for row, kind in enumerate(kinds):
        counts: Counter[int] = Counter()
        for seconds, count in outcome.faults[kind]:
            counts[int(seconds / width)] += count
        most = max(counts.values(), default=1)
        # The square root, so that a single one can be seen beside many.
        heights = [0.8 * (count / most) ** 0.5 for count in counts.values()]
        left = [slot * width for slot in counts]
        axes.bar(left, heights, width, [-row - 0.4] * len(left), align="edge", color=FAULT, linewidth=0)
    if outcome.outage is not None:
        begin, end = outcome.outage
        axes.barh(-len(kinds), end - begin, 0.8, begin, color=INK)
        labels.append(f"killed, down for {end - begin:.1f} s")
    axes.set_yticks([-row for row in range(len(labels))], labels)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.set_title("What went wrong with the service", loc="left", color=INK, fontweight="bold")


def mark_outage(axes: Axes, outcome: Outcome, height: float) -> None:
    """A band while the service was down, of a share ``height`` of the axes."""
    if outcome.outage is not None:
        axes.axvspan(*outcome.outage, ymax=height, color=INK, alpha=0.15, linewidth=0)
