"""The third table of `docs/performance.md`: rows of two commits, each beside its reference in the same run."""

from __future__ import annotations

from typing import Any

from . import layer_rows, rows, volume_rows
from .rows import OURS, Row
from .table import Found, aligned, amount

GROWING = [layer.rows[100_000] for layer in layer_rows.FUNCTIONS if layer.name.startswith("f_return")]

# Each row with its reference, or None where the figure speaks for itself. Titles that begin with "…" follow on another.
ROWS: list[tuple[Row, str | None]] = [
    (rows.POOL, rows.STDLIB_POOL),
    (rows.POOL_CPU, rows.STDLIB_POOL),
    (rows.POOL_SINGLE, rows.STDLIB_POOL),
    (rows.POOL_POLLED, rows.STDLIB_POOL),
    (rows.POOL_POLLED_CPU, rows.STDLIB_POOL),
    (rows.CHAIN, rows.BARE_POOL),
    (rows.COLLECT, rows.BYTEARRAYS),
    (rows.COLLECT_LONGEST, rows.BYTEARRAYS),
    (rows.MILLION_POLLED, rows.AT_100_000),
    (rows.RESOLVE_MILLION, rows.METHOD_CALL),
    (rows.SUBMIT_MANY, rows.NO_GC),
    (rows.SUBMIT_MANY_POLLED, rows.NO_GC),
    (rows.MEMORY, None),
    *((row, layer_rows.AT_1_000) for row in GROWING),
    (rows.ASYNCIO, rows.WRAP_FUTURE),
    (volume_rows.JOIN_MEANWHILE, volume_rows.UNDISTURBED),
    (volume_rows.DUE[1_000], volume_rows.AT_1_000),
    (rows.NOTIFY, rows.EVENT),
    (rows.TWO_THREADS, rows.ONE_THREAD),
]

HEADINGS = ("", "before", "after", "compared with", "before", "after")

NOTES = """\
### Before and after

Some of these rows before and after thread pools, bursts of joins and the garbage collector were seen to: commits
`{before}` and `{after}`. The last two columns say how many times as much it takes as what it is compared with, measured
in the same run. The two runs were at different times: compare these columns rather than the times.
"""


def markdown(before: dict[str, Any], after: dict[str, Any]) -> str:
    """The table of two records, as `results.json` and `before.json` are."""
    measured = {*before["turns"], *after["turns"]}
    cells = [line(row, reference, before["turns"], after["turns"]) for row, reference in ROWS if row.title in measured]
    notes = NOTES.format(before=before["measured"]["commit"][:10], after=after["measured"]["commit"][:10])
    return f"{notes}\n{aligned([HEADINGS, *cells])}"


def line(row: Row, reference: str | None, before: Found, after: Found) -> tuple[str, ...]:
    sides = (before, after)
    amounts = (amount(best(found, row, OURS), row.unit) for found in sides)
    if reference is None:
        return (row.title, *amounts, "", "", "")
    times = (best(found, row, OURS) / best(found, row, reference) for found in sides)
    return (row.title, *amounts, reference, *(shown(value) for value in times))


def best(found: Found, row: Row, who: str) -> float:
    return min(found.get(row.title, {}).get(who, [float("nan")]))


def shown(ratio: float) -> str:
    return "missing" if ratio != ratio else f"{ratio:.2g}" if ratio < 9.95 else f"{ratio:,.0f}"
