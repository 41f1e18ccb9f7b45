"""Submitting a job, and whether it was accepted, which sbatch cannot always say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...rate_limit import Throttled
from ._commands import Commands
from ._errors import JobRefused, SlurmError, SlurmUnavailable, SubmissionInDoubt
from ._finding import find_since

__all__: list[str] = []

ANSWER = re.compile(r"^([1-9][0-9]*(?:;[A-Za-z0-9_.-]+)?)\s*$", re.MULTILINE | re.ASCII)
REFUSED = "Batch job submission failed: "
NOT_REACHED = "(connect failure)"
FULL = "Resource temporarily unavailable"
# The request was under way; what became of it, the controller alone knows. Whatever else is said is its own answer.
ANSWER_LOST = re.compile(
    r"timed out|Zero Bytes|\((?:send|receive|shutdown) failure\)|Unexpected message|Insane message|Header lengths"
    r"|Communication |Message (?:send|receive) failure|Connection reset|Transport endpoint|Broken pipe"
)


def submit(commands: Commands, arguments: Sequence[str], tag: str | None, began: float) -> str:
    """Submit one job, with one call of sbatch; `began` is the time in seconds since 1970. Returns what sbatch prints.

    Raises SlurmUnavailable or Throttled if nothing was started but may be later, JobRefused if Slurm does not want it,
    and SubmissionInDoubt if the answer was lost, and no job of that tag can be found that was submitted since.
    """
    try:
        done = commands.ended("sbatch", "--parsable", *arguments)
    except (SlurmError, PermissionError):
        raise
    except Exception as error:
        return in_doubt(commands, tag, began, str(error) or type(error).__name__)
    accepted = ANSWER.search(done.stdout)
    if accepted is not None:  # with another code than 0 where a script has `#SBATCH --wait`: that is its job's
        return accepted[1]
    said = done.stderr.strip() or done.stdout.strip()
    reason = said.partition(REFUSED)[2]
    if done.returncode <= 0 or ANSWER_LOST.search(reason):
        return in_doubt(commands, tag, began, f"sbatch ended with {done.returncode} and said: {said or 'nothing'}")
    if NOT_REACHED in reason:
        raise SlurmUnavailable("sbatch", done.returncode, said)
    if FULL in reason:  # and sbatch has waited for two minutes that it is not
        raise Throttled
    raise JobRefused("sbatch", done.returncode, said)


def in_doubt(commands: Commands, tag: str | None, began: float, why: str) -> str:
    found = None if tag is None else find_since(commands, tag, began)
    if found is None:
        raise SubmissionInDoubt(tag, why)
    return found
