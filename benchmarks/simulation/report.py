"""The records of a day as a table in Markdown."""

from __future__ import annotations

from ..table import aligned
from .record import Record

HEADINGS = (
    "polling",
    "calls",
    "most in a second",
    "ids asked about",
    "ids a call",
    "mean delay",
    "99 % within",
    "of the time a task ran",
    "throttled",
)


def markdown(records: dict[str, Record]) -> str:
    """One line for each record, by what it is called."""
    return aligned([HEADINGS, *(cells(title, record) for title, record in records.items())])


def cells(title: str, record: Record) -> tuple[str, ...]:
    return (
        title,
        f"{record.calls:,}",
        str(record.most_in_a_second),
        f"{record.ids:,}",
        f"{record.ids / record.calls:.3g}",
        f"{record.mean_delay:.3g} s",
        f"{record.delay_of(0.01):.3g} s",
        f"{sum(record.shares) / len(record.shares):.1%}",
        f"{record.throttled:,}" if record.throttled else "",
    )
