"""AWS Batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, cast
from uuid import uuid4

from ..._checks import checked_count, iterated, shown
from ..._core import PollDescriptor
from .._errors import TaskFailed
from .._keys import hashable
from .._tags import tag_of
from ._base import AwsService
from ._batch_cancel import BatchCancel
from ._batch_job import (
    BatchJob,
    JobForgotten,
    JobId,
    checked_name,
    job_id_of,
    name_of_tag,
    record_of,
    why,
)
from ._requests import counted

__all__: list[str] = []

CLOCKS_DIFFER = 300.0  # seconds at most, as AWS refuses requests of others
SMALLEST_ARRAY, LARGEST_ARRAY = 2, 10_000


class AwsBatch(AwsService[dict[str, Any], BatchJob]):
    """AWS Batch: jobs of a queue, in one region or several.

        batch = AwsBatch("queue", "render:3", region="eu-west-1")
        with batch, Executors.for_service(batch) as executor:
            future = executor.submit(batch.start, ["render.sh", "17"])
            futures = executor.adopt_many(batch.start_array(500, ["render.sh"]))

    A task is the ARN of a job; the id of a job in the region of this object may be adopted as well. Its future gives a
    `BatchJob`, a dict, or fails with `TaskFailed` whose `status` is one. The job of a whole array has ended when all
    its elements have.

    A hundred jobs are asked about with one request. May be used from several threads at a time.
    """

    api = "batch"
    batch_size = 100

    def __init__(
        self,
        queue: str,
        definition: str | None = None,
        *,
        region: str | None = None,
        more_regions: Sequence[str] = (),
        session: Any = None,
        connections: int = 16,
        calls_per_second: float = 50.0,
        **client_options: Any,
    ) -> None:
        """Make it. Nothing is asked yet.

        Args:
            queue: a str, the name or ARN of the job queue.
            definition: a str, the name, `name:revision` or ARN of the job definition, if `start` is given none.
            region: a str, by default the one of the session.
            more_regions: names of regions with a queue of the same name, for `start(region=…)`; `find` looks there too.
            session: a `boto3.Session`, by default a new one.
            connections: an int, how many connections a client keeps.
            calls_per_second: a number, of requests to ask and to cancel, together. It is lowered while AWS says that it
                is too busy.
            client_options: more arguments of `session.client`, such as `endpoint_url` or `config`; of the latter,
                `retries` and `max_pool_connections` are this object's.

        Raises ImportError without boto3, TypeError or ValueError if an argument cannot be used.
        """
        super().__init__(region, session, connections, calls_per_second, client_options)
        if not isinstance(queue, str) or not queue:
            raise ValueError(f"queue must be the name of a job queue, not {shown(queue)}")
        self.queue = queue
        if definition is not None and (not isinstance(cast("Any", definition), str) or not definition):
            raise ValueError(f"definition must be the name of a job definition, not {shown(definition)}")
        self.definition = definition
        more_regions = tuple(iterated("more_regions", more_regions, "regions"))
        if not all(isinstance(one, str) and one for one in more_regions):
            raise ValueError(f"more_regions must be names of regions, not {shown(more_regions)}")
        self.regions = (self.region, *(one for one in more_regions if one != self.region))

    # -- starting ------------------------------------------------------------------------------------------------------

    def start(
        self,
        command: Sequence[str] | None = None,
        *,
        tag: str | None = None,
        name: str | None = None,
        region: str | None = None,
        definition: str | None = None,
        **options: Any,
    ) -> str:
        """Start a job; returns its ARN.

        Args:
            command: the words of the command, instead of the definition's.
            tag: a text by which `find` finds the job: its name is made of it.
            name: the job's name, if there is no tag: up to 128 letters, digits, `-` and `_`.
            region: a str, one of the regions of this object; by default the first.
            definition: a str, instead of this object's.
            options: more arguments of SubmitJob, as boto3 has them: `containerOverrides`, `dependsOn`, `parameters`,
                `retryStrategy`, `timeout` and so on.

        Raises `StartInDoubt` if the answer was lost, and no job with the tag is found; `Throttled` and `ServiceAway` if
        nothing was started; `AwsError` if AWS refuses it.
        """
        where, arguments = self._submission(command, tag, name, region, definition, options)
        began = self.now()
        job_name: str = arguments["jobName"]

        def look() -> str | None:
            job = self._newest(where, job_name)
            is_new = job is not None and job["createdAt"] / 1000 > began - CLOCKS_DIFFER
            return str(job["jobArn"]) if job is not None and is_new else None

        return self.call_to_start(where, "submit_job", "jobArn", tag or job_name, look, **arguments)

    def start_array(
        self,
        size: int,
        command: Sequence[str] | None = None,
        *,
        tag: str | None = None,
        name: str | None = None,
        region: str | None = None,
        definition: str | None = None,
        **options: Any,
    ) -> list[str]:
        """Start an array of `size` jobs, 2 to 10,000, with one request; returns a task for each, for `adopt_many`.

        Each has its number, from 0 on, in `AWS_BATCH_JOB_ARRAY_INDEX`. Otherwise as `start`.
        """
        if not SMALLEST_ARRAY <= checked_count("size", size) <= LARGEST_ARRAY:
            raise ValueError(f"size must be {SMALLEST_ARRAY} to {LARGEST_ARRAY}, not {shown(size)}")
        options = {**options, "arrayProperties": {"size": size}}
        array = self.start(command, tag=tag, name=name, region=region, definition=definition, **options)
        return [f"{array}:{number}" for number in range(size)]

    def _submission(
        self,
        command: Sequence[str] | None,
        tag: str | None,
        name: str | None,
        region: str | None,
        definition: str | None,
        options: dict[str, Any],
    ) -> tuple[str, dict[str, Any]]:
        """The region, and the arguments of SubmitJob."""
        where = region or self.region
        if where not in self.regions:
            raise ValueError(f"region must be one of {', '.join(self.regions)}, not {shown(region)}")
        if tag is not None and name is not None:
            raise ValueError(f"name must not be given with a tag, of which the name is made, not {shown(name)}")
        if tag is not None:
            job_name = name_of_tag(tag)
        else:
            job_name = f"job-{uuid4().hex}" if name is None else checked_name("name", name)
        chosen = definition or self.definition
        if chosen is None:
            raise ValueError("definition must be given, as this AwsBatch has none")
        arguments = {**options, "jobName": job_name, "jobQueue": self.queue, "jobDefinition": chosen}
        if command is not None:
            if isinstance(command, (str, bytes)):
                raise TypeError(f"command must be a list of words, not {shown(command)}")
            arguments["containerOverrides"] = {**options.get("containerOverrides", {}), "command": list(command)}
        return where, arguments

    # -- asking --------------------------------------------------------------------------------------------------------

    def id_of(self, task: str) -> JobId:
        return job_id_of(task, self.region)

    def group_of(self, task: str) -> str:
        return job_id_of(task, self.region).region

    @counted
    def fetch(self, ids: list[JobId]) -> dict[JobId, dict[str, Any]]:
        """One DescribeJobs for a hundred jobs of one region."""
        found: dict[JobId, dict[str, Any]] = {}
        for region, some in groupby(ids, key=lambda one: one.region):
            names = [one.job for one in some]
            for start in range(0, len(names), 100):
                reply = self.call(region, "describe_jobs", "jobs", jobs=names[start : start + 100])
                found |= {JobId(region, job["jobId"]): job for job in reply["jobs"]}
        return found

    def resolve(self, descriptor: PollDescriptor[str, BatchJob], status: dict[str, Any]) -> None:
        state = status["status"]
        if descriptor.result in self.cancelling:
            return
        if state == "SUCCEEDED":
            descriptor.yield_result(record_of(status))
        elif state == "FAILED":
            record = record_of(status)
            descriptor.yield_exception(TaskFailed(descriptor.result, record, why(record)))
        else:
            descriptor.report(state=state.lower())

    def missing(self, task_id: Any, since: datetime, seconds: float) -> BaseException:
        return JobForgotten(task_id, since, seconds)

    # -- cancelling and finding ----------------------------------------------------------------------------------------

    @counted
    def cancel_many(self, tasks: list[str]) -> list[bool]:
        """Cancel jobs that wait and terminate those that run; True for those of which AWS says then that it has.

        Of a job that AWS cancels later, as one that depends on others, it is False: its future fails when it is over.
        """
        with self.being_cancelled(tasks):
            return BatchCancel(self).cancel([self.id_of(task) for task in tasks])

    def cancel(self, task: str) -> bool:
        return self.cancel_many([task])[0]

    def find(self, keys: list[Any]) -> dict[Any, str]:
        """Which keys have a job, in the queue of any of the regions: the newest one of that name.

        One ListJobs for each key and region, or more if there are many pages.
        """
        found: dict[Any, str] = {}
        for key in keys:
            name = name_of_tag(tag_of(key))
            jobs = [job for job in (self._newest(region, name) for region in self.regions) if job is not None]
            if jobs:
                found[hashable(key)] = str(max(jobs, key=lambda job: job["createdAt"])["jobArn"])
        return found

    def _newest(self, region: str, name: str) -> dict[str, Any] | None:
        """The newest job of exactly that name; ListJobs finds those that differ in case, too, in pages."""
        filters = [{"name": "JOB_NAME", "values": [name]}]
        pages = self.pages(region, "list_jobs", "jobSummaryList", jobQueue=self.queue, filters=filters)
        jobs = (job for page in pages for job in page)
        return max((job for job in jobs if job["jobName"] == name), key=lambda job: job["createdAt"], default=None)

    def arguments(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "definition": self.definition,
            "region": self.region,
            "more_regions": self.regions[1:],
        }

    def __repr__(self) -> str:
        return f"<AwsBatch of {self.queue!r} in {', '.join(self.regions)}>"


AwsBatch.__module__ = "more_executors.services.aws"
