"""`Slurm` keeps what executors rely on: the kit of tests for any service, with the stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fake_slurm import FakeSlurm

from more_executors.services import TaskFailed
from more_executors.services.slurm import CommandResult, JobRecord, Slurm
from more_executors.services.testing import ServiceTests

AGAIN = ("NODE_FAIL", "PREEMPTED")


class TestSlurm(ServiceTests):
    states_that_go_on = ("RUNNING", "SUSPENDED", "COMPLETING", "REQUEUED", "NO_END", *AGAIN)
    failure = TaskFailed

    def make_service(self) -> Slurm:
        self.fake = FakeSlurm()
        self.held: threading.Event | None = None
        slurm = Slurm(run=self.run, interval=0.01)
        slurm.missing_after = 0.05
        return slurm

    def run(self, command: list[str], variables: Mapping[str, str]) -> CommandResult:
        result = self.fake(command, variables)
        if self.held is not None and command[0] == "sacct":
            self.held.wait(self.seconds)
        return result

    def start(self, service: Any, tag: str | None = None) -> str:
        return service.start("a.sh", tag=tag)

    def finish(self, task: str) -> JobRecord:
        with self.fake.lock:
            self.fake.end(task)
            job = self.fake.controller[task]
            times = {"submitted": job.submitted, "started": job.started, "ended": job.ended}
            return JobRecord(task, None, None, "COMPLETED", nodes="n1", **times)

    def fail(self, task: str) -> None:
        with self.fake.lock:
            self.fake.end(task, "FAILED", 137 << 8)

    def forget(self, task: str) -> None:
        with self.fake.lock:
            self.fake.purge(task)

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        with self.fake.lock:
            job = self.fake.controller.pop(task)
            row = self.fake.database.pop((task, job.submitted))
        yield
        with self.fake.lock:
            self.fake.controller[task] = job
            self.fake.database[task, job.submitted] = row

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.fake.controller_away = self.fake.database_away = "Unable to contact slurm controller (connect failure)"
        yield
        self.fake.controller_away = self.fake.database_away = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        self.held = threading.Event()
        yield
        held, self.held = self.held, None
        held.set()

    def go_on(self, task: str, state: str) -> None:
        with self.fake.lock:
            if state in AGAIN:
                self.fake.requeue(task, state)
                return
            job = self.fake.controller[task]
            if state == "NO_END":
                job.state = "FAILED"
                self.fake.record_early(task)
                return
            job.state, job.started = state, self.fake.now
            self.fake.tell_of_requeue(task)

    def is_cancelled(self, task: str) -> bool:
        with self.fake.lock:
            job = self.fake.controller.get(task)
            return job is not None and job.cancelled_by is not None

    def reuse(self, task: str) -> str:
        with self.fake.lock:
            self.fake.forget(task)
            self.fake.now += 90 * 86_400
            self.fake.next_number = int(task)
            return str(self.fake.submit())
