"""The second table: a line for each executor and each function, with its cost at several sizes side by side."""

from __future__ import annotations

from collections.abc import Iterable

from .layer_rows import GROWTH, LAYERS, SIZES, Layer
from .rows import Row
from .table import Line, aligned, amount, checkmark, multiple

HEADINGS = (
    "",
    "the original, at 1,000",
    "ours, at 1,000",
    "ratio, ≤ 1/3",
    *(f"{size:,}" for size in SIZES[1:]),
    f"growth to 100,000, ≤ {GROWTH:g} ×",  # noqa: RUF001
    "with the garbage collector off",
    "met",
)


def markdown(lines: Iterable[Line]) -> str:
    """The table in Markdown."""
    by_row = {line.row: line for line in lines}
    return aligned([HEADINGS, *(cells(layer, by_row) for layer in LAYERS)])


def cells(layer: Layer, by_row: dict[Row, Line]) -> tuple[str, ...]:
    small, large = by_row[layer.rows[SIZES[0]]], by_row[layer.rows[100_000]]
    checks = [line.met for line in (small, large) if line.met is not None]
    return (
        f"`{layer.name}`",
        "" if small.takes is None else amount(small.takes, "s"),
        amount(small.ours, "s"),
        ratio(small),
        *(amount(by_row[layer.rows[size]].ours, "s") if size in layer.rows else "" for size in SIZES[1:]),
        ratio(large),
        ratio(by_row[layer.no_gc]),
        checkmark(all(checks) if checks else None),
    )


def ratio(line: Line) -> str:
    if line.ratio is None:
        return ""
    return f"**{multiple(line.ratio)}**" if line.met is False else multiple(line.ratio)
