"""Workers of a cluster that are all in this process, and calls of them that are lost, late or made twice as asked."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from dask_support import wait_until
from support import PATIENCE

from more_executors import Executors
from more_executors.dask import Shard, ShardedPollExecutor
from more_executors.dask.sharded import _executor, _host, _on_worker
from more_executors.poll import PollExecutor

STEP = 4.0  # seconds: see `pass_seconds`
REQUEST_LOST, REPLY_LOST, TWICE = "request lost", "reply lost", "twice"


class Clock:
    """Goes on when it is told to, and by itself too: so nothing that waits for it does so for ever."""

    def __init__(self) -> None:
        from time import monotonic

        self._real = monotonic
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._real() + self.ahead


class FakeWorkers:
    """Stands for a connection, and makes a transport. Workers are addresses; the shards of all are in this process."""

    is_ours = True
    client: Any = None

    def __init__(self, count: int) -> None:
        self.addresses = [f"worker-{number}" for number in range(count)]
        self.shards: dict[str, set[str]] = {address: set() for address in self.addresses}
        self.frozen: set[str] = set()  # of them, nothing comes back
        self.is_silent = False  # the scheduler
        self.clock = Clock()
        self.calls: list[tuple[str, str]] = []  # address and function
        self.fault: Callable[[str, Any], str | None] = lambda address, function: None
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="workers", daemon=True)
        self._thread.start()
        self._openings: list[Any] = []
        self._kinds = itertools.count()
        self._ids = {address: str(next(self._kinds)) for address in self.addresses}

    # -- what a Connection does ---------------------------------------------------------------------------------------

    def workers(self) -> dict[str, dict[str, Any]]:
        return {address: {"id": self._ids[address], "status": "running"} for address in self.addresses}

    def is_closed(self) -> bool:
        return False

    def is_making(self) -> bool:
        return False

    def heard(self) -> None:
        pass

    def made_again(self, *, waits: bool) -> bool:
        return False

    def close(self) -> None:
        pass

    # -- what a Transport does ----------------------------------------------------------------------------------------

    @property
    def connection(self) -> FakeWorkers:
        return self

    def look(self, seconds: float, then: Callable[[Any, Any], object]) -> None:
        async def look() -> None:
            if self.is_silent:
                then(None, OSError("no scheduler"))
            else:
                then(self.workers(), None)

        asyncio.run_coroutine_threadsafe(look(), self.loop)

    def call(self, address: str, function: Any, *args: Any, seconds: float, then: Callable[[Any, Any], object]) -> None:
        call = asyncio.run_coroutine_threadsafe(self._call(address, function, args, seconds, then), self.loop)
        if function is _on_worker.open_shard:
            self._openings.append(call)

    async def _call(self, address: str, function: Any, args: Any, seconds: float, then: Any) -> None:
        self.calls.append((address, function.__name__))
        if address not in self.addresses:
            then(None, OSError(f"{address} is gone"))
            return
        fault = self.fault(address, function)
        if address in self.frozen or fault == REQUEST_LOST:
            return
        if function is _on_worker.open_shard:
            self.shards[address].add(args[0])
        try:
            if fault == TWICE:
                await function(*args)
            answer = await asyncio.wait_for(function(*args), seconds)
        except Exception as error:
            then(None, error)
            return
        finally:
            if function is _on_worker.open_shard and address not in self.addresses:
                self._end_shard(args[0])  # which was made a moment too late
        if fault != REPLY_LOST and address not in self.frozen and address in self.addresses:
            then(answer, None)

    def pass_seconds(self, executor: ShardedPollExecutor[Any, Any, Any], seconds: float) -> None:
        """Have time go on, in steps in which the client calls each shard; return when those that answer have done so.

        A client counts no more than half of its `timeout` at once: more is time that it was held up for.
        """
        until = self.clock() + seconds
        silent = {*self.frozen, ""}  # addresses
        while self.clock() < until:
            self.pass_some(executor)
            wait_until(lambda: all(shard.heard < STEP or shard.worker in silent for shard in executor.shards()))

    def pass_some(self, executor: ShardedPollExecutor[Any, Any, Any]) -> None:
        """One of these steps; the scheduler is heard, so it is not taken for gone."""
        self.clock.ahead += STEP
        executor.notify()
        let_coordinator_look(executor)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(PATIENCE)  # what it asked is answered
        let_coordinator_look(executor)

    # -- what becomes of workers --------------------------------------------------------------------------------------

    def add(self, address: str) -> None:
        """There is one more."""
        self._ids[address] = str(next(self._kinds))
        self.shards.setdefault(address, set())
        self.addresses.append(address)

    def kill(self, address: str) -> None:
        """It is gone, and with it all that its shards did and knew."""
        self.addresses.remove(address)
        for name in self.shards.pop(address):
            self._end_shard(name)

    def _end_shard(self, name: str) -> None:
        if (host := _on_worker._hosts.pop(name, None)) is not None:
            host.stop("its worker is killed")
            host.close()

    def end(self) -> None:
        for address in list(self.addresses):
            self.kill(address)
        wait(self._openings, PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())  # its threads have what they called last
        self.loop.close()


@contextmanager
def fake_workers(count: int = 2) -> Iterator[FakeWorkers]:
    """So many; a ShardedPollExecutor that is made meanwhile has them."""
    workers = FakeWorkers(count)
    with (
        mock.patch.object(_executor, "Connection", return_value=workers),
        mock.patch.object(_executor, "Transport", return_value=workers),
        mock.patch.object(_executor, "Coordinator", partial(_executor.Coordinator, clock=workers.clock)),
        mock.patch.object(_on_worker, "ShardHost", partial(_host.ShardHost, clock=workers.clock)),
        mock.patch.object(_on_worker, "ShareLimit", partial(_on_worker.ShareLimit, workers.clock)),
    ):
        try:
            yield workers
        finally:
            workers.end()


class Books:
    """A service, and what it knows."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.created: list[Any] = []  # what tasks were started with
        self.polled: set[str] = set()
        self.sizes: list[int] = []  # of calls that start many
        self.cancelled: list[str] = []
        self.outcomes: dict[str, Any] = {}  # of ids that are to end; others go on
        self.ends_at_once = True
        self.state: str | None = None  # of those that go on
        self.by_token: dict[str, str] = {}

    def start(self, what: Any, token: str | None = None) -> str:
        with self.lock:
            if token is not None and token in self.by_token:
                return self.by_token[token]
            self.created.append(what)
            ident = f"task-{what}-{len(self.created)}"
            if token is not None:
                self.by_token[token] = ident
            return ident

    def start_many(self, items: list[Any]) -> Any:
        self.sizes.append(len(items))
        if "refused" in items:
            raise KeyError("refused")
        return (self.start(item) for item in items if item != "left out")

    def poll(self, descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            self.polled.add(descriptor.result)
            if descriptor.result in self.outcomes:
                descriptor.yield_result(self.outcomes[descriptor.result])
            elif self.ends_at_once:
                descriptor.yield_result(f"{descriptor.result} done")
            else:
                descriptor.report(self.state)

    def cancel(self, ident: str) -> bool:
        self.cancelled.append(ident)
        return True

    def __reduce__(self) -> Any:
        return the_books, ()  # it is one and the same for all workers


_books: list[Books] = []


def new_books() -> Books:
    _books[:] = [Books()]
    return _books[0]


def the_books() -> Books:
    return _books[0]


def make_shard() -> PollExecutor[Any, Any, Any]:
    books = the_books()
    return Executors.thread_pool(2).with_poll(books.poll, books.cancel, default_interval=0.01)


def make_shard_that_starts_many() -> Shard:
    return Shard(make_shard(), the_books().start_many)


def sharded_executor(**options: Any) -> ShardedPollExecutor[Any, Any, Any]:
    """On the fake workers that there are."""
    return ShardedPollExecutor("fake", **{"make": make_shard, "lease": 30.0, "name": "it", **options})


def let_coordinator_look(executor: ShardedPollExecutor[Any, Any, Any]) -> None:
    """Return when the thread of the client has done what is due now."""
    for _ in range(2):  # when the second one is told, that is done
        is_told = threading.Event()
        executor._coordinator.tell(is_told.set)
        assert is_told.wait(PATIENCE)


def start_task(what: Any, token: str | None = None) -> str:
    """Submitted, it starts a task of the service."""
    return the_books().start(what, token)


class Gate:
    """What a start function waits for."""

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self.go = threading.Event()


_gates: list[Gate] = []


def new_gate() -> Gate:
    _gates[:] = [Gate()]
    return _gates[0]


def start_slowly(what: Any, token: str | None = None) -> str:
    gate = _gates[0]
    gate.came.release()
    gate.go.wait(PATIENCE)
    return start_task(what, token)


def start_and_wait(what: Any, token: str | None = None) -> str:
    gate = _gates[0]
    ident = start_task(what, token)
    gate.came.release()
    gate.go.wait(PATIENCE)
    return ident
