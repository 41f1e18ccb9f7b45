"""What can go wrong between a program and Slurm."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...journal import StartInDoubt
from ...status_poll import TaskMissing

__all__: list[str] = []

LONGEST = 2_000  # characters of what a command says that go into the text of an error


class SlurmError(Exception):
    """A command of Slurm has failed.

    Args:
        command: a str, such as "sacct". Its arguments are not kept, which may have secrets in them.
        returncode: an int, or None if it could not be run, or has printed something that cannot be understood.
        stderr: a str, what it has written there; without a returncode, what was wrong.

    All three are attributes too.
    """

    def __init__(self, command: str, returncode: int | None, stderr: str) -> None:
        super().__init__(command, returncode, stderr)
        self.command = command
        self.returncode = returncode
        self.stderr = stderr

    def __str__(self) -> str:
        if self.returncode is None:
            return f"{self.command}: {shortened(self.stderr)}"
        return f"{self.command} ended with {self.returncode} and said: {shortened(self.stderr) or 'nothing'}"


class SlurmUnavailable(SlurmError):  # noqa: N818  # as JobRefused
    """The controller or the accounting database does not answer. Nothing was changed."""


class JobRefused(SlurmError):  # noqa: N818  # it is what happened to the job
    """Slurm has not accepted a job, and says why in `stderr`."""


class SubmissionInDoubt(StartInDoubt):
    """It is not known whether Slurm has accepted a job: the answer to sbatch was lost.

    `key` is the tag, or None without one; `why` is a str, what sbatch said.
    """

    def __init__(self, key: Any, why: str) -> None:
        super().__init__(key)
        self.args = (key, why)
        self.why = why

    def __str__(self) -> str:
        tagged = "without a tag" if self.key is None else f"with the tag {self.key!r}"
        return f"it is not known whether Slurm has accepted a job {tagged}: {shortened(self.why)}"


class JobForgotten(TaskMissing):
    """Neither the accounting database nor the controller knows this job, since `since`, for `seconds` s.

    Slurm keeps nothing of an element of an array that is cancelled alone while it waits. So if the job is one, it may
    have been cancelled; Slurm does not say.
    """

    def __init__(self, task_id: Any, since: datetime, seconds: float) -> None:
        super().__init__(task_id, since, seconds)

    def __str__(self) -> str:
        since = f"{self.since:%Y-%m-%d %H:%M:%S %Z}"
        text = f"Slurm has not known the job {self.task_id} since {since}, for {self.seconds:.1f} s"
        if "_" in str(self.task_id):
            text += "; it keeps nothing of an element of an array that is cancelled alone while it waits"
        return text


def shortened(text: str) -> str:
    text = text.strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters)"


for error in (SlurmError, SlurmUnavailable, JobRefused, SubmissionInDoubt, JobForgotten):
    error.__module__ = "more_executors.services.slurm"  # where everybody has them from
