"""The scenario with a cluster: its workers start and poll, one of them is killed, and another one comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from more_executors import PollExecutor
from more_executors.dask import ShardedPollExecutor, ShardStats

from chain import keys_of
from cluster import Cluster
from interrupts import Interrupts
from once import Once
from options import Options
from progress import say
from scenario import Outcome, Scenario
from service_process import ServiceProcess
from shard import FOR_EACH_WORKER, Shard
from state import State
from tally import Sample

LEASE = 2.0
"""For so many seconds at least a shard goes on that does not hear from this program."""

KILL_AT, ADD_AT = 0.4, 0.6
"""When a worker is killed, and when another one comes, as shares of the tasks that are started."""


def run_on_cluster(
    options: Options, interrupts: Interrupts, state: State, service: ServiceProcess
) -> Outcome:
    """As ``run``, by a cluster that is there as long."""
    with Cluster(options.cluster, options.log) as cluster:
        say(
            f"Dask's dashboard: http://127.0.0.1:{cluster.dashboard}/status"
            if cluster.dashboard
            else "Dask has no dashboard, as bokeh is not installed"
        )
        return ClusterScenario(cluster, options, interrupts, state, service).outcome_of_all()


class ClusterScenario(Scenario):
    """One run, with a service and a ``cluster``."""

    def __init__(self, cluster: Cluster, *details: Any) -> None:
        super().__init__(*details)
        options = self._options
        self._cluster = cluster
        self._count = count = FOR_EACH_WORKER * options.cluster
        self._shard = Shard(
            self._service.url,
            replace(
                options,
                workers=max(1, options.workers // count),
                publishes=max(1, options.publishes // count),
                searches=1,
            ),
        )
        self._start = self._shard.publish
        self._shards: list[ShardStats] = []

    def outcome(self) -> Outcome:
        """What happened."""
        return replace(super().outcome(), shards=self._shards, costs=())

    def _opened(self) -> PollExecutor[Any, Any]:
        self._sharded: ShardedPollExecutor[Any, Any, Any] = ShardedPollExecutor(
            self._cluster.address,
            self._shard.make,
            shards=self._count,
            lease=max(LEASE, 3 * self._options.interval),
            journal=self._journal,
            keys=keys_of(self._client),
        )
        return self._sharded

    def _on_the_way(self) -> Iterator[AbstractContextManager[Any]]:
        if not any(run.marks for run in self._earlier):
            yield Once(self._has_started(KILL_AT), lambda _: self._mark("killed", self._cluster.kill_one))
            yield Once(self._has_started(ADD_AT), lambda _: self._mark("added", self._cluster.add_one))

    def _has_started(self, share: float) -> Callable[[], bool]:
        def has_started() -> bool:
            samples = self._run.samples
            return bool(samples) and samples[-1].done + samples[-1].polled >= share * self._options.tasks

        return has_started

    def _mark(self, what: str, act: Callable[[], int]) -> None:
        moment = time.time()
        number = act()
        self._run.marks.append((moment, f"worker {number} {what}"))

    def _note(self, future: Future[Any]) -> None:
        super()._note(future)
        if not future.cancelled() and future.exception() is None:
            self._client.note_ended(future.result()["ended"])

    def _sample(self) -> Sample:
        self._shards = shards = self._sharded.shards()
        return replace(
            super()._sample(),
            shards=tuple(shard.tasks + shard.starting for shard in shards),
            workers=tuple(self._cluster.number_of(shard.worker) if shard.is_open else 0 for shard in shards),
        )

    def _gives_up(self) -> bool:
        return super()._gives_up() or self._is_hopeless()
