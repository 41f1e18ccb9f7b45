"""Jobs of Slurm as futures: `Slurm`, what it says of a job, and what it raises."""

from ._commands import CommandResult
from ._errors import JobForgotten, JobRefused, SlurmError, SlurmUnavailable, SubmissionInDoubt
from ._record import JobRecord
from ._slurm import Slurm

__all__ = [
    "CommandResult",
    "JobForgotten",
    "JobRecord",
    "JobRefused",
    "Slurm",
    "SlurmError",
    "SlurmUnavailable",
    "SubmissionInDoubt",
]
