"""Futures as they are done, many at a time."""

from __future__ import annotations

from ._core import Completions

__all__ = ["Completions"]
