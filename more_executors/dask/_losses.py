"""What becomes of packs that were sent, and whose worker, or whose cluster, is lost.

Guarantees:

* Every call of a pack that is lost fails, or is sent again, but only if `retries` says so.
* A pack whose worker was lost may have killed it: it is split, and sent again alone.
"""

from __future__ import annotations

from ._connection import Connection
from ._errors import ClusterLost, WorkerLost
from ._meter import DaskMeter
from ._resolver import Pack, Resolver
from ._workers import Worker, Workers

__all__: list[str] = []

PARTS = 16  # of a pack whose worker was lost


class Losses:
    """For one thread at a time: that which sends."""

    def __init__(
        self,
        connection: Connection,
        workers: Workers,
        resolver: Resolver,
        sent: dict[str, Pack],
        retries: int,
        meter: DaskMeter,
    ) -> None:
        self.again: list[Pack] = []  # that are to be sent once more; no deque, as others copy it
        self._connection = connection
        self._workers = workers
        self._resolver = resolver
        self._sent = sent
        self._retries = retries
        self._meter = meter

    def lose_worker(self, worker: Worker) -> None:
        """The `worker` is gone."""
        self._meter.workers_lost += 1
        for pack in self._sent.copy().values():  # also those that it is done with: it has their outcomes
            if pack.worker is worker:
                self._lose_pack(pack.name, f"the worker {worker.address} is gone")

    def lose_one(self, name: str, is_cancelled: bool) -> None:
        """The pack `name` was cancelled, or another worker got it."""
        if is_cancelled and not self._connection.is_up():
            if (pack := self._sent.pop(name, None)) is not None:
                pack.worker.back(name)
                error = ClusterLost("the scheduler is gone, and with it what had been sent")
                self._resolver.lose(pack.take(), error)
        else:
            why = "the cluster has cancelled it" if is_cancelled else "another worker has come in the place of that"
            self._lose_pack(name, why)

    def _lose_pack(self, name: str, why: str) -> None:
        pack = self._sent.pop(name, None)
        if pack is None:
            return
        pack.worker.back(name)
        if pack.task is not None:
            pack.task.release()
        calls = pack.take()
        if self._retries and len(calls) > 1:
            step = -(-len(calls) // PARTS)
            self.again.extend(Pack(calls[first : first + step]) for first in range(0, len(calls), step))
        elif pack.losses < self._retries:
            self.again.append(Pack(calls, pack.losses if pack.is_made else pack.losses + 1))
        else:
            self._resolver.lose(calls, WorkerLost(f"{why}: the call may have been made, or not"))

    def lose_sent(self, error: ClusterLost) -> None:
        """The cluster is gone, and with it all workers and what was sent."""
        self._workers.clear()
        sent = [self._sent.pop(name) for name in list(self._sent) if name in self._sent]
        for pack in sent:
            self._resolver.lose(pack.take(), error)

    def lose_again(self, error: ClusterLost) -> None:
        """Nobody will send again what was to be."""
        while self.again:
            self._resolver.lose(self.again.pop(0).take(), error)
