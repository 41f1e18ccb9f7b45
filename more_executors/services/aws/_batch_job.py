"""Jobs of AWS Batch: their ids, and what is kept of what AWS says of them."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, NamedTuple, TypedDict

from ..._checks import shown
from ...status_poll import TaskMissing
from .._errors import shown_task

__all__: list[str] = []

JOB_ID = r"[0-9A-Za-z-]{8,64}(?:[:#][0-9]+)?"
ARN = re.compile(rf"arn:aws[a-z-]*:batch:(?P<region>[a-z0-9-]+):[0-9]*:job/(?P<job>{JOB_ID})")
PLAIN = re.compile(JOB_ID)
BEFORE_STARTING = frozenset({"SUBMITTED", "PENDING", "RUNNABLE"})
FINAL = frozenset({"SUCCEEDED", "FAILED"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


class JobId(NamedTuple):
    """Where a job is asked about, and by what id."""

    region: str
    job: str


class Attempt(TypedDict):
    """One run of a job: what its container ended with."""

    exit_code: int | None
    reason: str | None
    container_reason: str | None


class BatchJob(TypedDict):
    """What AWS Batch says of a job that has ended, without its command and environment. Times are seconds since 1970.

    `exit_code` and `container_reason` are those of the first container that did not end with 0, or of the first;
    `elements` says for an array how many of its jobs are in which state.
    """

    id: str
    name: str
    status: str
    reason: str | None
    exit_code: int | None
    container_reason: str | None
    attempts: list[Attempt]
    log_stream: str | None
    created_at: float | None
    started_at: float | None
    stopped_at: float | None
    elements: dict[str, int]


class JobForgotten(TaskMissing):
    """AWS Batch does not know a job, or does not any more."""

    def __str__(self) -> str:
        region, job = self.task_id
        return (
            f"AWS Batch in {region} has known no job {job} since {self.since:%Y-%m-%d %H:%M:%S %Z}, for "
            f"{self.seconds:.0f} s: it forgets jobs some days after their end, however they ended, and other accounts' "
            "are never seen"
        )


JobForgotten.__module__ = "more_executors.services.aws._batch_job"


def job_id_of(task: Any, region: str) -> JobId:
    """The id of a job that is given by its ARN, or by an id in `region`. Raises ValueError if it is neither."""
    if isinstance(task, str):
        if found := ARN.fullmatch(task):
            return JobId(found["region"], found["job"])
        if PLAIN.fullmatch(task):
            return JobId(region, task)
    raise ValueError(f"a task must be the ARN or the id of a job of AWS Batch, not {shown_task(task)}")


def name_of_tag(tag: str) -> str:
    """The name of a job that is started with `tag`: names have no dots, and find no difference of case."""
    if "." not in tag:
        return checked_name("tag", tag)
    return checked_name("tag", f"{tag.replace('.', '_')}-{sha256(tag.encode()).hexdigest()[:16]}")


def checked_name(what: str, name: Any) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        letters = "1 to 128 letters, digits, hyphens and underscores, a letter or digit first"
        raise ValueError(f"{what} must be {letters}, not {shown(name)}")
    return name


def containers_in(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers of a job, or of an attempt: one, or those of a task of ECS or of a pod."""
    found: list[dict[str, Any]] = [part["container"]] if part.get("container") else []
    tasks = part.get("taskProperties") or part.get("ecsProperties", {}).get("taskProperties", ())
    for task in tasks:
        found += task.get("containers", ())
    found += part.get("eksProperties", {}).get("podProperties", {}).get("containers", ())
    return found


def deciding(part: dict[str, Any]) -> dict[str, Any]:
    containers = containers_in(part)
    failed = [one for one in containers if one.get("exitCode") or (one.get("reason") and one.get("exitCode") != 0)]
    return [*failed, *containers, {}][0]


def record_of(job: dict[str, Any]) -> BatchJob:
    """What is kept of a reply."""
    container = deciding(job)
    elements: dict[str, int] = {**(job.get("arrayProperties", {}).get("statusSummary") or {})}

    def seconds(name: str) -> float | None:
        return None if job.get(name) is None else job[name] / 1000

    return {
        "id": job["jobId"],
        "name": job.get("jobName", ""),
        "status": job["status"],
        "reason": job.get("statusReason"),
        "exit_code": container.get("exitCode"),
        "container_reason": container.get("reason"),
        "attempts": [attempt_of(one) for one in job.get("attempts") or ()],
        "log_stream": container.get("logStreamName"),
        "created_at": seconds("createdAt"),
        "started_at": seconds("startedAt"),
        "stopped_at": seconds("stoppedAt"),
        "elements": elements,
    }


def attempt_of(attempt: dict[str, Any]) -> Attempt:
    container = deciding(attempt)
    return {
        "exit_code": container.get("exitCode"),
        "reason": attempt.get("statusReason"),
        "container_reason": container.get("reason"),
    }


def why(job: BatchJob) -> str:
    """Why a job has failed, as one reads it."""
    parts = [job["reason"] or "no reason given"]
    if job["exit_code"] is not None:
        parts.append(f"exit code {job['exit_code']}")
    if job["container_reason"] and job["container_reason"] != job["reason"]:
        parts.append(job["container_reason"])
    if failed := {state: count for state, count in job["elements"].items() if count and state in FINAL}:
        parts.append(", ".join(f"{count} {state}" for state, count in sorted(failed.items())))
    if len(job["attempts"]) > 1:
        parts.append(f"after {len(job['attempts'])} attempts")
    return "; ".join(parts)
