"""What becomes of tasks when a shard, or the whole cluster, is lost."""

from __future__ import annotations

import logging
from math import inf

from ..._core import RemoteCall, log
from .._errors import ClusterLost, ShardLost, another
from ._link import Link, State
from ._placement import Placement
from ._resolver import Resolver

__all__: list[str] = []


MOST_LOSSES = 4  # of shards that a call which may be repeated is begun on


class Losses:
    """For one thread at a time."""

    def __init__(
        self,
        links: list[Link],
        resolver: Resolver,
        placement: Placement,
        lease: float,
        patience: float,
        waits_for_doubtful: bool,
        logger: logging.Logger,
    ) -> None:
        """`waits_for_doubtful`: somebody asks the service which tasks it has, so a lost shard must have ended first."""
        self._links = links
        self._resolver = resolver
        self._placement = placement
        self._lease = lease
        self._patience = patience
        self._waits_for_doubtful = waits_for_doubtful
        self._logger = logger
        self._doubtful: list[tuple[float, list[tuple[RemoteCall, BaseException]]]] = []
        self._without_place_since: float | None = None

    def lose(self, link: Link, why: str, now: float) -> None:
        """`link` has lost its shard. What that polled is polled by the next one; what it may have begun is in doubt."""
        link.counts.lost += 1
        log(self._logger, logging.WARNING, "shard %d of %s is lost: %s", link.index, link.place.address, why)
        failed: list[tuple[RemoteCall, BaseException]] = []
        for call in link.starting.values():
            call.losses += 1
            if call.may_be_repeated and call.losses <= MOST_LOSSES:
                call.start.is_doubtful = True  # whatever becomes of it the next time
                link.suspects.append(call)
                link.counts.started_again += 1
            else:
                failed.append((call, ShardLost(None if call.start is None else call.start.key)))
        link.starting.clear()
        if failed and self._waits_for_doubtful:
            self._doubtful.append((link.heard_at + 3 * self._lease, failed))
        elif failed:
            self._resolver.failed(failed)

    def tell_doubtful(self, now: float) -> float:
        """Fail what is in doubt, once it is certain that nobody starts it any more; returns when there is more."""
        while self._doubtful and self._doubtful[0][0] <= now:
            self._resolver.failed(self._doubtful.pop(0)[1])
        return self._doubtful[0][0] if self._doubtful else inf

    def refusal(self, now: float, is_closed: bool) -> ClusterLost | None:
        """Why nothing can be done any more; None if there are shards, or there may be."""
        if self._placement.fit() or any(link.state is not State.NOWHERE for link in self._links):
            self._without_place_since = None
            return None
        if self._without_place_since is None:
            self._without_place_since = now
        why = self._placement.why_none()
        if why is not None:
            lost = ClusterLost(f"no worker can have shards: {type(why).__name__}: {why}")
            lost.__cause__ = why
            return lost
        if is_closed:
            return ClusterLost("the client of Dask is closed")
        if now < self._without_place_since + self._patience:
            return None
        return ClusterLost(f"there has been no worker for {now - self._without_place_since:.0f} s")

    def give_up(self, error: ClusterLost, calls: list[RemoteCall]) -> None:
        """Fail `calls`, which nobody has begun, and all tasks, which go on at the service."""
        self._resolver.failed([(call, another(error)) for call in calls])
        for link in self._links:
            doubtful: list[tuple[RemoteCall, BaseException]] = [
                (call, ShardLost(None if call.start is None else call.start.key)) for call in link.starting.values()
            ]
            self._resolver.failed(doubtful)
            link.starting.clear()
            self._resolver.lost(link.tasks.all(), error)
            link.tasks.clear()
            for request, tasks in link.cancels.values():
                for task in tasks:
                    request.answer(task, False)
            link.cancels.clear()
