"""Each operation without memory for a moment: every future ends all the same, and every thread goes on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from starving import PATIENCE, Hunger, Logger, Sleep, until

from more_executors import (
    Backoff,
    CancelOnShutdownExecutor,
    FlatMapExecutor,
    MapExecutor,
    PollExecutor,
    RateLimit,
    RetryExecutor,
    RetryPolicy,
    SyncExecutor,
    ThrottleExecutor,
    TimeoutExecutor,
    _core,
)
from more_executors.futures import f_and, f_apply, f_flat_map, f_map, f_or, f_return, f_sequence, f_timeout, f_zip

OPERATIONS: dict[str, Callable[[Hunger], None]] = {}

for count in range(4):
    f_zip(*[f_return()] * count)  # makes the type of its results, in which CPython itself needs memory


def operation(function: Callable[[Hunger], None]) -> Callable[[Hunger], None]:
    OPERATIONS[function.__name__] = function
    return function


def is_balanced(executor: Any) -> None:
    """After its shutdown: everything has ended, and is counted so."""
    assert len(executor._table) == 0
    counters = executor._table.counters
    assert counters.pending == 0, counters
    if isinstance(executor, PollExecutor):
        rounds = executor._engine.scheduler
        assert rounds.in_calls == 0
        runner = getattr(rounds, "_runner", None)
        assert executor._engine.calls.going_on.count == 0
        assert executor._engine.callers._unfinished.count == 0
        going_on = getattr(runner, "_going_on", None)
        assert not going_on, going_on


def ended(future: Future[Any]) -> None:
    assert future.done() or future.exception(PATIENCE) is not future  # waits


# -- submitting ------------------------------------------------------------------------------------------------------


class Poll:
    """Resolves what it is asked about, unless it is to wait."""

    def __init__(self, waits: bool = False) -> None:
        self.waits = waits
        self.seen: list[Any] = []
        self.calls = 0

    def __call__(self, descriptors: list[Any]) -> None:
        self.calls += 1
        self.seen = descriptors
        if not self.waits:
            for descriptor in descriptors:
                descriptor.yield_result(descriptor.result)


def poller(poll: Any = None, **options: Any) -> PollExecutor[Any, Any]:
    options = {"logger": Logger(), "default_interval": 60.0, "min_interval": 0.0, **options}
    return PollExecutor(SyncExecutor(), poll or Poll(), **options)


def same(value: Any) -> Any:
    return value


MAKERS: dict[str, Callable[[], Any]] = {
    "map": lambda: MapExecutor(SyncExecutor(), same, Logger()),
    "flat_map": lambda: FlatMapExecutor(SyncExecutor(), f_return, Logger()),
    "poll": poller,
    "poll_what_is_due": lambda: poller(schedule=Backoff(0.001)),
    "poll_with_deadlines": lambda: poller(timeout=60.0),
    "retry": lambda: RetryExecutor(SyncExecutor(), logger=Logger()),
    "throttle": lambda: ThrottleExecutor(SyncExecutor(), 2, Logger()),
    "throttle_block": lambda: ThrottleExecutor(SyncExecutor(), 2, Logger(), block=True),
    "timeout": lambda: TimeoutExecutor(SyncExecutor(), 60.0, Logger()),
    "cancel_on_shutdown": lambda: CancelOnShutdownExecutor(SyncExecutor(), Logger()),
}


def submitting(make: Callable[[], Any]) -> Callable[[Hunger], None]:
    def submit(hunger: Hunger) -> None:
        executor = make()
        futures: list[Any] = [None]

        def starving() -> None:
            futures[0] = executor.submit(same, 1)

        hunger.here(starving)
        if futures[0] is None:
            until(lambda: len(executor._table) == 0, "a future is outstanding that nobody has")
        else:
            ended(futures[0])
        assert executor.submit(same, 2).result(PATIENCE) == 2
        executor.shutdown()
        is_balanced(executor)

    return submit


for kind, maker in MAKERS.items():
    OPERATIONS[f"submit_{kind}"] = submitting(maker)


@operation
def submit_remotely(hunger: Hunger) -> None:
    others = [deque([0]) for _ in range(50)]  # have the memory that the interpreter kept of those that are gone
    calls = _core.RemoteCalls(Logger(), _core.Waker(), 1, print)
    for _ in range(100):  # a queue asks for memory once in 64 calls
        hunger.here(lambda: calls.submit(same, (1,), {}))
        assert calls.counters.pending == len(calls.waiting)
    for call in calls.waiting:
        assert call.future.cancel()
    assert calls.counters.pending == 0
    del others


@operation
def adopt(hunger: Hunger) -> None:
    executor = poller(schedule=Backoff(0.001))
    hunger.here(lambda: executor.adopt(1))
    assert executor.adopt(2).result(PATIENCE) == 2
    executor.shutdown()
    is_balanced(executor)


@operation
def adopt_many(hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll)
    futures: list[Any] = [None]

    def starving() -> None:
        futures[0] = executor.adopt_many(range(20))

    if not hunger.here(starving) and futures[0] is None:
        assert len(executor._table) == 0
    poll.waits = False
    executor.notify()
    executor.shutdown()
    is_balanced(executor)


# -- ending ----------------------------------------------------------------------------------------------------------


@operation
def resolve(hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll, schedule=Backoff(60.0))
    future = executor.submit(same, 1)
    until(lambda: poll.seen, "not polled")
    (descriptor,) = poll.seen
    poll.waits = False
    loop = asyncio.new_event_loop()
    bridge = _core.LoopBridge(loop)
    crossing = [loop.create_future(), loop.create_future()]
    bridge.connect(future, crossing[0])
    other: Future[Any] = Future()
    pending: Future[Any] = Future()
    made = [
        f_map(future, same),
        f_flat_map(future, f_return),
        f_zip(future, f_return()),
        f_sequence([future, f_return()]),
        f_or(pending, future),
        f_and(future, f_return(1)),
        f_apply(f_return(same), future),
        f_timeout(future, 60.0),
    ]
    future.add_done_callback(len)  # which fails
    for _ in range(20):
        made.append(f_map(made[-1], same))
    if not hunger.here(lambda: descriptor.yield_result(1)):
        descriptor.yield_result(1)
    assert future.done()
    for number, future in enumerate(made):
        assert future.done(), number
    bridge.connect(other, crossing[1])
    other.set_result(1)
    loop.run_until_complete(asyncio.wait(crossing, timeout=PATIENCE))
    assert all(target.done() for target in crossing)
    loop.close()
    executor.shutdown()
    is_balanced(executor)


@operation
def cancel(hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll, cancel_fn=lambda result: True, timeout=60.0)
    future = executor.submit(same, 1)
    made = f_sequence([future, Future()])
    hunger.here(future.cancel)
    assert future.cancel()
    assert made.done()
    poll.waits = False
    executor.shutdown()
    is_balanced(executor)


@operation
def cancel_all(hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll, cancel_many_fn=lambda results: [True] * len(results), batch_size=3)
    futures = executor.adopt_many(range(8))
    hunger.here(executor.cancel_all)
    for future in futures[:3]:
        assert future.done() or future.cancel()
    executor.cancel_all()
    assert all(future.cancelled() for future in futures)
    poll.waits = False
    executor.shutdown()
    is_balanced(executor)


@operation
def combine(hunger: Hunger) -> None:
    sources: list[Future[Any]] = [Future() for _ in range(3)]
    before = [future_source.counters.pending for future_source in future_sources()]
    hunger.here(
        lambda: (
            f_zip(*sources),
            f_or(*sources),
            f_map(sources[0], same),
            f_apply(*sources),
            f_sequence(sources),
        )
    )
    for source in sources:
        source.cancel()
    assert [future_source.counters.pending for future_source in future_sources()] == before


def future_sources() -> list[Any]:
    from more_executors.futures import collect, logic, transform

    return [collect._zipped, logic._or, transform._mapped, collect._applied, collect._sequenced]


@operation
def rate_limit(hunger: Hunger) -> None:
    limit = RateLimit(1e9)
    hunger.here(lambda: (limit.try_take(), limit.take(1.0), limit.throttled(limit.clock()), limit.succeeded(0.0)))
    assert limit.take(PATIENCE)


# -- on threads ------------------------------------------------------------------------------------------------------


def starving_turn(executor: Any, hunger: Hunger, wake: Callable[[], object]) -> None:
    """Have the thread of `executor` starve while it does what `wake()` wakes it for."""
    worker = executor._worker
    worker._waker = sleep = Sleep(worker._waker, "wait")
    executor._table.waker.set()
    until(lambda: sleep.falls_asleep, "the thread has not fallen asleep")
    sleep.hunger = hunger
    wake()
    hunger.wait()


def polling_turn(**options: Any) -> Callable[[Hunger], None]:
    def turn(hunger: Hunger) -> None:
        poll = Poll(waits=True)
        executor = poller(poll, retry_policy=options.pop("retry_policy", None), **options)
        futures = executor.adopt_many(range(20))
        until(lambda: poll.seen, "not polled")
        starving_turn(executor, hunger, executor.notify)
        poll.waits = False
        executor.notify()
        for future in futures:
            ended(future)
        assert executor.submit(same, 3).result(PATIENCE) == 3
        executor.shutdown()
        is_balanced(executor)

    return turn


TURNS: dict[str, dict[str, Any]] = {
    "whole_list": {},
    "due": {"schedule": Backoff(60.0)},
    "due_in_batches": {"batch_size": 7, "group_by": lambda number: number % 3},
    "due_with_rate_limit": {"rate_limit": RateLimit(1e6)},
    "due_on_threads": {"max_concurrency": 2, "batch_size": 7},
    "due_with_deadlines": {"timeout": 60.0, "schedule": Backoff(60.0)},
}
for name, given in TURNS.items():
    OPERATIONS[f"turn_{name}"] = polling_turn(**given)


@operation
def failing_call(hunger: Hunger) -> None:
    def poll(descriptors: list[Any]) -> None:
        if descriptors and fails:
            fails.pop()
            hunger.begin()
            raise ValueError("of the service")
        if descriptors:
            hunger.end()
        resolving(descriptors)

    fails, resolving = [1], Poll()
    executor = poller(poll, schedule=Backoff(0.001), retry_policy=Policy())
    future = executor.submit(same, 1)
    hunger.wait(future.done)  # it fails if there is no memory to ask the policy
    executor.shutdown()
    is_balanced(executor)


class Policy(RetryPolicy):
    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        return future.exception() is not None

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        return 0.0005


@operation
def call_on_threads(hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll, max_concurrency=2, batch_size=7)
    threads = executor._engine.callers
    threads._jobs = sleep = Sleep(threads._jobs, "get")  # type: ignore[assignment]
    futures = executor.adopt_many(range(20))
    until(lambda: poll.calls >= 3 and not threads._unfinished.count, "not polled")
    sleep.hunger = hunger
    executor.notify()
    hunger.wait()
    poll.waits = False
    executor.notify()
    for future in futures:
        ended(future)
    executor.shutdown()
    is_balanced(executor)


def looping(at_the_end: bool) -> Callable[[Hunger], None]:
    def call_on_loop(hunger: Hunger) -> None:
        async def poll(descriptors: list[Any]) -> None:
            if at_the_end and wanted and descriptors:
                wanted.pop()
                hunger.begin()
                return
            polled(descriptors)

        class Table:
            class waker:  # noqa: N801
                @staticmethod
                def set() -> None:
                    hunger.end()
                    waker.set()

        wanted: list[int] = []
        polled = Poll(waits=True)
        executor = poller(poll, max_concurrency=2, batch_size=7)
        futures = executor.adopt_many(range(5))
        until(lambda: polled.seen, "not polled")
        until(lambda: not executor._engine.scheduler._runner._going_on, "the call goes on")
        waker = executor._poll_table.waker
        if at_the_end:
            wanted.append(1)
            executor._engine.scheduler._runner._table = Table()
            executor.notify()
            hunger.wait()
        else:
            starving_turn(executor, hunger, executor.notify)
        polled.waits = False
        executor.notify()
        for future in futures:
            ended(future)
        executor.shutdown()
        is_balanced(executor)

    return call_on_loop


OPERATIONS["call_on_loop"] = looping(False)
OPERATIONS["end_of_a_call_on_loop"] = looping(True)


def fail_once(attempts: list[int]) -> int:
    attempts.append(1)
    if len(attempts) == 1:
        raise ValueError
    return len(attempts)


@operation
def retry(hunger: Hunger) -> None:
    executor = RetryExecutor(SyncExecutor(), Policy(), Logger())
    futures: list[Future[Any]] = [Future()]

    def wake() -> None:
        futures[0] = executor.submit(fail_once, [])

    starving_turn(executor, hunger, wake)
    ended(futures[0])
    assert executor.submit(fail_once, []).result(PATIENCE) == 2
    executor.shutdown()
    is_balanced(executor)


@operation
def later_retry(hunger: Hunger) -> None:
    class Slow(Policy):
        def sleep_time(self, attempt: int, future: Future[Any]) -> float:
            return 0.001

    executor = RetryExecutor(SyncExecutor(), Slow(), Logger())
    futures = [executor.submit(fail_once, []) for _ in range(3)]
    hunger.here(lambda: [future.exception(PATIENCE) for future in futures])
    for future in futures:
        ended(future)
    executor.shutdown()
    is_balanced(executor)


@operation
def throttle(hunger: Hunger) -> None:
    executor = ThrottleExecutor(SyncExecutor(), lambda: 2, Logger())
    futures: list[Future[Any]] = [Future()]

    def wake() -> None:
        futures[0] = executor.submit(same, 1)

    starving_turn(executor, hunger, wake)
    ended(futures[0])
    assert executor.submit(same, 2).result(PATIENCE) == 2
    executor.shutdown()
    is_balanced(executor)


class Waiting:
    """A delegate that calls nothing."""

    def submit(self, fn: Any, *args: Any) -> Future[Any]:
        return _core.Future()

    def shutdown(self, wait: bool = True) -> None:
        pass


@operation
def deadline_of_a_call(hunger: Hunger) -> None:
    executor = TimeoutExecutor(Waiting(), 60.0, Logger())
    kept = [executor.submit(int) for _ in range(5)]
    late: list[Future[Any]] = [Future()]

    def wake() -> None:
        late[0] = executor.submit_timeout(0.0, int)

    starving_turn(executor, hunger, wake)
    until(late[0].cancelled, "not cancelled when it was late")
    for future in kept:
        assert future.cancel()
    executor.shutdown()
    is_balanced(executor)
