"""The rows of the second table: each executor and each function by itself, at several sizes."""

from __future__ import annotations

from dataclasses import dataclass

from .rows import OF_ORIGINAL, Row

AT_1_000 = "the same at 1,000"

GROWTH = 1.3  # what one of 100,000 may cost, as a multiple of one of 1,000

SIZES = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Layer:
    """One executor or function, and its rows: one for each size, and one without the garbage collector.

    The one at 1,000 is compared with the original, the others with ours at 1,000.
    """

    name: str
    rows: dict[int, Row]
    no_gc: Row


def layer(name: str, largest: int = 100_000) -> Layer:
    rows = {size: Row(f"{name}: {size:,}", in_table=False) for size in SIZES if size <= largest}
    rows[1_000] = Row(f"{name}: 1,000", times=OF_ORIGINAL, in_table=False)
    rows[100_000] = Row(f"{name}: 100,000", times=GROWTH, in_table=False)
    return Layer(name, rows, Row(f"{name}: 100,000, garbage collector off", in_table=False))


EXECUTORS = [
    layer(name)
    for name in (
        "sync",
        "with_map",
        "with_flat_map",
        "with_retry",
        "with_throttle",
        "with_timeout",
        "with_cancel_on_shutdown",
        "with_poll",
        "with_asyncio",
    )
]

FUNCTIONS = [
    layer(name)
    for name in (
        "f_return",
        "f_return_error",
        "f_return_cancelled",
        "f_map",
        "f_flat_map",
        "f_apply",
        "f_nocancel",
        "f_timeout",
        "f_proxy",
    )
]

GATHERING = [layer(name, 1_000_000) for name in ("f_zip", "f_sequence", "f_traverse", "f_or", "f_and")]

LAYERS = [*EXECUTORS, *FUNCTIONS, *GATHERING]

LAYER_ROWS = [row for layer in LAYERS for row in (*layer.rows.values(), layer.no_gc)]
