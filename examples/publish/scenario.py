"""The scenario: publish all objects, cancel some, take the results as they come."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from more_executors import Executors, PollExecutor, RateLimit, RetryExecutor, StatusPoll, ThrottleExecutor

from audit import Audit, audit
from canceller import Canceller
from client import TaskStatus
from interrupts import Interrupts
from metering import Cost, Meter, MeteredClient
from options import Options
from patience import Patience
from progress import Monitor
from restarter import Restarter
from service_process import ServiceProcess
from tally import Sample, Tally

REQUESTS = 60
"""How many searches and cancellations there are in a second, at most. The service may find that too many."""

ATTEMPTS = 30
"""How often a request is made before it is given up: for half a minute or so."""

QUEUE = 8
"""How many publications may be with each thread of the pool, or wait to be tried again, where many are."""


@dataclass(frozen=True)
class Outcome:
    """What happened. Times are in seconds since the start.

    ``searches`` has the time and the size of each, ``outage`` when the service was down; ``audit`` is None if
    the service could not be asked.
    """

    tally: Tally
    seconds: float
    cpu_seconds: float
    samples: Sequence[Sample]
    searches: Sequence[tuple[float, int]]
    delays: Sequence[float]
    costs: Sequence[Cost]
    service_lost: bool
    audit: Audit | None
    faults: dict[str, Sequence[tuple[float, int]]]
    outage: tuple[float, float] | None


def polling(
    options: Options,
    patience: Patience,
    poll: StatusPoll[str, TaskStatus],
    cancel_task: Callable[[str], bool],
    cancel_tasks: Callable[[list[str]], list[bool]],
) -> PollExecutor[Any, Any]:
    """The executor of it all."""
    pool = Executors.thread_pool(max_workers=options.workers, name="publish")
    publishing: RetryExecutor[Any, Any] | ThrottleExecutor[Any, Any] = pool.with_retry(patience)
    if options.faults:
        # Else what is tried again would queue behind all that has not been tried yet.
        publishing = publishing.with_throttle(QUEUE * options.workers)
    return publishing.with_poll(
        poll,
        cancel_task,
        options.interval,
        min_interval=options.interval / 10,
        batch_size=options.batch_size,
        max_concurrency=options.searches,
        rate_limit=RateLimit(REQUESTS, burst=options.searches),
        retry_policy=patience,
        cancel_many_fn=cancel_tasks,
    )


def run(options: Options, interrupts: Interrupts) -> Outcome:
    """Run the scenario until every future is done, which an interrupt hastens.

    Raises ServiceError if the service does not start.
    """
    tally = Tally()
    meter = Meter()
    futures: list[Future[Any]] = []
    request_ids: dict[Future[Any], str] = {}

    with ServiceProcess(options) as service:

        def hopeless() -> bool:
            return interrupts.count > 1 or not service.running

        patience = Patience(ATTEMPTS, hopeless)
        client = MeteredClient(
            service.url,
            meter,
            publish_limit=RateLimit(options.publishes, burst=options.workers),
            patience=patience,
            missing_after=options.missing_after,
        )

        # A task that nobody will ask about again may as well end with the service.
        def cancel_task(task_id: str) -> bool:
            return hopeless() or client.cancel_task(task_id)

        def cancel_tasks(task_ids: list[str]) -> list[bool]:
            return [True] * len(task_ids) if hopeless() else client.cancel_tasks(task_ids)

        def measure() -> Sample:
            return tally.sample(time.monotonic() - begin, executor.stats().polled)

        def stop() -> bool:
            return interrupts.count > 0 or not service.running

        def cancel_all() -> None:
            executor.cancel_all()
            executor.notify()

        def half_published() -> bool:
            return client.published >= options.tasks / 2

        begin, cpu_begin, epoch = time.monotonic(), time.process_time(), time.time()
        monitor = Monitor(measure, options.tasks)
        canceller = Canceller(options, futures, stop, cancel_all)
        restarter = Restarter(service, half_published, 2 * options.interval)

        with meter.watch():
            executor = polling(options, patience, client.poll, cancel_task, cancel_tasks)
            with executor, monitor, canceller, restarter if options.faults else nullcontext():
                for number in range(options.tasks):
                    if interrupts.count:
                        break
                    request_id = uuid.uuid4().hex
                    object_id = f"object-{number:06}"
                    future = meter.submit(executor.submit, client.publish, object_id, request_id)
                    futures.append(future)
                    request_ids[future] = request_id
                    tally.submitted += 1
                for future in as_completed(futures):
                    tally.count(future)
                    client.withdraw(request_ids[future])
                seconds, cpu_seconds = time.monotonic() - begin, time.process_time() - cpu_begin
        service_lost = not service.running
        found = None
        if not hopeless():
            by_object = {f"object-{number:06}": future for number, future in enumerate(futures)}
            found = audit(by_object, client.books())
        client.close()

    faults = found.faults if found else {}
    outage = restarter.outage
    return Outcome(
        tally=tally,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        samples=monitor.samples,
        searches=[(moment - begin, size) for moment, size in client.searches],
        delays=client.delays,
        costs=client.costs(),
        service_lost=service_lost,
        audit=found,
        faults={kind: [(moment - epoch, n) for moment, n in times] for kind, times in faults.items()},
        outage=None if outage is None else (outage[0] - epoch, outage[1] - epoch),
    )
