"""From what was counted of both sides to a table, and what to say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..table import aligned
from .callgrind import CACHES, Counts, Side

LIMIT = 0.03  # an operation may take so much more
SUSPICIOUS = LIMIT / 2  # from here on, it is counted again


@dataclass(frozen=True)
class Line:
    """An operation, before and after; None where it could not be done."""

    name: str
    before: Counts | None
    after: Counts | None

    @property
    def change(self) -> float | None:
        if self.before is None or self.after is None:
            return None
        return self.after.instructions / self.before.instructions - 1

    def cells(self) -> tuple[str, ...]:
        change = "" if self.change is None else f"{self.change:+.1%}"
        return (self.name, *shown(self.before), *shown(self.after), change)


def shown(counts: Counts | None) -> tuple[str, str]:
    """In as many digits as are the same each time."""
    if counts is None:
        return "-", "-"
    return f"{counts.instructions:,.{0 if counts.instructions >= 100 else 1}f}", f"{abs(counts.misses):.1f}"


def lines(before: Side, after: Side) -> list[Line]:
    """The worst first."""
    names = [*after.counts, *(name for name in after.faults if name not in after.counts)]
    found = [Line(name, before.counts.get(name), after.counts.get(name)) for name in names]
    return sorted(found, key=lambda line: -1 if line.change is None else -line.change)


def table(found: list[Line]) -> str:
    """In Markdown."""
    headings = ("one operation", "instructions before", "misses", "instructions after", "misses", "change")
    return aligned([headings, *(line.cells() for line in found)])


def suspects(before: Side, after: Side) -> list[str]:
    """What may only look slower or faster, as objects lie elsewhere."""
    return [line.name for line in lines(before, after) if line.change is not None and abs(line.change) > SUSPICIOUS]


def allowed_in(messages: str) -> dict[str, float]:
    """By how much operations may be slower, as commit messages say in lines such as `Slower: submit by 5 %`."""
    found = re.findall(r"^Slower: (.+) by ([\d.]+) ?%", messages, re.MULTILINE)
    return {name: float(percent) / 100 for name, percent in found}


def complaints(found: list[Line], after: Side, allowed: dict[str, float]) -> list[str]:
    """Why this tree is not to go in."""
    slower = [
        f"{line.name} takes {line.change:.1%} more instructions, and {limit:.0%} is the limit"
        for line in found
        if line.change is not None and line.change > (limit := allowed.get(line.name, LIMIT))
    ]
    return [*slower, *(f"{name} cannot be done: {fault}" for name, fault in after.faults.items())]


def remarks(before: Side, allowed: dict[str, float]) -> list[str]:
    """What else one has to know."""
    new = [f"{name}: not compared, as the other commit cannot do it: {why}" for name, why in before.faults.items()]
    return [*new, *(f"{name}: may take {more:.0%} more, as a commit says" for name, more in allowed.items())]


def caches() -> str:
    kib, ways = CACHES["LL"]
    return f"misses are lines that a last-level cache of {kib} KiB ({ways} ways) did not have, simulated"
