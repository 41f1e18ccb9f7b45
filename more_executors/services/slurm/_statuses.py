"""What has become of jobs: what the database says, and where that may not be the end, what the controller says.

A row of the database that calls a job ended is believed only if the controller, asked after it, agrees or has forgotten
the job. For it calls a job ended, in the same words, that is about to be run again, after a node failed or it had to
make room. Only "COMPLETED" is believed at once, of a job that was submitted here: of any other, the row may be that of
an older job with the same number, as long as that of the job itself waits for the database.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from ..._core import log
from ._accounting import Accounting, Row, accounting_of
from ._commands import Commands
from ._errors import SlurmUnavailable
from ._ids import JobId
from ._queue import Queue, QueueRow, queue_of
from ._record import JobRecord
from ._settled import records_wait

__all__: list[str] = []

CLOCKS_DIFFER = 300  # seconds, at most: munge, by which Slurm knows who asks, lets nobody pass with more
RUN_AGAIN = frozenset({"NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "REVOKED"})  # what Slurm queues anew, by itself


class Statuses:
    """What one round of questions is about: the jobs `asked`, by task, and when those that are new were submitted."""

    def __init__(
        self, commands: Commands, asked: Mapping[str, JobId], begun: Mapping[str, float], logger: logging.Logger
    ) -> None:
        self._commands = commands
        self._asked = asked
        self._begun = begun
        self._logger = logger

    def records(self) -> dict[str, JobRecord]:
        """What is said of each task. One is left out that nobody knows."""
        accounting = accounting_of(self._commands, [job.number for job in self._asked.values()])
        parts = {task: self._rows(accounting, job) for task, job in self._asked.items()}
        doubtful = {task: job for task, job in self._asked.items() if self._in_doubt(job, parts[task])}
        queue = self._queue(doubtful.values())
        records: dict[str, JobRecord] = {}
        stale: dict[str, JobId] = {}
        for task, job in self._asked.items():
            if believed(job, parts[task]) and (queue is None or task not in doubtful):
                records[task] = parts[task][0].record(job)
            elif queue is None:
                records[task] = unconfirmed(job, parts[task])
            elif (record := said_of(job, parts[task], queue)) is not None:
                records[task] = record
                if record.state in RUN_AGAIN and not queue.rows(job):
                    stale[task] = job
        records.update(self._asked_again(stale, records))
        return records

    def _rows(self, accounting: Accounting, job: JobId) -> list[Row]:
        """The rows that are of this job, and not of one before it that had the same number."""
        row = accounting.row(job)
        rows = [row] if row is not None else accounting.parts(job) if job.element is None and job.offset is None else []
        begun = self._begun.get(job.number)
        if begun is not None:
            rows = [row for row in rows if row.submitted is not None and row.submitted >= begun - CLOCKS_DIFFER]
        return rows

    def _in_doubt(self, job: JobId, rows: list[Row]) -> bool:
        """Whether the controller is to be asked as well."""
        return not believed(job, rows) or (rows[0].final and job.number not in self._begun)

    def _queue(self, doubtful: Iterable[JobId]) -> Queue | None:
        """What the controller says of these jobs; None if it does not answer."""
        numbers = dict.fromkeys(job.number for job in doubtful)
        try:
            return queue_of(self._commands, numbers)
        except (SlurmUnavailable, TimeoutError) as error:
            log(
                self._logger,
                logging.WARNING,
                "%d jobs may have ended, but the controller does not say: %s",
                len(numbers),
                error,
            )
            return None

    def _asked_again(self, stale: Mapping[str, JobId], records: Mapping[str, JobRecord]) -> dict[str, JobRecord]:
        """For jobs that the controller has forgotten, after they may have run again: what the database says now.

        They go on as long as it has not got all records.
        """
        if not stale:
            return {}
        if records_wait(self._commands):
            return {task: records[task]._replace(state="UNCONFIRMED") for task in stale}
        accounting = accounting_of(self._commands, [job.number for job in stale.values()])
        nobody = Queue(iter(()))
        found = {task: said_of(job, self._rows(accounting, job), nobody) for task, job in stale.items()}
        return {task: record for task, record in found.items() if record is not None}


def believed(job: JobId, rows: list[Row]) -> bool:
    """Whether the database can be believed without asking the controller: the job goes on, or is completed."""
    if len(rows) != 1:
        return False
    return not rows[0].final or (rows[0].state == "COMPLETED" and rows[0].name == job.alone)


def said_of(job: JobId, rows: list[Row], queue: Queue) -> JobRecord | None:
    """What becomes of one job; None if nobody knows it."""
    if not rows:
        return of_queue(job, queue.rows(job))
    if job.element is None and rows[0].name != job.alone:
        return of_parts(job, rows, queue)
    return of_both(job, rows[0], queue.row(job.alone))  # a row of its own, or that of elements which waited


def of_both(job: JobId, row: Row, queued: QueueRow | None) -> JobRecord:
    record = row.record(job)
    if not row.final or queued is None:
        return record
    if (queued.submitted or 0) > (row.submitted or 0):  # the row is of a run before, or of a job before
        return queued_record(job, queued)
    if queued.state == row.state:
        return record._replace(exit_code=queued.exit_code, signal=queued.signal, exit_code_certain=True)
    return record._replace(state=queued.state if queued.goes_on else "UNRECORDED")


def of_parts(job: JobId, rows: list[Row], queue: Queue) -> JobRecord:
    """A heterogeneous job, or an array as a whole: it has ended when all of it has, as the first that failed."""
    queued = {row.name: row for row in queue.rows(job)}
    records: list[JobRecord] = []
    for row in sorted(rows, key=Row.place):
        names = row.names()
        found = [queued.pop(name) for name in names if name in queued]
        completed = row.state == "COMPLETED" and len(names) == 1
        records.append(row.record(job) if completed else of_both(job, row, found[0] if found else None))
    unrecorded = of_queue(job, list(queued.values()))  # what the database has no rows of yet
    going_on = [record for record in records if record.goes_on]
    failed = [record for record in records if record.state != "COMPLETED"]
    chosen = (going_on or ([] if unrecorded is None else [unrecorded]) or failed or records)[0]
    return chosen._replace(elapsed=max(record.elapsed for record in records))


def of_queue(job: JobId, rows: list[QueueRow]) -> JobRecord | None:
    """What is known of a job that the database does not know yet."""
    if not rows:
        return None
    return queued_record(job, next((row for row in rows if row.goes_on), rows[0]))


def queued_record(job: JobId, row: QueueRow) -> JobRecord:
    """What the controller alone says: of its end, the database has the last word."""
    state = row.state if row.goes_on else "UNRECORDED"
    return JobRecord(job.number, job.element, job.cluster, state, submitted=row.submitted)


def unconfirmed(job: JobId, rows: list[Row]) -> JobRecord:
    """A job that may have ended."""
    records = [row.record(job) for row in rows] or [JobRecord(job.number, job.element, job.cluster, "UNCONFIRMED")]
    return next((record for record in records if record.goes_on), records[0]._replace(state="UNCONFIRMED"))
