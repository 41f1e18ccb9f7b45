"""What a ShardedPollExecutor tells about its shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ...poll.stats import PollStats
from ._link import Link, State

__all__ = ["ShardStats"]


class ShardStats(NamedTuple):
    """How a shard of a `ShardedPollExecutor` is doing: a record that does not change.

    Args:
        shard: its number, from 0 on.
        generation: how many times it was made anew, on this worker or another, counted from 1.
        worker: the address of its worker; "" while it waits for one.
        is_open: whether it can start and poll tasks now.
        tasks: how many tasks it polls, or will when it is open.
        starting: how many calls that start tasks it was sent that it has not answered yet.
        heard: how many seconds ago its worker was heard.
        lost: how many times its worker was lost.
        adopted: how many tasks were taken over from an earlier generation, altogether.
        started_again: how many tasks with a token were started again, as it was not known whether they had been.
        share: how many calls a second it may make, of the `rate_limit` of all; None if there is none.
        polls: what its poll executor says, at that time; None before it has. What only grows, such as `calls` and
            `errors`, is of all its generations.
    """

    shard: int
    generation: int
    worker: str
    is_open: bool
    tasks: int
    starting: int
    heard: float
    lost: int
    adopted: int
    started_again: int
    share: float | None
    polls: PollStats | None


def stats_of(link: Link, now: float, are_limited: bool) -> ShardStats:
    place, figures, counts = link.place, link.figures, link.counts
    return ShardStats(
        shard=link.index,
        generation=link.generation,
        worker="" if place is None else place.address,
        is_open=link.state is State.OPEN,
        tasks=len(link.tasks),
        starting=len(link.starting) + len(link.again),
        heard=max(0.0, now - link.heard_at),
        lost=counts.lost,
        adopted=counts.adopted,
        started_again=counts.started_again,
        share=link.grant.rate if are_limited else None,
        polls=PollStats(*figures) if figures else None,
    )


def with_shards(own: PollStats, shards: Iterable[ShardStats]) -> PollStats:
    """The figures of a client, with those about polling of its shards."""
    found = [shard.polls for shard in shards if shard.polls is not None]
    states = Counter[str]()
    for stats in found:
        states.update(stats.states)
    rates = [stats.rate for stats in found if stats.rate is not None]
    return own._replace(
        due=sum(stats.due for stats in found),
        in_calls=sum(stats.in_calls for stats in found),
        calls=sum(stats.calls for stats in found),
        errors=sum(stats.errors for stats in found),
        throttled=sum(stats.throttled for stats in found),
        lag=max((stats.lag for stats in found), default=0.0),
        rate=sum(rates) if rates else None,
        states=dict(states),
    )


def gauges_of(shards: Iterable[ShardStats]) -> dict[str, float]:
    """For the metrics: what does not only grow."""
    found = list(shards)
    return {
        "shards_open": float(sum(shard.is_open for shard in found)),
        "shard_silence_seconds": max(shard.heard for shard in found),
    }
