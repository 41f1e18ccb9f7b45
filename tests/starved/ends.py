"""Without memory for a moment at the end: of an executor, and of the time that a task has."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from operations import MAKERS, Poll, ended, is_balanced, poller, same, starving_turn
from starving import Hunger, threads_alive, until

from more_executors import Backoff

OPERATIONS: dict[str, Callable[[Hunger], None]] = {}


async def cancel_on_loop(result: Any) -> bool:
    return True


CANCELLING: dict[str, dict[str, Any]] = {
    "one_by_one": {"cancel_fn": lambda result: True},
    "on_threads": {"cancel_fn": lambda result: True, "max_concurrency": 2},
    "on_loop": {"cancel_fn": cancel_on_loop, "max_concurrency": 2},
    "many": {"cancel_many_fn": lambda results: [True] * len(results), "batch_size": 3},
    "many_on_threads": {"cancel_many_fn": lambda results: [True] * len(results), "batch_size": 3, "max_concurrency": 2},
}


def shutting_down(make: Callable[[], Any], hunger: Hunger) -> None:
    executor = make()
    future = executor.submit(same, 1)
    hunger.here(executor.shutdown)
    executor.shutdown()
    ended(future)
    is_balanced(executor)


for kind, make in MAKERS.items():
    OPERATIONS[f"shutdown_{kind}"] = partial(shutting_down, make)


def cancelling(options: dict[str, Any], by_shutdown: bool, hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll, **options)
    futures = executor.adopt_many(range(8))
    if by_shutdown:
        hunger.here(lambda: executor.shutdown(False, cancel_futures=True))
    else:
        hunger.here(executor.cancel_all)
    for _ in range(2):  # what goes on without memory in the background may say no
        executor.cancel_all()
    assert all(future.cancelled() for future in futures)
    poll.waits = False
    executor.shutdown()
    until(lambda: not threads_alive(), "a thread goes on")  # as the first one did not wait
    is_balanced(executor)


for name, options in CANCELLING.items():
    OPERATIONS[f"cancel_{name}"] = partial(cancelling, options, False)
    OPERATIONS[f"shutdown_cancelling_{name}"] = partial(cancelling, options, True)


def failing_late(options: dict[str, Any], hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll, timeout=60.0, **options)
    kept = executor.adopt_many(range(5))
    late: list[Future[Any]] = [Future()]

    def wake() -> None:
        late[0] = executor.adopt(5, timeout=0.0)

    starving_turn(executor, hunger, wake)
    ended(late[0])
    poll.waits = False
    executor.notify()
    for future in kept:
        ended(future)
    executor.shutdown()
    is_balanced(executor)


for name, options in {**CANCELLING, "due": {"schedule": Backoff(60.0)}, "whole_list": {}}.items():
    OPERATIONS[f"fail_late_{name}"] = partial(failing_late, options)


def reporting(options: dict[str, Any], hunger: Hunger) -> None:
    poll = Poll(waits=True)
    executor = poller(poll, **options)
    executor.submit(same, 1)
    until(lambda: poll.seen, "not polled")
    (descriptor,) = poll.seen
    poll.waits = False
    has_reported = hunger.here(lambda: descriptor.report("running", 0.5))
    assert executor._poll_table.states().get("running", 0) == has_reported
    descriptor.report("queued")
    assert executor.stats().states == {"queued": 1}
    assert executor.cancel_all() == 1
    assert executor.stats().states == {}
    executor.shutdown()
    is_balanced(executor)


OPERATIONS["report"] = partial(reporting, {})
OPERATIONS["report_what_is_due"] = partial(reporting, {"schedule": Backoff(60.0)})
