"""Each executor and each function by itself: beside the original at 1,000, and beside itself at larger sizes."""

from __future__ import annotations

import pytest

from . import layers
from .layer_rows import AT_1_000, GATHERING, LAYERS, Layer
from .measuring import Bench
from .original import Original
from .rows import ORIGINAL, OURS

WORKS = layers.EXECUTORS | layers.FUNCTIONS | layers.GATHERING

ROUNDS = {1_000: 10, 10_000: 5, 100_000: 2, 1_000_000: 1}

each_layer = pytest.mark.parametrize("layer", LAYERS, ids=[layer.name for layer in LAYERS])


@each_layer
def test_ours(bench: Bench, layer: Layer) -> None:
    bench.work(layer.rows[1_000], OURS, WORKS[layer.name], 1_000, rounds=ROUNDS[1_000])


@each_layer
def test_original(bench: Bench, original: Original, layer: Layer) -> None:
    bench.value(layer.rows[1_000], ORIGINAL, lambda: original.measure(layer.name, bench.size(1_000)))


@each_layer
@pytest.mark.parametrize(("who", "nominal"), [(OURS, 100_000), (AT_1_000, 1_000)])
@pytest.mark.parametrize("collecting", [True, False], ids=["gc", "no gc"])
def test_growth(bench: Bench, layer: Layer, who: str, nominal: int, collecting: bool) -> None:
    row = layer.rows[100_000] if collecting else layer.no_gc
    bench.work(row, who, WORKS[layer.name], nominal, rounds=ROUNDS[nominal], collecting=collecting)


@each_layer
def test_between(bench: Bench, layer: Layer) -> None:
    bench.work(layer.rows[10_000], OURS, WORKS[layer.name], 10_000, rounds=ROUNDS[10_000])


@pytest.mark.parametrize("layer", GATHERING, ids=[layer.name for layer in GATHERING])
@pytest.mark.once
def test_million(bench: Bench, layer: Layer) -> None:
    bench.work(layer.rows[1_000_000], OURS, WORKS[layer.name], 1_000_000, rounds=ROUNDS[1_000_000])
