"""A scrape of the metrics. Most of it is `prometheus_client` writing the text, which is the same for both."""

from __future__ import annotations

from .measuring import Bench
from .original import Original
from .rows import ORIGINAL, OURS
from .rows import SCRAPE as ROW
from .scrape import SCRAPE


def test_ours(bench: Bench) -> None:
    bench.work(ROW, OURS, SCRAPE, 1_000)


def test_original(bench: Bench, original: Original) -> None:
    bench.value(ROW, ORIGINAL, lambda: original.measure("scrape", bench.size(1_000), metrics=True))
