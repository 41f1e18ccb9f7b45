"""Counting the futures of these functions, under the name of the function."""

from __future__ import annotations

import logging

from .. import metrics
from .._core import FutureSource

__all__: list[str] = []

logger = logging.getLogger("more_executors.futures")


def future_source(function: str, name: str = "default") -> FutureSource:
    """An object that makes and counts the futures of `f_FUNCTION`; `name` is their label `executor` in metrics."""
    counted = FutureSource(logger)
    metrics.track_function(function, name, counted.counters)
    return counted
