"""What is counted: operations, each done `count` times over, by the public API alone.

An operation is prepared, and then run, and only that is counted. While it runs, no two threads have anything to do at
the same time: all others are parked in a lock. So the instructions of the process are those of the operation.

The commit that this tree is compared with may lack what one of them needs. Hence nothing but `Executors` is imported
by name here: what else is missing stops only the operation that asks for it.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, as_completed, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import more_executors
from more_executors import Executors

from ..scheduled import Scheduled
from ..workload import Parked, agree, idle, resolve

PASSES = 10  # of a poll function, one after the other
IDS = 100  # in a call of StatusPoll

Run = Callable[[], object]


def identity(value: Any) -> Any:
    return value


class Handed:
    """Tasks and their descriptors, which a poll was given and which are resolved on the thread that is counted."""

    def __init__(self, count: int) -> None:
        self._parked = Parked()
        self.futures = self._parked.executor.adopt_many(range(count))
        self._descriptors: list[Any] = []
        self._parked.play(self._take)

    def _take(self, descriptors: list[Any]) -> None:
        self._descriptors = descriptors

    def resolve(self) -> None:
        resolve(self._descriptors)


def resolving(count: int) -> Run:
    return Handed(count).resolve


def submitting(count: int) -> Run:
    parked = Parked()
    return lambda: parked.submit(count)


def adopting(count: int) -> Run:
    parked = Parked()

    def run() -> None:
        adopt = parked.executor.adopt
        parked.futures = [adopt(0) for _ in range(count)]

    return run


def adopting_many(count: int) -> Run:
    parked = Parked()
    tasks = [0] * count

    def run() -> None:
        parked.futures = parked.executor.adopt_many(tasks)

    return run


def passing_idly(count: int) -> Run:
    parked = Parked()
    parked.futures = parked.executor.adopt_many(range(count))
    return lambda: parked.play(*[idle] * (PASSES - 1))  # one more parks the poll function again


def passing_due(count: int) -> Run:
    """Of ten times as many tasks, all others of which are due much later."""
    scheduled = Scheduled()
    scheduled.adopt(10 * count)
    scheduled.keep_due(count)
    return lambda: scheduled.play(*[lambda descriptors: 0] * (PASSES - 1))


def cancelling(count: int) -> Run:
    parked = Parked(cancel_fn=agree)
    parked.futures = parked.executor.adopt_many(range(count))

    def run() -> None:
        for future in parked.futures:
            future.cancel()

    return run


def notifying(count: int) -> Run:
    """The call alone: the poll function is parked."""
    parked = Parked()

    def run() -> None:
        notify = parked.executor.notify
        for _ in range(count):
            notify()

    return run


def waiting(count: int) -> Run:
    """For futures that are done, as with the next one."""
    handed = Handed(count)
    handed.resolve()
    return lambda: wait(handed.futures)


def completing(count: int) -> Run:
    handed = Handed(count)
    handed.resolve()

    def run() -> None:
        for _ in as_completed(handed.futures):
            pass

    return run


def handing_over(executor: Executor, count: int) -> Run:
    """All are submitted while the only worker is parked, and then it does them all while nobody submits."""
    parked, over = threading.Lock(), threading.Lock()
    futures: list[Future[Any]] = []

    def run() -> None:
        parked.acquire()
        over.acquire()
        submit = executor.submit
        submit(parked.acquire)
        futures.extend([submit(int) for _ in range(count)])
        submit(over.release)
        parked.release()
        over.acquire()

    return run


def handing_over_pool(count: int) -> Run:
    return handing_over(Executors.thread_pool(max_workers=1), count)


def handing_over_polled(count: int) -> Run:
    """With a poll function on top, which is parked: from `submit` until the task is to be polled."""
    return handing_over(Parked(delegate=Executors.thread_pool(max_workers=1)).executor, count)


def mapping(count: int) -> Run:
    executor = Executors.sync().with_map(identity)
    futures: list[Future[Any]] = []

    def run() -> None:
        submit = executor.submit
        futures.extend([submit(int) for _ in range(count)])

    return run


def mapping_pending(count: int) -> Run:
    """Resolving included, as with the next one."""
    handed = Handed(count)
    outputs: list[Future[Any]] = []

    def run() -> None:
        f_map = more_executors.f_map
        outputs.extend([f_map(future, identity) for future in handed.futures])
        handed.resolve()

    return run


def zipping(count: int) -> Run:
    handed = Handed(count)

    def run() -> None:
        zipped = more_executors.f_zip(*handed.futures)
        handed.resolve()
        zipped.result()

    return run


def bridging(count: int) -> Run:
    """Submitted on the loop's thread, resolved by the poll function while that waits, awaited."""
    parked = Parked()
    executor = parked.executor.with_asyncio()
    loop = asyncio.new_event_loop()

    async def gather() -> None:
        submit = executor.submit
        gathered = asyncio.gather(*[submit(int) for _ in range(count)])
        parked.play(resolve)
        await gathered

    return lambda: loop.run_until_complete(gather())


def recording(count: int) -> Run:
    """Joined, and written to the journal's file by its thread."""
    journal = more_executors.Journal(Path(tempfile.mkdtemp()) / "tasks.db")
    scheduled = Scheduled(journal=journal)

    def run() -> None:
        scheduled.adopt(count)
        assert scheduled.executor.flush_journal()

    return run


def asking_for_states(count: int) -> Run:
    """None of the tasks is done."""
    reply = dict.fromkeys(range(IDS), "RUNNING")
    poll: Any = more_executors.StatusPoll(lambda ids: reply, None, lambda descriptor, status: None)
    scheduled = Scheduled()
    scheduled.adopt(IDS)
    scheduled.keep_due(IDS)

    def run() -> None:
        for _ in range(count // IDS):
            poll(scheduled.some)

    return run


@dataclass(frozen=True)
class Operation:
    """What `prepare(count)` returns is what is counted."""

    prepare: Callable[[int], Run]
    count: int  # so that all take about as long
    times: int = 1  # that it is done for each of these


OPERATIONS = {
    "resolve": Operation(resolving, 12_000),  # large tables both, as the collector is told of what is in them
    "submit": Operation(submitting, 1_000),
    "adopt": Operation(adopting, 2_000),
    "adopt_many": Operation(adopting_many, 4_000),
    "idle pass": Operation(passing_idly, 4_000, PASSES),
    "due pass": Operation(passing_due, 1_000, PASSES),
    "cancel": Operation(cancelling, 1_000),
    "notify": Operation(notifying, 2_000),
    "wait": Operation(waiting, 1_000),
    "as_completed": Operation(completing, 1_000),
    "thread pool": Operation(handing_over_pool, 500),
    "polled thread pool": Operation(handing_over_polled, 500),
    "with_map": Operation(mapping, 1_000),
    "f_map": Operation(mapping_pending, 1_000),
    "f_zip": Operation(zipping, 2_000),
    "asyncio bridge": Operation(bridging, 500),
    "journal row": Operation(recording, 500),
    "StatusPoll id": Operation(asking_for_states, 2_000),
}
