"""What workers of Dask import for the benchmarks."""

from __future__ import annotations

import pickle


def call_all(encoded: bytes) -> bytes:
    """What `abs` returns for each of the numbers, both as bytes: Dask looks at each item of a list."""
    return pickle.dumps([abs(number) for number in pickle.loads(encoded)])
