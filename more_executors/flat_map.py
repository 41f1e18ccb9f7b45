"""Going on with another future once there is a result, or an exception."""

from __future__ import annotations

from ._types import A, B
from .map import MapExecutor

__all__ = ["FlatMapExecutor"]


class FlatMapExecutor(MapExecutor[A, B]):
    """A `MapExecutor` whose functions return futures: its own futures end as those do.

        downloads = ThreadPoolExecutor(8)
        executor = FlatMapExecutor(ThreadPoolExecutor(2), lambda url: downloads.submit(download, url))
        page = executor.submit(find_url, title).result()

    A function that returns anything else fails the future with a TypeError that names the function and what it
    returned. `future.cancel()` reaches whichever future is current: the delegate's, then the one a function returned.
    """

    _kind = "FlatMapExecutor"
    _metric = "flat_map"
    _flat = True
