"""Beyond one machine: calls that are made by the workers of a Dask cluster. Needs the extra `dask`."""

from __future__ import annotations

try:
    import distributed as _  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as error:
    raise ImportError('more_executors.dask needs Dask: pip install "more-executors[dask]"') from error

from ._errors import ClusterLost, ShardLost, WorkerLost
from ._executor import DaskExecutor
from ._outcomes import RemoteError
from .sharded import Shard, ShardedPollExecutor, ShardStats

__all__ = [
    "ClusterLost",
    "DaskExecutor",
    "RemoteError",
    "Shard",
    "ShardLost",
    "ShardStats",
    "ShardedPollExecutor",
    "WorkerLost",
]
