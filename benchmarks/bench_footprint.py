"""The memory that a layer takes for a future that is pending below it, on top of what the delegate's takes."""

from __future__ import annotations

import pytest

from .footprint import bytes_above_delegate
from .measuring import Bench
from .original import Original
from .rows import MEMORY_ABOVE, ORIGINAL, OURS

pytestmark = pytest.mark.once
each_layer = pytest.mark.parametrize("layer", MEMORY_ABOVE)


@each_layer
def test_ours(bench: Bench, layer: str) -> None:
    bench.value(MEMORY_ABOVE[layer], OURS, lambda: bytes_above_delegate(layer, bench.size(100_000)))


@each_layer
def test_original(bench: Bench, original: Original, layer: str) -> None:
    bench.value(MEMORY_ABOVE[layer], ORIGINAL, lambda: original.measure(f"memory of {layer}", bench.size(1_000)))
