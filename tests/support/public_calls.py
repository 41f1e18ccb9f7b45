"""Every public call, to be made in the midst of another one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exposition import exposition
from support import InThread, ScriptedDelegate

from more_executors import (
    Executors,
    PollExecutor,
    SyncExecutor,
    _core,
    f_and,
    f_apply,
    f_flat_map,
    f_map,
    f_nocancel,
    f_or,
    f_proxy,
    f_return,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
)
from more_executors.backoff import Backoff
from more_executors.journal import Journal
from more_executors.progress import progress
from more_executors.rate_limit import RateLimit
from more_executors.status_poll import StatusPoll


class World:
    """One of each of some things, made when `make` is told so, and futures of them that are pending."""

    def __init__(self, folder: Path) -> None:
        # Of its own: a journal stays open for as long as an executor uses it, which may end after `close`.
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._count = 0
        self.descriptors: list[Any] = []
        self.made: dict[str, Any] = {}

    def make(self, name: str) -> Any:
        if name not in self.made and name in MAKERS:
            self.made[name] = MAKERS[name](self)
        return self.made.get(name)

    def __getattr__(self, name: str) -> Any:
        return self.make(name)

    def keep(self, descriptors: list[Any]) -> float:
        self.descriptors = self.descriptors or descriptors
        return 3600.0

    def next(self) -> int:
        self._count += 1
        return self._count

    def close(self) -> None:
        for name in (
            "through",
            "poll",
            "whole",
            "map",
            "retry",
            "throttle",
            "timeout",
            "cancelling",
            "pool",
            "event_loop",
            "sync",
        ):
            if name in self.made:
                self.made[name].shutdown(cancel_futures=True)
        for name in ("journal", "recorded", "loop"):
            if name in self.made:
                self.made[name].close()
        self.descriptors.clear()


MAKERS: dict[str, Callable[[World], Any]] = {
    "limit": lambda w: RateLimit(1e6, burst=10**6),
    "low": lambda w: exhausted(RateLimit(1e-3)),
    "journal": lambda w: Journal(w._folder / f"{w.next()}.db"),
    "recorded": lambda w: Journal(w._folder / f"{w.next()}.db"),
    "pool": lambda w: Executors.thread_pool(max_workers=1),
    "sync": lambda w: SyncExecutor(),
    "delegate": lambda w: ScriptedDelegate(),
    "poll": lambda w: PollExecutor(
        SyncExecutor(),
        lambda descriptors: 3600.0,
        cancel_fn=lambda result: True,
        rate_limit=w.make("limit"),
        journal=w.make("recorded"),
        timeout=3600,
    ),
    "whole": lambda w: PollExecutor(SyncExecutor(), w.keep, cancel_many_fn=lambda results: [True] * len(results)),
    "map": lambda w: Executors.with_map(w.make("delegate"), str),
    "retry": lambda w: Executors.with_retry(w.make("delegate")),
    "throttle": lambda w: Executors.with_throttle(w.make("delegate"), 2),
    "timeout": lambda w: Executors.with_timeout(w.make("delegate"), 3600),
    "cancelling": lambda w: Executors.with_cancel_on_shutdown(w.make("delegate")),
    "event_loop": lambda w: Executors.event_loop(),
    "through": lambda w: SyncExecutor().with_poll(lambda descriptors: 3600.0).with_map().with_timeout(3600),
    "loop": lambda w: asyncio.new_event_loop(),
    "asyncio": lambda w: w.make("sync").with_asyncio(loop=w.make("loop")),
    "pending": lambda w: _core.Future(),
    "descriptor": lambda w: polled(w),
}


def exhausted(limit: RateLimit) -> RateLimit:
    limit.try_take()
    return limit


def polled(world: World) -> Callable[[], Any]:
    """What gives a descriptor that is being polled, a new one if the last was resolved."""

    def descriptor() -> Any:
        return world.descriptors[0]

    world.make("whole").adopt("task")
    while not world.descriptors:
        InThread(int).outcome()
    world.descriptors = world.descriptors.copy()
    return descriptor


Call = Callable[[World], object]

CALLS: dict[str, Call] = {
    "submit to map": lambda w: w.map.submit(int),
    "submit to retry": lambda w: w.retry.submit(int),
    "submit_retry": lambda w: w.retry.submit_retry(w.retry._policy, int),
    "submit to throttle": lambda w: w.throttle.submit(int),
    "submit to timeout": lambda w: w.timeout.submit(int),
    "submit_timeout": lambda w: w.timeout.submit_timeout(3600, int),
    "submit to cancel_on_shutdown": lambda w: w.cancelling.submit(int),
    "submit to sync": lambda w: w.sync.submit(int),
    "submit to thread_pool": lambda w: w.pool.submit(int),
    "submit to event_loop": lambda w: w.event_loop.submit(asyncio.sleep, 0),
    "cancel on event_loop": lambda w: w.event_loop.submit(asyncio.sleep, 3600).cancel(),
    "adopt through others": lambda w: w.through.adopt(w.next()),
    "cancel_all through others": lambda w: w.through.cancel_all(),
    "submit to asyncio": lambda w: w.asyncio.submit(int).cancel(),
    "submit_with_loop": lambda w: w.asyncio.submit_with_loop(w.loop, int).cancel(),
    "submit to poll": lambda w: w.poll.submit(w.next),
    "map": lambda w: list(w.sync.map(str, [1, 2])),
    "bind": lambda w: w.sync.bind(int)(),
    "flat_bind": lambda w: w.sync.flat_bind(f_return)(1),
    "notify": lambda w: w.poll.notify(),
    "adopt": lambda w: w.poll.adopt(w.next()),
    "adopt_many": lambda w: w.whole.adopt_many(range(3)),
    "resume": lambda w: w.poll.resume(),
    "flush_journal": lambda w: w.poll.flush_journal(),
    "release": lambda w: w.poll.release([w.poll.adopt(w.next())]),
    "cancel_all": lambda w: w.poll.cancel_all(),
    "cancel_all in bulk": lambda w: w.whole.cancel_all(),
    "outstanding": lambda w: w.poll.outstanding(),
    "stats": lambda w: w.poll.stats(),
    "_repr_html_": lambda w: w.poll._repr_html_(),
    "repr": lambda w: [repr(thing) for thing in (w.poll, w.limit, w.journal, w.pool, w.map, w.pending, w.sync)],
    "cancel": lambda w: w.poll.adopt(w.next()).cancel(),
    "cancel of map": lambda w: w.map.submit(int).cancel(),
    "cancel of retry": lambda w: w.retry.submit(int).cancel(),
    "result": lambda w: w.sync.submit(int).result(),
    "result(0)": lambda w: w.pending.result(0),
    "add_done_callback": lambda w: w.pending.add_done_callback(id),
    "set_result": lambda w: _core.Future().set_result(1),
    "yield_result": lambda w: w.descriptor().yield_result(1),
    "yield_exception": lambda w: w.descriptor().yield_exception(OSError()),
    "poll_after": lambda w: w.descriptor().poll_after(5),
    "report": lambda w: w.descriptor().report("running", 0.5),
    "try_take": lambda w: w.limit.try_take(),
    "take(0)": lambda w: w.low.take(0),
    "take": lambda w: w.limit.take(),
    "succeeded": lambda w: w.limit.succeeded(w.limit.clock()),
    "throttled": lambda w: w.limit.throttled(w.limit.clock()),
    "change": lambda w: w.limit.change(1e6, burst=10**6),
    "delay": lambda w: Backoff(1.0).delay(3),
    "a scrape": lambda w: exposition(),
    "make a journal": lambda w: Journal(w._folder / f"{w.next()}.db").close(),
    "write": lambda w: w.journal.write([(1, "value")], [2]),
    "read": lambda w: list(w.journal.outstanding()),
    "len": lambda w: len(w.journal),
    "progress": lambda w: show(w),
    "StatusPoll": lambda w: StatusPoll(lambda ids: {}, None, lambda descriptor, status: None)([]),
    "make a chain": lambda w: w.sync.with_map(str).with_flat_map(f_return).with_cancel_on_shutdown(),
    "make a limit": lambda w: RateLimit(5),
    "with_poll": lambda w: w.sync.with_poll(lambda descriptors: 3600.0).shutdown(),
    "with_throttle": lambda w: w.sync.with_throttle(1).shutdown(),
    "f_map": lambda w: f_map(f_return(1), str),
    "f_flat_map": lambda w: f_flat_map(f_return(1), f_return),
    "f_zip": lambda w: f_zip(f_return(1), _core.Future()).cancel(),
    "f_sequence": lambda w: f_sequence([f_return(1)]),
    "f_traverse": lambda w: f_traverse(f_return, [1]),
    "f_apply": lambda w: f_apply(f_return(int), f_return(1)),
    "f_or": lambda w: f_or(f_return(0), f_return(1)),
    "f_and": lambda w: f_and(f_return(0), f_return(1)),
    "f_nocancel": lambda w: f_nocancel(f_return(1)),
    "f_timeout": lambda w: f_timeout(_core.Future(), 3600).cancel(),
    "f_proxy": lambda w: len(f_proxy(f_return("x"))),
}

# After these, nothing else can be done.
LAST_CALLS: dict[str, Call] = {
    "shutdown": lambda w: w.poll.shutdown(cancel_futures=True),
    "leave": lambda w: w.poll.leave(),
    "shutdown without wait": lambda w: w.poll.shutdown(wait=False),
    "shutdown of map": lambda w: w.map.shutdown(wait=False, cancel_futures=True),
    "shutdown of retry": lambda w: w.retry.shutdown(cancel_futures=True),
    "shutdown of thread_pool": lambda w: w.pool.shutdown(),
    "shutdown of cancel_on_shutdown": lambda w: w.cancelling.shutdown(),
    "shutdown of event_loop": lambda w: w.event_loop.shutdown(cancel_futures=True),
    "close": lambda w: w.journal.close(),
}


def show(world: World) -> None:
    with progress([world.pending], disable=True):
        pass


def of_all(call: Call) -> set[str]:
    """What `call` needs of a world."""
    return set(call.__code__.co_names) | ({"pending"} if "show" in call.__code__.co_names else set())


def world_of(folder: Path, *calls: Call) -> World:
    """One with all that these need."""
    made = World(folder)
    for call in calls:
        for thing in sorted(of_all(call)):
            made.make(thing)
    return made
