"""What the controller says of the jobs that it remembers: rows of squeue."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from ._commands import Commands
from ._errors import SlurmError
from ._ids import JobId
from ._record import GOES_ON

__all__: list[str] = []

COLUMNS = "JobArrayID:|,State:|,exit_code:|,SubmitTime:|"  # nothing in it is anybody's text
ASK = ("--noheader", "--all", "--array", "--states=all", f"--Format={COLUMNS}")
MOST = 100  # ids that squeue is asked for: with thousands it takes ten times as long as with all jobs there are


class QueueRow(NamedTuple):
    """A job, or an element of an array, that the controller remembers."""

    name: str  # 7, 7_3, or 7+1
    state: str
    exit_code: int
    signal: int
    submitted: int | None

    @property
    def goes_on(self) -> bool:
        return self.state in GOES_ON


class Queue:
    """The rows of the jobs that have been asked about, or of more."""

    def __init__(self, rows: Iterator[QueueRow]) -> None:
        self._of_number: dict[str, dict[str, QueueRow]] = {}
        for row in rows:
            number = row.name.partition("_")[0].partition("+")[0]
            self._of_number.setdefault(number, {})[row.name] = row

    def row(self, name: str) -> QueueRow | None:
        """That of the job called so."""
        return self._of_number.get(name.partition("_")[0].partition("+")[0], {}).get(name)

    def rows(self, job: JobId) -> list[QueueRow]:
        """Those of a job, or of all its elements and parts."""
        if job.element is not None or job.offset is not None:
            own = self.row(job.alone)
            return [] if own is None else [own]
        return list(self._of_number.get(job.number, {}).values())


def queue_of(commands: Commands, numbers: Collection[str]) -> Queue:
    """What squeue says of the jobs with these numbers. Raises SlurmUnavailable if it does not answer."""
    if not numbers:
        return Queue(iter(()))
    # An id twice, as squeue fails if it is asked for one job that it does not know, and only then.
    listed = [*numbers, *numbers] if len(numbers) == 1 else [*numbers]
    which = [f"--jobs={','.join(listed)}"] if len(numbers) <= MOST else []
    return Queue(rows_of(commands.output("squeue", *ASK, *which)))


def rows_of(output: str) -> Iterator[QueueRow]:
    """The rows that squeue has printed. Raises SlurmError if they are something else."""
    for line in output.splitlines():
        if not line or line.startswith("CLUSTER: "):
            continue
        try:
            name, state, exits, submitted, _ = line.split("|")
            number, _, rest = name.partition("_")
            if not number.partition("+")[0].isdecimal():
                raise ValueError
            if rest.startswith("["):  # of an array that was cancelled before it began
                continue
            code, signal = exit_of(exits)
            yield QueueRow(name, state, code, signal, int(submitted) if submitted.isdecimal() else None)
        except ValueError:
            raise SlurmError("squeue", None, f"a row that is none: {line!r}") from None


def exit_of(text: str) -> tuple[int, int]:
    """The exit code and the signal: of a status as wait(2) has it, or of two numbers with a colon between."""
    code, colon, signal = text.partition(":")
    if colon:
        return int(code), int(signal)
    status = int(code)
    return status >> 8 & 0xFF, status & 0x7F
