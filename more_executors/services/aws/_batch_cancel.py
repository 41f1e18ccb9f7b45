"""Cancelling jobs of AWS Batch.

CancelJob succeeds even if it cancels nothing, as a job that has begun is not cancelled. TerminateJob ends those.
Neither says what it has done: that is asked afterwards.
"""

from __future__ import annotations

from typing import Any, Protocol

from ...rate_limit import Throttled
from .._errors import ServiceAway
from ._batch_job import BEFORE_STARTING, FINAL, JobId
from ._errors import AwsError

__all__: list[str] = []

REASON = "its future was cancelled"


class Jobs(Protocol):
    def call(self, region: str, operation: str, part: str | None = None, **arguments: Any) -> dict[str, Any]: ...
    def fetch(self, ids: list[JobId]) -> dict[JobId, dict[str, Any]]: ...
    def refused(self, what: str, error: AwsError) -> None: ...


class BatchCancel:
    """One call to cancel: at most four requests for a hundred jobs, and one or two for each."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def cancel(self, ids: list[JobId]) -> list[bool]:
        """Whether each is cancelled. Raises Throttled if nothing was tried yet."""
        before = self._jobs.fetch(list(dict.fromkeys(ids)))
        tried = self._request({one: job for one, job in before.items() if job["status"] not in FINAL})
        after = self._fetched(tried)
        begun = {one: job for one, job in after.items() if self._went_on(before[one], job)}
        if begun:  # between the question and CancelJob
            after |= self._fetched(self._request(begun))
        return [one in tried and self._is_cancelled(after.get(one)) for one in ids]

    def _request(self, jobs: dict[JobId, dict[str, Any]]) -> list[JobId]:
        """Make the request for each that its state asks for; returns those for which AWS took it."""
        taken: list[JobId] = []
        refused: list[tuple[JobId, AwsError]] = []
        for one, job in jobs.items():
            operation = "cancel_job" if job["status"] in BEFORE_STARTING else "terminate_job"
            try:
                self._jobs.call(one.region, operation, jobId=one.job, reason=REASON)
            except AwsError as error:
                refused.append((one, error))
                continue
            except Throttled:
                if not taken:
                    raise
                break
            except ServiceAway:
                if not taken:
                    raise
            taken.append(one)
        if refused:  # one is enough, as most have the same reason
            first, why = refused[0]
            more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
            self._jobs.refused(f"cancelling {first.job}{more}", why)
        return taken

    def _fetched(self, ids: list[JobId]) -> dict[JobId, dict[str, Any]]:
        """What AWS says now; nothing if it does not: then none of them is known to be cancelled."""
        try:
            return self._jobs.fetch(ids) if ids else {}
        except (ServiceAway, Throttled):
            return {}

    def _went_on(self, before: dict[str, Any], after: dict[str, Any]) -> bool:
        is_running = after["status"] not in BEFORE_STARTING and after["status"] not in FINAL
        return is_running and before["status"] in BEFORE_STARTING and not self._is_cancelled(after)

    def _is_cancelled(self, job: dict[str, Any] | None) -> bool:
        if job is None or job["status"] == "SUCCEEDED":
            return False
        if job["status"] == "FAILED":
            return job.get("statusReason") == REASON
        return bool(job.get("isCancelled") or job.get("isTerminated"))
