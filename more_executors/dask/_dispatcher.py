"""Sends calls to the workers of a cluster in packs, and hears what becomes of them.

Guarantees:

* Every call that was taken ends: by its outcome, as WorkerLost or as ClusterLost.
* A pack is begun once, on the worker it was sent to, unless `retries` says otherwise.
* The thread that sends calls no function of the user's; that which resolves futures does.
"""

from __future__ import annotations

import itertools
import logging
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from threading import Thread, current_thread
from time import monotonic
from typing import Any

from .._core import RemoteCall, RemoteCalls, Waker, log
from .._runtime.nested_calls import start_thread
from .._version import __version__
from ._connection import Connection
from ._errors import ClusterLost, another
from ._losses import Losses
from ._meter import DaskMeter
from ._pack import packed, run_pack, worker_facts
from ._pack_size import PackSize
from ._resolver import SECONDS_FOR_OUTCOME, Pack, Resolver
from ._workers import Worker, Workers

__all__: list[str] = []

SECONDS_BETWEEN_LOOKS = 1.0  # at which workers there are


class Dispatcher:
    """Two threads. What others call may be called from any thread, and from signal handlers."""

    def __init__(self, connection: Connection, retries: int, logger: logging.Logger, name: str) -> None:
        self.refusal: ClusterLost | None = None  # why no more are taken, for now
        self.is_closing = False
        self.meter = DaskMeter()
        self._connection = connection
        self._logger = logger
        self._waker = Waker()
        self.queue = RemoteCalls(logger, self._waker, 1, self._take_back)
        self._news: deque[tuple[Any, ...]] = deque()
        self._sent: dict[str, Pack] = {}  # who takes one out, ends its calls or sends them again
        self._workers = Workers()
        self._size = PackSize()
        self._names = map("more-executors-{}-{}".format, itertools.repeat(uuid.uuid4().hex), itertools.count())
        self._looked_at = -SECONDS_BETWEEN_LOOKS
        self._has_asked_for_workers = False
        tell = self._tell
        self._resolver = Resolver(
            self._sent, partial(tell, self._size.learn), self._fetched, partial(tell, self._lose_one), logger, name
        )
        self._losses = Losses(connection, self._workers, self._resolver, self._sent, retries, self.meter)
        self._again = self._losses.again
        self._sender = Thread(target=self._run, name=f"{name}-sender", daemon=True)
        try:
            start_thread(self._sender)
        except BaseException:
            self._resolver.end()
            raise

    # -- for others ---------------------------------------------------------------------------------------------------

    def submit(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
        """Send a call soon; returns a future. Raises ClusterLost."""
        if self.refusal is not None or self._connection.is_closed():
            raise another(self.refusal or ClusterLost("the client of Dask is closed"))
        return self.queue.submit(fn, args, kwargs)

    def _take_back(self, call: RemoteCall) -> None:
        self.cancel_waiting()  # there was a shutdown meanwhile

    def cancel_waiting(self) -> None:
        """Cancel what waits to be sent. Without a GIL, a deque cannot be copied while others change it."""
        with suppress(IndexError):
            while True:
                future = self.queue.waiting.popleft().future
                future.cancel()
                future.set_running_or_notify_cancel()  # for those who wait for several

    def close(self) -> None:
        """End when all calls have. Does not wait."""
        self.is_closing = True
        self._waker.set()

    def join(self) -> None:
        """Wait for that; but not on a thread that it would wait for."""
        if not self._resolver.is_current() and current_thread() is not self._sender:
            self._sender.join()
            self._resolver.join()

    def abandon(self, error: ClusterLost, *, cancels: bool) -> None:
        """Fail all that was sent, here and now, as the threads are gone or about to be. `cancels` it as well."""
        self.is_closing = True
        tasks = [pack.task for pack in self._sent.copy().values() if pack.task is not None]
        for name in list(self._sent):
            if (pack := self._sent.pop(name, None)) is not None:
                for call in pack.take():
                    with suppress(InvalidStateError):
                        call.future.set_exception(another(error))
        if cancels and tasks:
            self._connection.cancel(tasks)

    def outstanding(self) -> int:
        """About how many calls are not done."""
        return len(self.queue.waiting) + sum(
            len(pack.calls) for pack in (*self._again.copy(), *self._sent.copy().values())
        )

    # -- the thread that sends ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not (self.is_closing and self._is_idle()):
                try:
                    self._waker.wait(None if self._may_sleep() else SECONDS_BETWEEN_LOOKS)
                    self._hear()
                    if not self._may_sleep():
                        self._look()
                        if self._connection.is_up():
                            self._send()
                except Exception as error:
                    log(self._logger, logging.ERROR, "%s goes on after an error", current_thread().name, error=error)
                    self._waker.wait(SECONDS_BETWEEN_LOOKS)
        finally:
            self.queue.is_closed = True  # first: who submits after that takes the call back
            self.cancel_waiting()
            self._connection.close()
            self._resolver.end()

    def _is_idle(self) -> bool:
        return not (self.queue.waiting or self._again or self._sent or self._news)

    def _may_sleep(self) -> bool:
        """Whether there is nothing to do, nor to look whether calls can be taken again."""
        return self._is_idle() and (self.refusal is None or self._connection.is_closed())

    def _hear(self) -> None:
        while self._news:
            what, *details = self._news.popleft()
            what(*details)

    def _look(self) -> None:
        """See which workers there are, once in a while."""
        now = monotonic()
        if now - self._looked_at < SECONDS_BETWEEN_LOOKS:
            return
        try:
            found = self._connection.workers()
            if found is None:
                return
        except ClusterLost as error:
            self._lose_cluster(error)
            return
        self.refusal = None
        self._looked_at = monotonic()
        new, gone = self._workers.update(found)
        for worker in gone:
            self._losses.lose_worker(worker)
        for worker in new:
            task = self._submitted(worker_facts, worker)
            task.add_done_callback(partial(self._tell, self._probed, worker))
        if self._workers.are_all_unfit():
            self._give_up(ClusterLost(f"no worker can make calls: {self._workers.why_unfit}"))
        if not self._workers and not self._has_asked_for_workers:
            self._has_asked_for_workers = True  # a cluster that adapts makes some when there are tasks
            self._demand = self._connection.client.submit(worker_facts, key=next(self._names), pure=False)

    def _lose_cluster(self, error: ClusterLost) -> None:
        """Give up what was sent; and what waits too, if there is no other client."""
        self._losses.lose_sent(error)
        is_needed = not (self.is_closing and self._is_idle())
        if is_needed and self._connection.made_again():
            self._looked_at = -SECONDS_BETWEEN_LOOKS
            return
        self.refusal = error
        self._give_up(error)

    def _give_up(self, error: ClusterLost) -> None:
        """Fail what waits."""
        self._losses.lose_again(error)
        self._resolver.lose(iter(self._next_call, None), error)

    def _lose_one(self, name: str, is_cancelled: bool) -> None:
        self._losses.lose_one(name, is_cancelled)

    def _submitted(self, fn: Any, worker: Worker, *args: Any, name: str | None = None) -> Any:
        key = name or next(self._names)
        return self._connection.client.submit(
            fn, *args, key=key, workers=[worker.address], allow_other_workers=False, pure=False
        )

    def _tell(self, what: Any, *details: Any) -> None:
        self._news.append((what, *details))
        self._waker.set()

    def _probed(self, worker: Worker, task: Any) -> None:
        """The `worker` has answered."""
        try:
            version, worker.ident = task.result(SECONDS_FOR_OUTCOME)
            worker.is_fit = version == __version__
            why = f"it has more_executors {version}, and this is {__version__}"
        except Exception as error:
            if task.cancelled():
                return
            worker.is_fit = False
            why = f"{type(error).__name__}: {error}"
        if not worker.is_fit:
            self._workers.why_unfit = f"{worker.address}: {why}"
            log(self._logger, logging.ERROR, "the worker %s gets no calls: %s", worker.address, why)
            self._looked_at = -SECONDS_BETWEEN_LOOKS

    def _send(self) -> None:
        while self._again:
            with_outcomes = {pack.worker for pack in self._sent.copy().values()}  # which would be lost with them
            worker = self._workers.for_suspect(with_outcomes)
            if worker is None:
                break
            self._send_again(self._again.pop(0), worker)
        while self.queue.waiting:
            self._hear()  # who submits again what has come back finds the room that this left
            worker = self._workers.with_most_room(self._size.takes_long())
            if worker is None:
                return
            most = self._size.calls(len(self.queue.waiting), self._workers.threads())
            calls, encoded, failed = packed(self._next_call, most, self.queue.pack, [])
            self._resolver.fail(failed)
            if calls:
                self._send_pack(Pack(calls), encoded, worker)

    def _next_call(self) -> RemoteCall | None:
        """The next that is not cancelled: it is running from now on."""
        while self.queue.waiting:
            call = self.queue.waiting.popleft()
            if call.begin():
                return call
        return None

    def _send_again(self, pack: Pack, worker: Worker) -> None:
        left = iter(pack.calls)
        calls, encoded, failed = packed(lambda: next(left, None), len(pack.calls))
        self._resolver.fail(failed)
        rest = list(left)
        if rest:
            self._again.insert(0, Pack(rest, pack.losses))
        if calls:
            self.meter.calls_again += len(calls)
            self._send_pack(Pack(calls, pack.losses), encoded, worker)
        else:
            worker.has_suspect = False

    def _send_pack(self, pack: Pack, encoded: bytes, worker: Worker) -> None:
        pack.name, pack.worker = next(self._names), worker
        self._sent[pack.name] = pack
        worker.add(pack.name)
        self.meter.packs += 1
        try:
            pack.task = self._submitted(run_pack, worker, pack.name, worker.ident, encoded, name=pack.name)
            pack.task.add_done_callback(partial(self._came_back, pack))
        except BaseException as error:
            if self._sent.pop(pack.name, None) is not None:
                worker.back(pack.name)
                lost = ClusterLost("a pack could not be sent")
                lost.__cause__ = error
                self._resolver.lose(pack.take(), lost)

    def _came_back(self, pack: Pack, task: Any) -> None:
        """On a thread of Dask's."""
        pack.is_made = task.status == "finished"
        self._tell(pack.worker.made, pack.name)
        self._resolver.resolve(pack)

    def _fetched(self, pack: Pack) -> None:
        """On the thread that resolves."""
        self._tell(pack.worker.back, pack.name)
