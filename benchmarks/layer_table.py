"""The second table: a line for each executor and each function, with its cost at several sizes side by side."""

from __future__ import annotations

from collections.abc import Iterable

from .layer_rows import LAYERS, SIZES, Layer
from .rows import Row
from .table import Line, aligned, amount, multiple

HEADINGS = (
    "",
    "1,000 futures",
    "2.11.4 takes",
    "times as much",
    *(f"{size:,} futures" for size in SIZES[1:]),
    "100,000 take, times 1,000",
    "without garbage collector",
)


def markdown(lines: Iterable[Line]) -> str:
    """The table in Markdown."""
    by_row = {line.row: line for line in lines}
    return aligned([HEADINGS, *(cells(layer, by_row) for layer in LAYERS)])


def cells(layer: Layer, by_row: dict[Row, Line]) -> tuple[str, ...]:
    small, large = by_row[layer.rows[SIZES[0]]], by_row[layer.rows[100_000]]
    return (
        f"`{layer.name}`",
        amount(small.ours, "s"),
        "" if small.takes is None else amount(small.takes, "s"),
        "" if small.ratio is None else multiple(1 / small.ratio),
        *(amount(by_row[layer.rows[size]].ours, "s") if size in layer.rows else "" for size in SIZES[1:]),
        growth(large),
        growth(by_row[layer.no_gc]),
    )


def growth(line: Line) -> str:
    return "" if line.ratio is None else multiple(line.ratio)
