"""Jobs of Slurm as tasks of a poll executor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from time import time
from typing import Any, cast

from ..._callables import check_callable
from ..._checks import checked_seconds, chosen_logger, shown
from ..._core import PollDescriptor
from ..._types import Log
from ...journal._keys import hashable
from ...retry import RetryPolicy
from .._errors import TaskFailed
from .._outages import StartsWhenThereIsRoom
from .._service import Service
from .._tags import tag_of
from .._while_cancelling import WhileCancelling
from ._cancelling import cancel_jobs
from ._commands import Commands, Run, RunHere
from ._errors import JobForgotten, SlurmUnavailable
from ._finding import find_tags
from ._ids import JobId, indices, parsed
from ._options import Word, options_of, what_to_run
from ._record import JobRecord
from ._statuses import Statuses
from ._submission import submit
from ._submissions import Submissions

__all__: list[str] = []

CLUSTER = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
TAG = re.compile(r"[A-Za-z0-9._=-]{1,64}", re.ASCII)


class Slurm(WhileCancelling, Service[str, JobRecord, JobRecord]):
    """Jobs of Slurm: what sbatch starts, sacct and squeue tell of, and scancel cancels.

        slurm = Slurm()
        with Executors.for_service(slurm) as executor:
            one = executor.submit(slurm.start, "align.sh", "chr1.bam", mem="4G", cpus_per_task=2)
            many = executor.adopt_many(slurm.start_array("align.sh", "0-99%10"))

    A task is a job's id as Slurm prints it: "158", of an element "158_7", of another cluster "158;main". The result of
    a future is a `JobRecord`. It fails with `TaskFailed`, which has one as its `status`, if the job ends in any other
    way than COMPLETED, and with `JobForgotten` if Slurm does not know it for `missing_after` seconds. An array or a
    heterogeneous job that is polled by its number alone ends when all of it has ended.

    Each round asks sacct once about all tasks, and squeue once if it calls some of them ended other than COMPLETED, or
    does not know them yet. A cluster without accounting (slurmdbd) cannot be used.

    It may be used from any threads, and by several executors.
    """

    interval = 30.0
    min_interval = 30.0
    start_concurrency = 4

    def __init__(
        self,
        cluster: str | None = None,
        *,
        interval: float = 30.0,
        timeout: float = 300.0,
        environment: Mapping[str, str] | None = None,
        run: Run | None = None,
        logger: Log = None,
    ) -> None:
        """
        Args:
            cluster: the name of the cluster that jobs are submitted to, and that tasks without one are of; by default
                that of the commands.
            interval: seconds between two rounds of questions. sacct asks a database that everybody shares.
            timeout: seconds after which a command is killed. sbatch may wait for two minutes that there is room.
            environment: variables that commands get beside those of this process, such as `SLURM_CONF`. By them jobs
                can get secrets, which everybody could read on a command line.
            run: runs a command somewhere else, such as on a login node: gets a list of its words, and a mapping of
                variables that have to be set there; returns a `CommandResult`. If it cannot know whether a command has
                been run, it raises an OSError or a `subprocess.TimeoutExpired`. Instead of `timeout` and `environment`.
            logger: a `logging.Logger`, by default the logger "Slurm".

        Raises TypeError or ValueError if one of these cannot be used.
        """
        if cluster is not None and not (isinstance(cluster, str) and CLUSTER.fullmatch(cluster)):
            raise (ValueError if isinstance(cluster, str) else TypeError)(
                f"cluster must be the name of one, or None, not {shown(cluster)}"
            )
        if run is not None:
            check_callable("run", run)
        self.cluster = cluster
        self.interval = self.min_interval = checked_seconds("interval", interval)
        self.outage_errors = (SlurmUnavailable, OSError)
        self._run = RunHere(checked_seconds("timeout", timeout), checked_variables(environment)) if run is None else run
        self._logger = chosen_logger(logger, "Slurm")
        self._begun = Submissions()
        self.cancelling = set()

    def start(
        self,
        script: Word | None = None,
        *arguments: Word,
        tag: str | None = None,
        wrap: str | Sequence[Word] | None = None,
        **options: Any,
    ) -> str:
        """Submit a job, by one call of sbatch; returns its id.

        Args:
            script: the path of a script.
            arguments: what the script gets.
            tag: 1 to 64 letters, digits, and `.`, `_`, `=`, `-`, by which the job can be found again, see `find`. It is
                the job's name.
            wrap: instead of a script, a command: a text for the shell of the compute node, or a list of words.
            options: the long options of sbatch, with `_` for `-`: `mem="4G"`, `time=timedelta(hours=2)`,
                `exclusive=True`. None and False leave one out. No shell sees them.

        Raises TypeError or ValueError if one of these cannot be used, `JobRefused` if Slurm does not accept the job,
        `SlurmUnavailable` or `Throttled` if it cannot do so now, and `SubmissionInDoubt`, which is a `StartInDoubt`, if
        its answer was lost, and the job cannot be found by a tag.
        """
        return self._submit(options_of(options), tag, options, what_to_run(script, arguments, wrap))

    def start_command(self, command: str | Sequence[Word], *, tag: str | None = None, **options: Any) -> str:
        """Submit a command, which Slurm makes a script of: as `start` does with `wrap`."""
        return self.start(tag=tag, wrap=command, **options)

    def start_array(
        self,
        script: Word | None,
        array: str,
        *arguments: Word,
        tag: str | None = None,
        wrap: str | Sequence[Word] | None = None,
        **options: Any,
    ) -> list[str]:
        """Submit an array, by one call of sbatch; returns the ids of its elements, for `adopt_many`.

        Args:
            array: its indices as sbatch takes them, such as "0-99%10" for 100 of which 10 run at a time.
            script, arguments, tag, wrap, options: as `start`; the tag is that of the whole array.

        Raises what `start` raises.
        """
        elements = indices(array)
        given = [f"--array={array}", *options_of(options)]
        number, semicolon, cluster = self._submit(given, tag, options, what_to_run(script, arguments, wrap)).partition(
            ";"
        )
        return [f"{number}_{index}{semicolon}{cluster}" for index in elements]

    def fetch(self, ids: list[str]) -> dict[str, JobRecord]:
        """What the database says of jobs, and where that may not be the end, the controller."""
        jobs = {task: parsed(task) for task in ids}
        cluster = self._cluster_of(next(iter(jobs.values()))) if jobs else None
        begun = self._begun.of(cluster, (job.number for job in jobs.values()))
        return Statuses(Commands(self._run, cluster), jobs, begun, self._logger).records()

    def group_of(self, task: str) -> str | None:
        """The cluster of a task."""
        return self._cluster_of(parsed(task))

    def resolve(self, descriptor: PollDescriptor[str, JobRecord], status: JobRecord) -> None:
        """End a task whose job has ended."""
        if descriptor.result in self.cancelling:
            return
        if status.state == "COMPLETED":
            descriptor.yield_result(status)
        elif not status.goes_on:
            descriptor.yield_exception(TaskFailed(descriptor.result, status, status.why()))
        else:
            descriptor.report(state=status.state.lower())

    def cancel(self, task: str) -> bool:
        """Cancel a job; whether it was. As `cancel_many`."""
        return self.cancel_many([task])[0]

    def cancel_many(self, tasks: list[str]) -> list[bool]:
        """Cancel jobs, by few calls of scancel; whether each was, as the controller or the database says.

        A job that has ended before, or that nobody knows, was not. Takes some seconds if the end of a job is not on
        record at once.
        """
        clusters: dict[str | None, dict[str, JobId]] = {}
        for task in tasks:
            try:
                job = parsed(task)
            except (TypeError, ValueError):
                continue  # one of these would have scancel cancel none
            clusters.setdefault(self._cluster_of(job), {})[task] = job
        cancelled: set[str] = set()
        for cluster, jobs in clusters.items():
            with self.being_cancelled(jobs):
                cancelled |= cancel_jobs(Commands(self._run, cluster), jobs, self._logger)
        return [isinstance(task, str) and task in cancelled for task in tasks]

    def find(self, keys: list[Any]) -> dict[Any, str]:
        """The jobs that were started with `tag=tag_of(key)`: that go on, or have ended in the last 30 days.

        Raises `SlurmUnavailable` if records wait for the database, so that there may be more.
        """
        tags = {tag_of(key): hashable(key) for key in keys}
        found = find_tags(Commands(self._run, self.cluster), tags)
        suffix = "" if self.cluster is None else f";{self.cluster}"
        return {tags[tag]: number + suffix for tag, number in found.items()}

    def missing(self, task_id: str, since: datetime, seconds: float) -> JobForgotten:
        return JobForgotten(task_id, since, seconds)

    def start_policy(self) -> RetryPolicy:
        """Has a start made again that found Slurm full, or its controller away."""
        return StartsWhenSlurmIsBack()

    def _cluster_of(self, job: JobId) -> str | None:
        return self.cluster if job.cluster is None else job.cluster

    def _submit(self, given: list[str], tag: str | None, options: Mapping[str, Any], what: list[str]) -> str:
        if tag is not None:
            check_tag(tag)
            if options.get("job_name") is not None:
                raise ValueError(
                    f"job_name cannot be given with a tag, which is the name: {shown(options['job_name'])}"
                )
            given = [f"--job-name={tag}", *given]
        began = time()
        task = submit(Commands(self._run, self.cluster), [*given, *what], tag, began)
        job = parsed(task)
        self._begun.add(self._cluster_of(job), job.number, began)
        return task


class StartsWhenSlurmIsBack(StartsWhenThereIsRoom):
    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        return super().should_retry(attempt, future) or (
            attempt < 10 and isinstance(future.exception(), SlurmUnavailable)
        )


def check_tag(tag: object) -> None:
    if not isinstance(tag, str):
        raise TypeError(f"tag must be a str, not {shown(tag)}")
    if TAG.fullmatch(tag) is None:
        raise ValueError(f"tag must be 1 to 64 letters, digits, and '.', '_', '=', '-', not {shown(tag)}")


def checked_variables(environment: object) -> Mapping[str, str]:
    """The variables; their values are in no error."""
    if environment is None:
        return {}
    if not isinstance(environment, Mapping):
        raise TypeError(f"environment must be a mapping of names to texts, not a {type(environment).__name__}")
    found: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", environment).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"environment must have texts only, which the value of {shown(name)} or that name is not")
        found[name] = value
    return found


Slurm.__module__ = "more_executors.services"  # where everybody has it from
