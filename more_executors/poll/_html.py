"""How an executor shows itself in Jupyter."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import isfinite

from .._states import first_states
from .stats import PollStats

__all__: list[str] = []

# No colours: the page's own suit a light theme and a dark one.
TABLE = "border-collapse: collapse; margin: 0.3em 0"
CAPTION = "caption-side: top; text-align: left; font-weight: bold; padding: 0 0 0.3em; color: inherit"
CELL = "padding: 0.1em 0.8em 0.1em 0; border: none; background: none; color: inherit; vertical-align: top"
NAME = f"{CELL}; text-align: left; font-weight: normal; opacity: 0.7"
VALUE = f"{CELL}; text-align: left; font-variant-numeric: tabular-nums"

MOST_STATES = 20  # rows
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def stats_table(title: str, stats: PollStats) -> str:
    """`stats` as a small table in HTML that needs nothing else, under `title`, which is plain text."""
    rows = "".join(
        f'<tr><th scope="row" style="{NAME}">{escape(name)}</th><td style="{VALUE}">{escape(value)}</td></tr>'
        for name, value in lines(stats)
    )
    ended = f"{stats.done:,} of {stats.done + stats.outstanding:,}"
    bar = f'<progress value="{stats.done}" max="{max(1, stats.done + stats.outstanding)}">{ended}</progress>'
    return f'<table style="{TABLE}"><caption style="{CAPTION}">{escape(title)}<br>{bar}</caption>{rows}</table>'


def lines(stats: PollStats) -> Iterable[tuple[str, str]]:
    """The rows of the table: names and values."""
    yield "outstanding", with_parts(stats.outstanding, ("with the delegate", stats.with_delegate))
    yield "polled", with_parts(stats.polled, ("due", stats.due), ("in calls", stats.in_calls))
    for state, count in first_states(stats.states, MOST_STATES).items():
        yield f"state: {state}", f"{count:,}"
    yield "done", with_parts(stats.done, ("failed", stats.failed), ("cancelled", stats.cancelled))
    yield "time left", "unknown" if stats.seconds_left is None else duration(stats.seconds_left)
    yield "oldest", duration(stats.oldest_age) if stats.outstanding else "none"
    yield "lag", duration(stats.lag)
    yield "calls", with_parts(stats.calls, ("errors", stats.errors), ("throttled", stats.throttled))
    yield "rate limit", "none" if stats.rate is None else f"{stats.rate:,.4g} calls/s"


def with_parts(count: int, *parts: tuple[str, int]) -> str:
    """A number, and those parts of it that are not 0."""
    told = ", ".join(f"{part:,} {name}" for name, part in parts if part)
    return f"{count:,} ({told})" if told else f"{count:,}"


def duration(seconds: float) -> str:
    """`seconds` as people say it, in the largest unit that fits and the next one."""
    if not isfinite(seconds):
        return "unknown" if seconds != seconds else "for ever"
    if seconds < 0.0005:
        return "0 s"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole >= 3600:
        whole = round(whole / 60) * 60
    if whole >= 86400:
        whole = round(whole / 3600) * 3600
    said: list[str] = []
    for size, unit in UNITS:
        count, whole = divmod(whole, size)
        if count or said:
            said.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in said[:2] if part)
