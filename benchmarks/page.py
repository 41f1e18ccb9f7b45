"""The parts of `docs/performance.md` that show what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import layer_table, table

BEGIN = "<!-- figures: written by `make bench` -->"
END = "<!-- end of figures -->"
BEFORE_AFTER = "<!-- before and after: written by `make bench` -->"
END_OF_BEFORE_AFTER = "<!-- end of before and after -->"

NOTES = """\
Times and sizes are for one future, those of wake-ups and of the GIL for one event. Each is the best of several turns,
in which this library and what it is compared with alternate. The last column says how many times as much the other one
takes: more than 1 means that this library is faster, or smaller.
"""

LAYERED = """\
### Each executor and function

The time for one future of each executor and each function, by how many there are. Executors stand on
`Executors.sync()`; the time is from `submit` until the future is done. Functions get futures of the standard library;
the time includes ending those. "2.11.4" is more-executors 2.11.4, with 1,000 futures. The last two columns say how many
times as long one of 100,000 takes as one of 1,000, with Python's garbage collector and without.
"""


def figures(lines: Iterable[table.Line], machine: dict[str, Any]) -> str:
    """What the page shows, in Markdown."""
    measured = list(lines)
    shown = table.markdown([line for line in measured if line.row.in_table])
    missing = [row.title for row in table.ALL_ROWS if row.free_threaded and row not in {line.row for line in measured}]
    remark = f"Not measured, as this Python has a GIL: {'; '.join(missing)}.\n\n" if missing else ""
    return f"{headline(machine)}.\n\n{NOTES}\n{shown}\n{remark}{LAYERED}\n{layer_table.markdown(measured)}"


def headline(machine: dict[str, Any]) -> str:
    where = "{cpu}, {cores} cores, {system}, Python {python}, {build profile} build, {date}".format(**machine)
    return f"Measured on {where}"


def with_figures(page: str, shown: str, begin: str = BEGIN, end: str = END) -> str:
    """The text of the page with these figures instead of those that are there, between the comments."""
    before, found, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{begin!r} and {end!r} must be in the page")
    return f"{before}{begin}\n\n{shown}\n{end}{after}"
