"""What each executor and each function is put through by itself, by the public API alone; see `workload`.

The executors stand on a sync delegate, so that what is measured is them. The functions are given futures of the
standard library, which are then made done one after the other.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from more_executors import (
    Executors,
    f_and,
    f_apply,
    f_flat_map,
    f_map,
    f_nocancel,
    f_or,
    f_proxy,
    f_return,
    f_return_cancelled,
    f_return_error,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
)

from .workload import resolve

LONG = 3600.0
ERROR = ValueError()

Futures = list[Future[Any]]
Derive = Callable[[Future[Any]], Future[Any]]
Combine = Callable[[Futures], Future[Any]]


def nothing(prepared: object) -> None:
    """There is nothing to put away."""


def identity(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Work:
    """What is timed is `run`, with what `prepare(count)` made; `finish` gets that afterwards."""

    prepare: Callable[[int], Any]
    run: Callable[[Any], object]
    finish: Callable[[Any], object] = nothing

    def seconds(self, count: int, rounds: int = 3) -> float:
        """What one of `count` takes, in the best of the rounds."""
        return min(self._seconds(count) for _ in range(rounds)) / count

    def _seconds(self, count: int) -> float:
        prepared = self.prepare(count)
        gc.collect()
        start = perf_counter()
        self.run(prepared)
        seconds = perf_counter() - start
        self.finish(prepared)
        return seconds


# -- executors ---------------------------------------------------------------------------------------------------------


class Lives:
    """From submit to done, of so many at a time; all futures are kept."""

    def __init__(self, executor: Executor, count: int) -> None:
        self.executor = executor
        self.count = count
        self.futures: Futures = []
        executor.submit(int).result()  # all threads are there

    def live(self) -> None:
        submit = self.executor.submit
        self.futures = [submit(int) for _ in range(self.count)]
        for future in self.futures:
            future.result()

    def close(self) -> None:
        self.executor.shutdown()


class AsyncioLives:
    """The same where the futures are those of an event loop."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.loop = asyncio.new_event_loop()
        self.executor = Executors.sync().with_asyncio()

    def live(self) -> None:
        self.loop.run_until_complete(self._gather())

    async def _gather(self) -> None:
        submit = self.executor.submit
        await asyncio.gather(*[submit(int) for _ in range(self.count)])

    def close(self) -> None:
        self.executor.shutdown()
        self.loop.close()


def through(make: Callable[[], Executor]) -> Work:
    return Work(lambda count: Lives(make(), count), Lives.live, Lives.close)


EXECUTORS = {
    "sync": through(Executors.sync),
    "with_map": through(lambda: Executors.sync().with_map(identity)),
    "with_flat_map": through(lambda: Executors.sync().with_flat_map(f_return)),
    "with_retry": through(lambda: Executors.sync().with_retry()),
    "with_throttle": through(lambda: Executors.sync().with_throttle(4)),
    "with_timeout": through(lambda: Executors.sync().with_timeout(LONG)),
    "with_cancel_on_shutdown": through(lambda: Executors.sync().with_cancel_on_shutdown()),
    "with_poll": through(lambda: Executors.sync().with_poll(resolve)),
    "with_asyncio": Work(AsyncioLives, AsyncioLives.live, AsyncioLives.close),
}

# -- functions ---------------------------------------------------------------------------------------------------------


class Pending:
    """Futures that nobody has made done yet."""

    def __init__(self, count: int) -> None:
        collecting = gc.isenabled()
        gc.disable()  # it would take longer than all the rest
        self.inputs: Futures = [Future() for _ in range(count)]
        if collecting:
            gc.enable()

    def make_done(self, result: object) -> None:
        for source in self.inputs:
            source.set_result(result)


def made(create: Callable[[], Future[Any]]) -> Work:
    return Work(identity, lambda count: [create() for _ in range(count)])


def made_from_one(derive: Derive) -> Work:
    def run(pending: Pending) -> None:
        outputs = [derive(source) for source in pending.inputs]
        pending.make_done(1)
        for output in outputs:
            output.result()

    return Work(Pending, run)


def made_from_many(combine: Combine, result: object) -> Work:
    """All inputs count: `result` decides nothing before the last of them."""

    def run(pending: Pending) -> None:
        output = combine(pending.inputs)
        pending.make_done(result)
        output.result(LONG)

    return Work(Pending, run)


class Deep:
    """Maps of maps: each future is made from the one before."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.source: Future[Any] = Future()

    def run(self) -> None:
        output = self.source
        for _ in range(self.depth):
            output = f_map(output, identity)
        self.source.set_result(1)
        output.result(LONG)


FUNCTIONS = {
    "f_return": made(f_return),
    "f_return_error": made(lambda: f_return_error(ERROR)),
    "f_return_cancelled": made(f_return_cancelled),
    "f_map": made_from_one(lambda future: f_map(future, identity)),
    "f_flat_map": made_from_one(lambda future: f_flat_map(future, f_return)),
    "f_apply": made_from_one(lambda future: f_apply(f_return(identity), future)),
    "f_nocancel": made_from_one(f_nocancel),
    "f_timeout": made_from_one(lambda future: f_timeout(future, LONG)),
    "f_proxy": made_from_one(f_proxy),
}

GATHERING = {
    "f_zip": made_from_many(lambda inputs: f_zip(*inputs), 1),
    "f_sequence": made_from_many(f_sequence, 1),
    "f_traverse": made_from_many(lambda inputs: f_traverse(identity, inputs), 1),
    "f_or": made_from_many(lambda inputs: f_or(*inputs), 0),
    "f_and": made_from_many(lambda inputs: f_and(*inputs), 1),
}

# -- more than one layer -----------------------------------------------------------------------------------------------


POOL_WORKERS = 4


def chain() -> Any:
    pool = Executors.thread_pool(max_workers=POOL_WORKERS)
    return pool.with_retry().with_map(identity).with_throttle(1000).with_timeout(LONG).with_poll(resolve)


CHAIN = through(chain)
CHAIN_LENGTH = 6
DEEP = Work(Deep, Deep.run)
