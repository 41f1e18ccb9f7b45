"""What the accounting database says of jobs: rows of sacct."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ._commands import Commands
from ._errors import SlurmError
from ._ids import ROW, JobId, indices
from ._record import GOES_ON, JobRecord

__all__: list[str] = []

# Nothing in it is anybody's text, so that nothing can look like the end of a column or of a row.
COLUMNS = "JobID,Submit,Start,End,State,ExitCode,ElapsedRaw,NodeList"
ASK = ("--allocations", "--noheader", "--parsable2", f"--format={COLUMNS}")
NO_NODES = ("None assigned", "")


class Row(NamedTuple):
    """One row of sacct: of a job, of an element, or of all those elements of an array that wait."""

    name: str  # 7, 7_3, 7+1, or 7_[4-9%2]
    submitted: int | None
    started: int | None
    ended: int | None
    state: str
    cancelled_by: int | None
    exit_code: int
    signal: int
    elapsed: int
    nodes: str

    @property
    def final(self) -> bool:
        """Whether the job has ended, as far as the database knows.

        Without an end, the row has a state that the job had when it was written, and an exit code that it had not.
        """
        return self.ended is not None and self.state not in GOES_ON

    def names(self) -> list[str]:
        """What the jobs are called that it is of: one, or all elements that wait."""
        number, _, waiting = self.name.partition("_[")
        return [f"{number}_{index}" for index in indices(waiting.removesuffix("]"))] if waiting else [self.name]

    def place(self) -> int:
        """Where it stands in an array or a heterogeneous job: the order of rows is that in which they were written."""
        name = self.names()[0]
        return int(re.split("[_+]", name)[-1])

    def record(self, job: JobId) -> JobRecord:
        """This as what is said of `job`."""
        uncertain = not self.signal and (self.exit_code > 0 or self.state == "FAILED")
        return JobRecord(
            job.number,
            job.element,
            job.cluster,
            self.state if self.final or self.state in GOES_ON else "COMPLETING",
            self.exit_code,
            self.signal,
            not (self.final and uncertain),
            self.cancelled_by,
            self.elapsed,
            self.nodes,
            self.submitted,
            self.started,
            self.ended,
        )


class Accounting:
    """The rows of all jobs that have been asked about."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[str, Row] = {}
        self._names: dict[str, list[str]] = {}  # of the rows of a job's number
        self._waiting: dict[str, list[tuple[frozenset[int], Row]]] = {}  # the elements that have no rows of their own
        for row in rows:
            name = ROW.fullmatch(row.name)
            assert name is not None
            older = self._rows.get(row.name)
            if older is None:
                self._names.setdefault(name[1], []).append(row.name)
            elif (older.submitted or 0) > (row.submitted or 0):
                continue
            self._rows[row.name] = row
            if name[4]:
                self._waiting.setdefault(name[1], []).append((frozenset(indices(name[4])), row))

    def row(self, job: JobId) -> Row | None:
        """That of one job, or of an element that of those that wait with it."""
        own = self._rows.get(job.alone)
        if own is None and job.element is not None:
            for waiting, row in self._waiting.get(job.number, ()):
                if job.element in waiting:
                    return row
        return own

    def parts(self, job: JobId) -> list[Row]:
        """All rows of a whole job: those of its elements or parts, if it has any."""
        return [self._rows[name] for name in self._names.get(job.number, ())]


def accounting_of(commands: Commands, numbers: Iterable[str]) -> Accounting:
    """What sacct says of the jobs with these numbers, and of all their elements and parts.

    It is not asked for elements: of one that waits it would say nothing. Raises SlurmUnavailable if it does not answer.
    """
    outputs = commands.outputs("sacct", *ASK, option="--jobs", values=dict.fromkeys(numbers))
    return Accounting(row for output in outputs for row in rows_of(output))


def rows_of(output: str) -> Iterator[Row]:
    """The rows that sacct has printed. Raises SlurmError if they are something else."""
    for line in output.splitlines():
        try:
            name, submitted, started, ended, state, exits, elapsed, nodes = line.split("|")
            if ROW.fullmatch(name) is None:
                raise ValueError
            word, _, after = state.partition(" ")
            by = after.removeprefix("by ") if after.startswith("by ") else ""
            code, _, signal = exits.partition(":")
            yield Row(
                name,
                seconds(submitted),
                seconds(started),
                seconds(ended),
                word,
                int(by) if by.isdecimal() else None,
                int(code or 0),
                int(signal or 0),
                int(elapsed or 0),
                "" if nodes in NO_NODES else nodes,
            )
        except ValueError:
            raise SlurmError("sacct", None, f"a row that is none: {line!r}") from None


def seconds(time: str) -> int | None:
    return None if time in ("Unknown", "None", "") else int(time)
