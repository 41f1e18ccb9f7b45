"""Where the futures of these functions come from: they are counted by the function's name."""

from __future__ import annotations

import logging

from .. import metrics
from .._core import FutureSource

__all__: list[str] = []

logger = logging.getLogger("more_executors.futures")


def future_source(function: str, name: str = "default") -> FutureSource:
    """What counts the futures of `f_FUNCTION`; `name` is their executor's, among the metrics."""
    counted = FutureSource(logger)
    metrics.track_function(function, name, counted.counters)
    return counted
