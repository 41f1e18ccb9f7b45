"""How commands of Slurm are run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from ._errors import SlurmError, SlurmUnavailable, shortened
from ._ids import chunks

__all__: list[str] = []

LONGEST_ARGUMENT = 100_000  # characters; Linux takes 131,071
# Times as seconds since 1970, in whatever time zone a cluster is; all elements of an array, and no "..." for the rest.
VARIABLES = {"SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0"}
# What a user has set for commands to print or choose otherwise by default.
OTHER_DEFAULTS = (
    "SACCT_",
    "SCANCEL_",
    "SQUEUE_",
    "SLURM_CLUSTERS",
    "SBATCH_CLUSTERS",
    "SBATCH_WAIT",
    "SBATCH_ARRAY_INX",
)
NOT_AN_OUTAGE = ("accounting storage is disabled", "unrecognized option", "invalid option", "Invalid user")


class CommandResult(NamedTuple):
    """What a command has ended with, and what it has printed."""

    returncode: int
    stdout: str
    stderr: str


Run: TypeAlias = "Callable[[list[str], Mapping[str, str]], CommandResult]"


class RunHere:
    """Runs commands on this machine, without a shell.

    Args:
        timeout: seconds after which a command is killed.
        environment: variables that commands get beside those of this process.
    """

    def __init__(self, timeout: float, environment: Mapping[str, str]) -> None:
        self.timeout = timeout
        self.environment = dict(environment)

    def __call__(self, command: list[str], variables: Mapping[str, str]) -> CommandResult:
        """Run it. Raises FileNotFoundError if there is no such command here, TimeoutExpired if it has been killed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OTHER_DEFAULTS)}
        done = subprocess.run(
            command,
            env={**kept, **self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=self.timeout,
            start_new_session=True,  # Ctrl-C in a terminal is for this process, not for a sbatch half way through
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)


class Commands:
    """The commands of one cluster: `cluster` is its name, or None for the one that they use by default."""

    def __init__(self, run: Run, cluster: str | None) -> None:
        self._run = run
        self._where = [] if cluster is None else [f"--clusters={cluster}"]

    def ended(self, command: str, *arguments: str) -> CommandResult:
        """Run it, and return what it ended with, whatever that is.

        Raises SlurmError if there is no such command, and TimeoutError if it took too long.
        """
        try:
            return self._run([command, *self._where, *arguments], VARIABLES)
        except FileNotFoundError as error:
            raise SlurmError(command, None, f"it cannot be run: {error}") from None
        except subprocess.TimeoutExpired as error:
            late = TimeoutError(too_late(command, error))
        raise late  # here, where the other one, which has all arguments, is not its context

    def output(self, command: str, *arguments: str) -> str:
        """What it prints. Raises SlurmUnavailable if it fails, or SlurmError if it would do so again."""
        done = self.ended(command, *arguments)
        if done.returncode:
            permanent = any(text in done.stderr for text in NOT_AN_OUTAGE)
            raise (SlurmError if permanent else SlurmUnavailable)(command, done.returncode, done.stderr)
        return done.stdout

    def outputs(self, command: str, *arguments: str, option: str, values: Iterable[str]) -> Iterator[str]:
        """What it prints for many values of one option, in as few calls as a command line takes."""
        for part in chunks(values, LONGEST_ARGUMENT):
            yield self.output(command, *arguments, f"{option}={part}")


def too_late(command: str, error: subprocess.TimeoutExpired) -> str:
    """That a command took too long, without its arguments."""
    said = error.stderr.decode("utf-8", "replace") if isinstance(error.stderr, bytes) else error.stderr
    return f"{command} was killed after {error.timeout:g} s, and said: {shortened(said or '') or 'nothing'}"
