"""Jobs of AWS Glue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypedDict, cast

from ..._checks import shown
from ..._core import PollDescriptor
from ...status_poll import TaskMissing
from .._errors import ServiceAway, TaskFailed
from .._keys import hashable
from .._tags import tag_of
from ._base import AwsService
from ._errors import AwsError
from ._requests import counted

__all__: list[str] = []

TAG = "--more-executors-tag"  # the argument of a run that has the tag
FAILED = frozenset({"STOPPED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED"})
FINAL = FAILED | {"SUCCEEDED"}
STOPS = frozenset({"STOPPING", "STOPPED"})
PAGE = 200  # runs; Glue lists no more with a request


class RunId(NamedTuple):
    """Where a run is asked about, and by what."""

    region: str
    job: str
    run: str


class GlueRun(TypedDict):
    """What Glue says of a run that has ended, without its arguments. Times are seconds."""

    id: str
    job: str
    status: str
    error: str | None
    attempt: int
    seconds: float | None
    dpu_seconds: float | None
    log_group: str | None


class GlueJobs(AwsService[dict[str, Any], GlueRun]):
    """Runs of a job of AWS Glue.

        nightly = GlueJobs("nightly", region="eu-west-1")
        with nightly, Executors.for_service(nightly) as executor:
            future = executor.submit(nightly.start, {"--day": "2026-11-30"})

    A task is a text, `REGION/JOB/RUN`. Its future gives a `GlueRun`, a dict, or fails with `TaskFailed` whose `status`
    is one. If Glue itself tries a run again, that is a new run, and not waited for: give the job no `MaxRetries`.

    Up to 200 runs are asked about with one request. May be used from several threads at a time.
    """

    api = "glue"

    def __init__(
        self,
        job: str,
        *,
        region: str | None = None,
        session: Any = None,
        connections: int = 16,
        calls_per_second: float = 10.0,
        **client_options: Any,
    ) -> None:
        """Make it. Nothing is asked yet.

        Args:
            job: a str, the name of the job.
            region, session, connections, calls_per_second, client_options: as for `AwsBatch`.

        Raises ImportError without boto3, TypeError or ValueError if an argument cannot be used.
        """
        super().__init__(region, session, connections, calls_per_second, client_options)
        if not isinstance(cast("Any", job), str) or not job:
            raise ValueError(f"job must be the name of a job, not {shown(job)}")
        self.job = job

    # -- starting ------------------------------------------------------------------------------------------------------

    def start(self, arguments: Mapping[str, str] | None = None, *, tag: str | None = None, **options: Any) -> str:
        """Start a run; returns `REGION/JOB/RUN`.

        Args:
            arguments: a mapping of texts, such as `{"--day": "2026-11-30"}`.
            tag: a text by which `find` finds the run: it gets it as the argument `--more-executors-tag`.
            options: more arguments of StartJobRun, such as `WorkerType` and `Timeout`.

        Raises `StartInDoubt` if the answer was lost, and no run with the tag is found; `Throttled` if nothing was
        started, as when the job runs as often as its MaxConcurrentRuns allows; `AwsError` if Glue refuses it.
        """
        given = dict(arguments or {})
        if tag is not None:
            given[TAG] = tag

        def look() -> str | None:
            task = None if tag is None else self._tagged({tag}).get(tag)
            return None if task is None else task.rpartition("/")[2]

        arguments_of_call = {"JobName": self.job, "Arguments": given, **options}
        run = self.call_to_start(self.region, "start_job_run", "JobRunId", tag, look, **arguments_of_call)
        return f"{self.region}/{self.job}/{run}"

    # -- asking --------------------------------------------------------------------------------------------------------

    def id_of(self, task: str) -> RunId:
        if isinstance(cast("Any", task), str):
            region, _, rest = task.partition("/")
            job, _, run = rest.rpartition("/")
            if region and job and run:
                return RunId(region, job, run)
        raise ValueError(f"a task must be REGION/JOB/RUN, not {shown(task)}")

    def group_of(self, task: str) -> tuple[str, str]:
        return self.id_of(task)[:2]

    @counted
    def fetch(self, ids: list[RunId]) -> dict[RunId, dict[str, Any]]:
        """The newest runs of the job in pages, as long as these have some that are asked about; then the rest."""
        region, job, _ = ids[0]
        left = dict.fromkeys(ids)
        found: dict[RunId, dict[str, Any]] = {}
        if len(ids) > 1:
            for page in self.pages(region, "get_job_runs", "JobRuns", JobName=job, MaxResults=PAGE):
                here = {RunId(region, job, run["Id"]): run for run in page}
                here = {one: run for one, run in here.items() if one in left}
                found |= here
                for one in here:
                    del left[one]
                if not here or not left:
                    break
        return found | self.described(left, self._described, {"JobRunState": "RUNNING"}, is_over)

    def _described(self, one: RunId) -> dict[str, Any] | None:
        try:
            run: dict[str, Any] = self.call(one.region, "get_job_run", "JobRun", JobName=one.job, RunId=one.run)[
                "JobRun"
            ]
            return run
        except AwsError as error:
            if error.code != "EntityNotFoundException":
                raise
        return None

    def resolve(self, descriptor: PollDescriptor[str, GlueRun], status: dict[str, Any]) -> None:
        state = status["JobRunState"]
        if descriptor.result in self.cancelling:
            return
        if state not in FINAL:
            descriptor.report(state=state.lower())
            return
        record: GlueRun = {
            "id": status["Id"],
            "job": status["JobName"],
            "status": state,
            "error": status.get("ErrorMessage"),
            "attempt": status.get("Attempt", 0),
            "seconds": status.get("ExecutionTime"),
            "dpu_seconds": status.get("DPUSeconds"),
            "log_group": status.get("LogGroupName"),
        }
        if state == "SUCCEEDED":
            descriptor.yield_result(record)
        else:
            reason = state if record["error"] is None else f"{state}: {record['error']}"
            descriptor.yield_exception(TaskFailed(descriptor.result, record, reason))

    def missing(self, task_id: Any, since: datetime, seconds: float) -> BaseException:
        return RunForgotten(task_id, since, seconds)

    # -- cancelling and finding ----------------------------------------------------------------------------------------

    @counted
    def cancel(self, task: str) -> bool:
        """Have Glue stop a run; True if Glue says then that it stops."""
        one = self.id_of(task)
        with self.being_cancelled([task]):
            reply = self.call(one.region, "batch_stop_job_run", JobName=one.job, JobRunIds=[one.run])
            if not any(stopped["JobRunId"] == one.run for stopped in reply.get("SuccessfulSubmissions", ())):
                return False
            try:
                after = self._described(one)
            except ServiceAway:
                return False
        return after is not None and after["JobRunState"] in STOPS

    def find(self, keys: list[Any]) -> dict[Any, str]:
        """Which keys have a run: the newest with the tag. It reads all runs of the job that Glue keeps, in pages."""
        tags = {tag_of(key): hashable(key) for key in keys}
        return {tags[tag]: task for tag, task in self._tagged(set(tags)).items()}

    def _tagged(self, tags: set[str]) -> dict[str, str]:
        found: dict[str, tuple[Any, str]] = {}
        for page in self.pages(self.region, "get_job_runs", "JobRuns", JobName=self.job, MaxResults=PAGE):
            for run in page:
                tag = run.get("Arguments", {}).get(TAG)
                if tag in tags:
                    this = (run["StartedOn"], f"{self.region}/{self.job}/{run['Id']}")
                    found[tag] = max(found.get(tag, this), this)
        return {tag: task for tag, (_, task) in found.items()}

    def arguments(self) -> dict[str, Any]:
        return {"job": self.job, "region": self.region}

    def __repr__(self) -> str:
        return f"<GlueJobs of {self.job!r} in {self.region}>"


def is_over(status: dict[str, Any]) -> bool:
    return status["JobRunState"] in FINAL


class RunForgotten(TaskMissing):
    """Glue does not know a run, or does not any more."""

    def __str__(self) -> str:
        region, job, run = self.task_id
        return (
            f"Glue in {region} has known no run {run} of {job} since {self.since:%Y-%m-%d %H:%M:%S %Z}, for "
            f"{self.seconds:.0f} s: it forgets runs 365 days after they began, and those of a job that is deleted"
        )


GlueJobs.__module__ = "more_executors.services.aws"
