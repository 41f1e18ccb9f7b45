"""What is counted of the shards of a ShardedPollExecutor for metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...poll._meter import PollMeter

__all__: list[str] = []


class ShardCounts:
    """Of one shard, all its generations. Counted by one thread, that of the coordinator, and read by any."""

    def __init__(self) -> None:
        self.made = 0  # generations, on some worker
        self.lost = 0
        self.adopted = 0  # tasks, from the generation before
        self.started_again = 0  # tasks with a token


class ShardedMeter(PollMeter):
    """Has the sums over all shards as well. They stay when the shards and their executor are gone."""

    __slots__ = ("_shards",)

    def __init__(self, shards: Iterable[ShardCounts]) -> None:
        super().__init__()
        self._shards = list(shards)

    def counts(self) -> Mapping[str, int]:
        """See PollMeter."""
        return {
            **super().counts(),
            "shards_made": sum(shard.made for shard in self._shards),
            "shards_lost": sum(shard.lost for shard in self._shards),
            "tasks_adopted": sum(shard.adopted for shard in self._shards),
            "tasks_started_again": sum(shard.started_again for shard in self._shards),
        }
