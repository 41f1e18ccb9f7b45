"""The scenario: publish all objects, cancel some, take the results as they come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from more_executors import Journal, PollExecutor, RateLimit

from async_client import AsyncClient
from audit import Audit, audit
from canceller import Canceller
from chain import polling
from exposed_metrics import exposed_metrics
from interrupts import Interrupts
from metering import Cost, Meter, MeteredClient
from once import Once
from options import Options
from patience import ATTEMPTS, Patience, UnavailableError
from progress import Monitor, say
from runs import Run
from service_process import ServiceProcess
from starts import Found, find_starts, unsettled
from state import State
from tally import Sample, Tally

if TYPE_CHECKING:
    from more_executors.dask import ShardStats

AT_ONCE = 1_000
"""How many objects are submitted before the next look at whether there was a Ctrl-C."""


@dataclass(frozen=True)
class Outcome:
    """What happened, in all ``runs``; the rest is of the last one, which took ``seconds``.

    The service was asked about ``doubts`` objects whether they have a task, and ``known`` of them had;
    ``audit`` is None if it could not be asked. ``shards`` are those of a cluster.
    """

    runs: Sequence[Run]
    found: Found
    tally: Tally
    seconds: float
    cpu_seconds: float
    doubts: int
    known: int
    costs: Sequence[Cost]
    service_lost: bool
    audit: Audit | None
    shards: Sequence[ShardStats] = ()


def run(options: Options, interrupts: Interrupts, state: State) -> Outcome:
    """Run the scenario until every future is done, which an interrupt hastens, or until the service is lost.

    Raises ServiceError if the service does not start, JournalError if the journal cannot be used.
    """
    with ServiceProcess(options, state.ledger) as service, exposed_metrics(options.metrics):
        if not options.cluster:
            return Scenario(options, interrupts, state, service).outcome_of_all()
        from cluster_scenario import run_on_cluster

        return run_on_cluster(options, interrupts, state, service)


class Scenario:
    """One run, with a service."""

    def __init__(
        self, options: Options, interrupts: Interrupts, state: State, service: ServiceProcess
    ) -> None:
        self._options = options
        self._interrupts = interrupts
        self._file = state.runs
        self._earlier = list(state.runs.runs)
        self._service = service
        self._journal = Journal(state.journal)
        self._found = find_starts(self._journal, options.tasks)
        self._tally = Tally()
        self._meter = Meter()
        self._object_ids = [f"object-{number:06}" for number in range(options.tasks)]
        self._futures: list[Future[Any]] = []
        self._costs: Sequence[Cost] = ()
        self._audit: Audit | None = None
        if self._earlier:
            say(f"run {len(self._earlier) + 1}: {self._found}")
        self._cpu_begin = time.process_time()
        self._run = Run(time.time())
        self._begin = time.monotonic()
        publish_limit = RateLimit(options.publishes, burst=options.workers)
        self._client = MeteredClient(
            service.url,
            self._meter,
            self._run,
            publish_limit=publish_limit,
            patience=Patience(ATTEMPTS, lambda: interrupts.count > 1 or self._is_lost()),
            missing_after=options.missing_after,
        )
        self._starting: MeteredClient | AsyncClient = self._client
        if options.by_coroutines:
            self._starting = AsyncClient(self._client, service.url, publish_limit, options.missing_after)
        self._start: Callable[[str], Any] = self._starting.publish

    def outcome_of_all(self) -> Outcome:
        """Publish everything, close everything, and tell what happened."""
        self.publish_all()
        self.end()
        return self.outcome()

    def publish_all(self) -> None:
        """Submit everything and wait for it."""
        options = self._options
        with self._meter.watch():
            self._executor = self._opened()
            self._file.begin(self._run)
            with ExitStack() as stack:
                stack.enter_context(Monitor(self._measure, options.tasks))
                stack.enter_context(
                    Canceller(options, self._futures, lambda: self._interrupts.count > 0, self._cancel_all)
                )
                for meanwhile in self._on_the_way():
                    stack.enter_context(meanwhile)
                for future in self._done_of(self._submit()):
                    self._note(future)
            self._seconds = time.monotonic() - self._begin
            self._cpu_seconds = time.process_time() - self._cpu_begin

    def end(self) -> None:
        """Close everything, and compare the books.

        If the service is lost, nothing is closed: what goes on is on record, and stays there when the
        interpreter ends.
        """
        if self._tally.done < len(self._futures):
            return
        self._executor.shutdown()
        self._costs = self._client.costs()
        in_doubt = unsettled(self._journal)
        self._journal.close()
        if not (self._is_hopeless() or self._is_lost()):
            self._client.withdraw(in_doubt)
            try:
                books = self._client.books()
            except UnavailableError:
                pass  # it was lost only now
            else:
                self._audit = audit(dict(zip(self._object_ids, self._futures, strict=False)), books, in_doubt)
        self._client.close()

    def outcome(self) -> Outcome:
        """What happened."""
        return Outcome(
            runs=[*self._earlier, self._run],
            found=self._found,
            tally=self._tally,
            seconds=self._seconds,
            cpu_seconds=self._cpu_seconds,
            doubts=self._client.doubts,
            known=self._client.known,
            costs=self._costs,
            service_lost=self._is_lost(),
            audit=self._audit,
        )

    def _opened(self) -> PollExecutor[Any, Any]:
        return polling(
            self._options,
            # More than that of the client: what fails as the service is lost would be on record so.
            Patience(ATTEMPTS, self._is_hopeless),
            self._starting,
            self._journal,
            self._cancel_task,
            self._cancel_tasks,
        )

    def _on_the_way(self) -> Iterator[AbstractContextManager[Any]]:
        if self._options.faults and not any(run.killed for run in self._earlier):
            yield Once(self._is_half_published, self._restart_service)

    def _note(self, future: Future[Any]) -> None:
        self._tally.count(future)

    def _submit(self) -> SimpleQueue[Future[Any]]:
        done: SimpleQueue[Future[Any]] = SimpleQueue()
        for first in range(0, self._options.tasks, AT_ONCE):
            if self._interrupts.count:
                break
            some = self._object_ids[first : first + AT_ONCE]
            futures = self._meter.submit(self._executor.submit_many_once, self._start, some)
            self._futures += futures
            self._tally.submitted += len(futures)
            for future in futures:
                if future.done():  # by an earlier run
                    self._tally.count(future)
                else:
                    future.add_done_callback(done.put)
        return done

    def _done_of(self, done: SimpleQueue[Future[Any]]) -> Iterator[Future[Any]]:
        """All futures that are not counted yet, as they are done; fewer if the service is lost."""
        left = len(self._futures) - self._tally.done
        while left:
            try:
                yield done.get(timeout=0.1)
            except Empty:
                if self._gives_up():
                    break
            else:
                left -= 1

    def _measure(self) -> Sample:
        sample = self._sample()
        self._run.samples.append(sample)
        self._file.update()
        return sample

    def _sample(self) -> Sample:
        return self._tally.sample(time.monotonic() - self._begin, self._executor.stats().polled)

    def _gives_up(self) -> bool:
        return self._is_lost() and not self._interrupts.count

    def _is_lost(self) -> bool:
        return not self._service.running

    def _is_hopeless(self) -> bool:
        count = self._interrupts.count
        return count > 1 or (count > 0 and self._is_lost())

    def _is_half_published(self) -> bool:
        return self._found.started + self._client.published >= self._options.tasks / 2

    def _restart_service(self, left: threading.Event) -> None:
        self._run.killed = time.time()
        self._service.restart(left, 2 * self._options.interval)
        self._run.restarted = time.time()

    # A task that nobody will ask about again may as well end with the service.

    def _cancel_task(self, task_id: str) -> bool:
        return self._is_hopeless() or self._client.cancel_task(task_id)

    def _cancel_tasks(self, task_ids: list[str]) -> list[bool]:
        return [True] * len(task_ids) if self._is_hopeless() else self._client.cancel_tasks(task_ids)

    def _cancel_all(self) -> None:
        self._executor.cancel_all()
        self._executor.notify()
