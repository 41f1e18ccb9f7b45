"""A poll executor whose tasks are started and polled by the workers of a cluster of Dask."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from math import inf
from threading import TIMEOUT_MAX
from typing import Any, cast

from ..._callables import check_callable, check_optional_callable
from ..._checks import (
    check_name,
    check_optional,
    checked_count,
    checked_duration,
    checked_seconds,
    chosen_logger,
    iterated,
    shown,
)
from ..._core import check_threads
from ..._runtime.delegate import Delegate
from ..._types import A, B, T
from ...journal import JournalLike, Keys
from ...poll import PollExecutor
from ...poll._engine import PollEngine
from ...poll._options import PollOptions
from ...poll.stats import OutstandingTask, PollStats
from ...rate_limit import RateLimit
from .._connection import ClientSource, Connection
from .._outcomes import pickled
from ._batches import MakeShard, start_item
from ._coordinator import Coordinator
from ._delegate import ShardDelegate
from ._engine import ShardedEngine
from ._html import shards_table
from ._service import ShardService
from ._stats import ShardStats, gauges_of, stats_of, with_shards
from ._transport import Transport

__all__ = ["ShardedPollExecutor"]

LEASES_UNTIL_LOST = 3  # see Exchanger
SHARDS_FOR_EACH_WORKER = 2  # so that one can go to a worker that comes later


class ShardedPollExecutor(PollExecutor[A, B, T]):
    """Has the workers of a Dask cluster start tasks of a service and poll them; futures are here.

    The work is shared out to shards: each is a `PollExecutor` on a worker, made there by a function of yours. What is
    submitted is called there. A future ends as the descriptor on the worker is resolved.

        def make():
            service = Service()
            return Executors.thread_pool(16).with_poll(service.poll, service.cancel, batch_size=500)

        with ShardedPollExecutor("tcp://scheduler:8786", make) as executor:
            futures = executor.submit_many(start, jobs)

    A shard whose client is silent starts nothing more. If a worker is lost, its tasks are polled by another one; what
    it was asked to start, without saying that it did, fails with `ShardLost`, which is a `StartInDoubt`: `submit_once`
    and `keys` say what becomes of that. Beside that it does what a `PollExecutor` does.

    All methods may be called from any thread.
    """

    _kind = "ShardedPollExecutor"

    def __init__(
        self,
        client: ClientSource,
        make: MakeShard[A, B, T],
        *,
        shards: int | None = None,
        group_by: Callable[..., Any] | None = None,
        lease: float = 10.0,
        timeout: float = 10.0,
        patience: float = 60.0,
        rate_limit: RateLimit | None = None,
        journal: JournalLike | None = None,
        keys: Keys | None = None,
        logger: logging.Logger | None = None,
        name: str = "default",
    ) -> None:
        """Connect, and make the shards.

        Args:
            client: a `distributed.Client`, which is left open by `shutdown`; or the address of a scheduler, or a
                function that returns a client: these make one, make another when it is lost, and close it.
            make: returns a new `PollExecutor`, on a worker, or a `Shard` that has one and more. It is sent there by
                cloudpickle. What is submitted has to return the task's id there: there must be no layer above its pool
                that makes something else of that.
            shards: how many; by default two for each worker. At most so many workers take part.
            group_by: gets the arguments of a call, and returns something hashable: calls for which that is equal go
                to the same shard. By default all shards get as many.
            lease: seconds. A shard that has not heard its client for so long stops; one that has not answered for three
                times as long is taken for lost, where time that this process was stopped for does not count. In the
                next run, a `find_fn` is asked for keys in doubt three times as long after the beginning at the
                earliest; so that run must not have a shorter one.
            timeout: for so many seconds a scheduler may be silent before it is taken for lost, and `make` may take.
            patience: for so many seconds all is kept when there is no worker. Then it fails with `ClusterLost`.
            rate_limit: how often the service may be called by all shards together. `make` gets, as its only argument,
                the `RateLimit` that is the shard's share of it, for `with_poll(..., rate_limit=...)`, and for functions
                that start tasks, which may `take` from it. Give it to nothing else here: calls that take from it
                here come on top.
            journal: keeps what is polled on record, for `resume` in another process.
            keys: how `submit_once` works with a `journal`; by default, `Keys()`.
            logger: by default the logger "ShardedPollExecutor".
            name: ends the names of the threads.

        Raises TypeError or ValueError if one of these cannot be used, ClusterLost if no scheduler answers or there is
        no worker, and what `make` raises, as do workers that do not have this library, in this version: then nothing
        of it is left.
        """
        check_threads()
        check_name(name)
        check_callable("make", make)
        check_optional_callable("group_by", group_by)
        count = None if shards is None else checked_count("shards", shards)
        lease = checked_duration("lease", lease)
        timeout = checked_duration("timeout", timeout)
        patience = checked_seconds("patience", patience)
        check_optional("rate_limit", rate_limit, RateLimit)
        try:
            encoded = pickled(make)
        except Exception as error:
            raise TypeError(f"make cannot be sent to a worker: {shown(make)}") from error
        logger = chosen_logger(logger, self._kind)
        connection = Connection(client, timeout)
        try:
            self._coordinator = coordinator = Coordinator(
                Transport(connection),
                encoded,
                count or SHARDS_FOR_EACH_WORKER * max(1, len(connection.workers() or ())),
                lease=lease,
                timeout=timeout,
                patience=patience,
                waits_for_doubtful=keys is not None and keys.find_fn is not None,
                rate_limit=rate_limit,
                logger=logger,
                name=f"{self._kind}-{name}",
                uid=f"{name}-{uuid.uuid4().hex}",
            )
        except BaseException:
            connection.close()
            raise
        try:
            coordinator.start()
            coordinator.wait_until_open(timeout)
            self._service = ShardService(coordinator, lease)
            delegate = ShardDelegate(coordinator, group_by, f"{self._kind}-{name}")
        except BaseException:
            coordinator.close()
            coordinator.join()
            raise
        try:
            super().__init__(
                cast("Any", delegate),
                self._service.claim,
                None,
                inf,
                logger,
                name,
                batch_size=10_000,
                cancel_many_fn=self._service.cancel,
                journal=journal,
                keys=keys,
            )
        except BaseException:
            delegate.shutdown()
            raise
        self._engine.ask_later(LEASES_UNTIL_LOST * lease)  # shards of an earlier run, which was killed, may go on
        coordinator.resolver.fail_all = self._poll_table.fail_all
        if self._engine.recorder is not None:
            coordinator.resolver.flush = self._engine.recorder.flush

    def _new_engine(self, options: PollOptions, delegate: Delegate, name: str) -> PollEngine:
        coordinator = self._coordinator
        counts = [link.counts for link in coordinator.links]
        return ShardedEngine(coordinator.register, counts, options, delegate, self._logger, name, self._debugging)

    def submit_many(self, fn: Callable[[Any], A], items: Iterable[Any]) -> list[Future[B]]:
        """`submit(fn, item)` for each of `items`; returns the futures in the same order.

        Raises TypeError if `items` cannot be iterated over, and what `submit` does; then those before go on.
        """
        return [self.submit(fn, item) for item in iterated("items", items, "items (for one of them there is `submit`)")]

    def start_many(self, items: Iterable[Any]) -> list[Future[B]]:
        """Have a task started for each of `items`, by the `start_many_fn` of a shard; returns the futures in order.

        So the service is called once for up to a thousand of them. If `make` returned no `Shard` with such a function,
        the futures fail with TypeError. `group_by` gets an item. Raises what `submit_many` does.
        """
        return [self.submit(start_item, item) for item in iterated("items", items, "items")]

    def notify(self) -> None:
        """Have all shards poll everything that is outstanding as soon as possible. Returns at once."""
        self._coordinator.tell(self._coordinator.poll)

    def release(self, futures: Iterable[Future[Any]]) -> list[T]:
        """See `PollExecutor.release`. The shards poll the tasks no more, a moment later."""
        results = super().release(futures)
        self._service.release(results)
        return results

    def drain(self, worker: str, timeout: float = 60.0) -> bool:
        """Have no shards on the `worker` with this address any more, so that it can be ended without losses.

        Its shards finish what they are just starting, and others take over. Do that before `Client.retire_workers`, or
        before scaling down. Another worker that comes at that address gets shards. Returns whether it has none now;
        after `timeout` seconds at the latest. Raises ValueError if there is no such worker.
        """
        if not isinstance(worker, str):
            raise TypeError(f"worker must be the address of one, not {shown(worker)}")
        return self._service.drain(worker, checked_seconds("timeout", timeout))

    def shards(self) -> list[ShardStats]:
        """A record of figures about each shard."""
        coordinator = self._coordinator
        now, are_limited = coordinator.clock.look(), coordinator.shares.are_limited
        return [stats_of(link, now, are_limited) for link in coordinator.links]

    def outstanding(self, timeout: float = 5.0) -> list[OutstandingTask]:
        """A list of all tasks that are polled, in order of arrival. Costs some microseconds for each.

        How often each was polled, and what the poll function reported, is known to its shard alone: all are asked, and
        waited for, `timeout` seconds at most; 0 asks none. Of tasks that none has told of, `polls`, `state` and
        `progress` are None, and `failures` is 0.
        """
        seconds = min(checked_seconds("timeout", timeout), TIMEOUT_MAX)
        rows = super().outstanding()
        return self._service.look_at(rows, seconds) if rows and seconds else rows

    def stats(self) -> PollStats:
        """A record of figures about polling: what shards know alone is the sum over all of them, as last heard.

        `calls`, `errors` and `throttled` include what was heard of earlier generations, which were lost or moved.
        """
        return with_shards(super().stats(), self.shards())

    def _gauges(self) -> dict[str, float]:
        return {**super()._gauges(), **gauges_of(self.shards())}

    def _states(self) -> Mapping[str, int]:
        return self.stats().states

    def _repr_html_(self) -> str:
        return super()._repr_html_() + shards_table(self.shards())
