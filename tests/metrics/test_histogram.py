"""Histograms count everything once, between the right bounds, from any number of threads."""

from __future__ import annotations

import pytest
from support import all_at_once

from more_executors.metrics._histogram import Histogram, HistogramCounts


def test_a_value_counts_below_the_first_bound_that_is_not_below_it() -> None:
    histogram = Histogram((0, 1.0, 10.0))
    for value in (0, 0.5, 1.0, 1.5, 10.0, 10.1, 1e9, float("inf")):
        histogram.observe(value)
    assert histogram.snapshot().counts == (1, 2, 2, 3)
    assert histogram.snapshot().cumulative() == [1, 3, 5, 8]
    assert histogram.snapshot().observations == 8


def test_the_total_is_the_sum_of_the_values() -> None:
    histogram = Histogram((1.0,))
    assert histogram.snapshot() == HistogramCounts((1.0,), (0, 0), 0.0)
    for value in (0.25, 2, 4.5):
        histogram.observe(value)
    assert histogram.snapshot() == HistogramCounts((1.0,), (1, 2), 6.75)


def test_less_than_nothing_is_nothing() -> None:
    histogram = Histogram((0, 1.0))
    histogram.observe(-5.0)
    assert histogram.snapshot() == HistogramCounts((0, 1.0), (1, 0, 0), 0.0)


def test_a_snapshot_does_not_change() -> None:
    histogram = Histogram((1.0,))
    before = histogram.snapshot()
    histogram.observe(1)
    assert before.observations == 0


def test_snapshots_add_up() -> None:
    one, other = Histogram((1.0, 2.0)), Histogram((1.0, 2.0))
    one.observe(0.5)
    other.observe(0.5)
    other.observe(3)
    assert one.snapshot().plus(other.snapshot()) == HistogramCounts((1.0, 2.0), (2, 0, 1), 4.0)


def test_only_those_with_the_same_bounds_add_up() -> None:
    with pytest.raises(ValueError, match="different bounds"):
        Histogram((1.0,)).snapshot().plus(Histogram((2.0,)).snapshot())


@pytest.mark.parametrize("bounds", [(), (1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)])
def test_bounds_ascend(bounds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="bounds"):
        Histogram(bounds)


def test_no_thread_loses_another_ones_values() -> None:
    histogram = Histogram((1.0, 2.0, 3.0))
    rounds = 5000

    def observe() -> None:
        for number in range(rounds):
            histogram.observe(number % 4 + 0.5)

    def look() -> list[int]:
        return [histogram.snapshot().observations for _ in range(200)]

    *_, seen = all_at_once(observe, observe, observe, observe, look)
    assert seen == sorted(seen), "counts never fall"
    assert histogram.snapshot() == HistogramCounts((1.0, 2.0, 3.0), (rounds,) * 4, rounds * 8.0)


def test_a_snapshot_waits_for_nobody() -> None:
    histogram = Histogram((1.0,))
    with histogram._lock:  # as if it were taken in the midst of `observe`, on the same thread
        assert histogram.snapshot().observations == 0
