"""Polling by many workers: shards, each with a poll executor, and one client that has the futures."""

from __future__ import annotations

from ._batches import Shard
from ._executor import ShardedPollExecutor
from ._stats import ShardStats

__all__ = ["Shard", "ShardStats", "ShardedPollExecutor"]
