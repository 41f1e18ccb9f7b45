"""The scenario: publish all objects, cancel some, take the results as they come."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from typing import Any

from more_executors import Executors

from canceller import Canceller
from interrupts import Interrupts
from metering import Cost, MeteredClient, SubmitMeter
from options import Options
from progress import Monitor
from service_process import ServiceProcess
from tally import Sample, Tally


@dataclass(frozen=True)
class Outcome:
    """What happened. Times are in seconds; ``polls`` has the time since the start and the size of each."""

    tally: Tally
    seconds: float
    cpu_seconds: float
    samples: Sequence[Sample]
    polls: Sequence[tuple[float, int]]
    delays: Sequence[float]
    costs: Sequence[Cost]
    service_lost: bool


def run(options: Options, interrupts: Interrupts) -> Outcome:
    """Run the scenario until every future is done, which an interrupt hastens.

    Raises ServiceError if the service does not start.
    """
    tally = Tally()
    meter = SubmitMeter()
    futures: list[Future[Any]] = []

    with ServiceProcess(options) as service:
        client = MeteredClient(service.url, options.interval)

        def hopeless() -> bool:
            return interrupts.count > 1 or not service.running

        def cancel_task(task_id: str) -> bool:
            # A task that nobody will ask about again may as well end with the service.
            return hopeless() or client.cancel_task(task_id)

        def measure() -> Sample:
            return tally.sample(time.monotonic() - begin, client.polled)

        def stop() -> bool:
            return interrupts.count > 0 or not service.running

        def hurry() -> None:
            client.hurry()
            executor.notify()

        begin, cpu_begin = time.monotonic(), time.process_time()
        monitor = Monitor(measure, options.tasks)
        canceller = Canceller(options, futures, stop, hurry)

        with meter.watch_pool():
            pool = Executors.threadpool(max_workers=options.workers, name="publish")
            executor = pool.with_poll(client.poll_tasks, cancel_task, default_interval=options.interval)
            with executor, monitor, canceller:
                for number in range(options.tasks):
                    if interrupts.count:
                        break
                    futures.append(meter.submit(executor.submit, client.publish, f"object-{number:06}"))
                    tally.submitted += 1
                for future in as_completed(futures):
                    tally.count(future)

                seconds, cpu_seconds = time.monotonic() - begin, time.process_time() - cpu_begin
                client.close()
        service_lost = not service.running

    return Outcome(
        tally=tally,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        samples=monitor.samples,
        polls=[(moment - begin, size) for moment, size in client.polls],
        delays=client.delays,
        costs=[meter.cost(), *client.costs()],
        service_lost=service_lost,
    )
