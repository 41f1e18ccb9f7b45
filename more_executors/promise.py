"""Futures that a program ends itself, and that can be cancelled."""

from __future__ import annotations

from . import metrics
from ._core import PROMISES, Promise

__all__ = ["Promise"]

metrics.track_function("promise", "none", PROMISES.counters)
