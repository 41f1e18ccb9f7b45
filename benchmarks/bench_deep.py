"""A chain of `f_map`, each of the future before: made, and ended from its other end. The time is for one link.

The original is given 50 links: with 100 it does not come to an end.
"""

from __future__ import annotations

from . import layers
from .measuring import Bench
from .original import Original
from .rows import AT_ORIGINAL_50, DEEP, OURS


def test_ours(bench: Bench) -> None:
    bench.work(DEEP, OURS, layers.DEEP, 10_000)


def test_original(bench: Bench, original: Original) -> None:
    bench.value(DEEP, AT_ORIGINAL_50, lambda: original.measure("deep", bench.size(50)))
