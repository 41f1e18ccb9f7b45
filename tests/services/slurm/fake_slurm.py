"""A stand-in for the commands of Slurm, which does what a real one was seen to do.

The controller, the database and the jobs are what a test tells them to be: jobs start and end, and time passes, only on
demand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import RLock

from more_executors.services.slurm import CommandResult

ACTIVE = ("PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "REQUEUED")
DOWN = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"


@dataclass
class Job:
    """A job or an element, as the controller has it."""

    number: int
    index: int | None
    name: str
    submitted: int
    state: str = "PENDING"
    status: int = 0  # as wait(2) has it
    started: int | None = None
    ended: int | None = None
    cancelled_by: int | None = None
    owner: int = 1001
    part: int | None = None

    @property
    def id(self) -> str:
        if self.part is not None:
            return f"{self.number}+{self.part}"
        return str(self.number) if self.index is None else f"{self.number}_{self.index}"


@dataclass
class Row:
    """A job as the database has it."""

    job: Job
    state: str
    exits: str
    started: int | None
    ended: int | None


@dataclass
class FakeSlurm:
    """Give it to `Slurm(run=...)`."""

    now: int = 1_800_000_000
    next_number: int = 100
    controller: dict[str, Job] = field(default_factory=dict)
    database: dict[tuple[str, int], Row] = field(default_factory=dict)  # by id and time of submission
    calls: list[list[str]] = field(default_factory=list)
    behind: bool = False  # records wait for the database
    waiting_records: list[Callable[[], None]] = field(default_factory=list)
    controller_away: str | None = None  # what its clients say
    database_away: str | None = None
    sbatch_says: str | None = None  # instead of an answer
    sbatch_accepts: bool = True  # nevertheless
    finishes_at_scancel: str | None = None  # the id of a job that ends well just before
    slept: Callable[[float], object] = lambda seconds: None  # called while we sleep
    lock: RLock = field(default_factory=RLock)

    def __call__(self, command: list[str], variables: Mapping[str, str]) -> CommandResult:
        assert variables == {"SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0"}
        with self.lock:
            self.calls.append(command)
            return getattr(self, command[0])(command[1:])

    def at_once(self, command: list[str], variables: Mapping[str, str]) -> CommandResult:
        """The same, with jobs that end as soon as they are submitted."""
        result = self(command, variables)
        if command[0] == "sbatch":
            for task in list(self.controller):
                self.end(task)
        return result

    # -- what happens ----------------------------------------------------------------------------------------------

    def submit(self, name: str = "job", indices: list[int] | None = None, owner: int = 1001) -> int:
        number, self.next_number = self.next_number, self.next_number + 1
        for index in [None] if indices is None else indices:
            job = Job(number, index, name, self.now, owner=owner)
            self.controller[job.id] = job
            self._record(job)
        return number

    def submit_het(self, parts: int) -> int:
        number, self.next_number = self.next_number, self.next_number + parts
        for part in range(parts):
            job = Job(number, None, "het", self.now, part=part)
            self.controller[job.id] = job
            self._record(job)
        return number

    def run(self, task: str) -> None:
        job = self.controller[task]
        job.state, job.started = "RUNNING", self.now
        self._record(job)

    def end(self, task: str, state: str = "COMPLETED", status: int = 0) -> None:
        job = self.controller[task]
        if state != "CANCELLED":
            job.started = job.started or self.now
        job.state, job.status, job.ended = state, status, self.now
        self._record(job)

    def settle(self, task: str) -> None:
        """The processes of a job that was cancelled have ended."""
        self.controller[task].state = "CANCELLED"

    def requeue(self, task: str, state: str) -> None:
        """A job fails as its node does, and is queued again; of that the database hears by `tell_of_requeue`."""
        self.end(task, state)
        job = self.controller[task]
        self.controller[task] = Job(job.number, job.index, job.name, self.now + 1)

    def tell_of_requeue(self, task: str) -> None:
        self._record(self.controller[task])

    def forget(self, task: str) -> None:
        """The controller does not remember it any more: it has ended MinJobAge ago."""
        self.controller.pop(task, None)

    def purge(self, task: str) -> None:
        self.forget(task)
        for key in [key for key in self.database if key[0] == task]:
            del self.database[key]

    def catch_up(self) -> None:
        """The database gets the records that wait."""
        self.behind = False
        records, self.waiting_records = self.waiting_records, []
        for record in records:
            record()

    def record_early(self, task: str) -> None:
        """The database has a row of the start, with the state that the job has by now, and without its end."""
        job = self.controller[task]
        self.database[job.id, job.submitted] = Row(job, job.state, "0:0", job.started, None)

    def _record(self, job: Job) -> None:
        state = job.state if job.cancelled_by is None else f"{job.state} by {job.cancelled_by}"
        row = Row(job, state, f"{job.status >> 8 & 0x7F}:{job.status & 0x7F}", job.started, job.ended)

        def write() -> None:
            self.database[job.id, job.submitted] = row

        if self.behind:
            self.waiting_records.append(write)
        else:
            write()

    # -- the commands ----------------------------------------------------------------------------------------------

    def sbatch(self, words: list[str]) -> CommandResult:
        options = options_of(words)
        assert "--parsable" in words
        if self.controller_away is not None:
            return CommandResult(1, "", f"sbatch: error: Batch job submission failed: {self.controller_away}")
        if self.sbatch_says is not None and not self.sbatch_accepts:
            return CommandResult(1, "", self.sbatch_says)
        array = options.get("array")
        number = self.submit(options.get("job-name", "wrap"), None if array is None else list(numbers_in(array)))
        if self.sbatch_says is not None:
            return CommandResult(1, "", self.sbatch_says)
        cluster = options.get("clusters")
        return CommandResult(0, f"{number};{cluster}\n" if cluster else f"{number}\n", "")

    def sacct(self, words: list[str]) -> CommandResult:
        if self.database_away is not None:
            return CommandResult(1, "", self.database_away)
        options = options_of(words)
        assert {"--allocations", "--noheader", "--parsable2"} <= set(words)
        newest: dict[str, Row] = {}
        for (name, _), row in sorted(self.database.items(), key=lambda item: item[0][1]):
            newest[name] = row
        chosen = list(newest.values())
        if "jobs" in options:
            asked = set(options["jobs"].split(","))
            chosen = [row for row in chosen if row.job.id in asked or str(row.job.number) in asked]
            # An element that waits is known by the number of its array alone.
            chosen = [row for row in chosen if str(row.job.number) in asked or not waits(row)]
        if "name" in options:
            assert "starttime" in options
            names = {name.lower() for name in options["name"].split(",")}  # as the database compares
            chosen = [row for row in chosen if row.job.name.lower() in names]
            days = int(options["starttime"].removeprefix("now-").removesuffix("days"))
            chosen = [row for row in chosen if row.ended is None or row.ended > self.now - 86_400 * days]
            chosen = [row for row in chosen if row.job.state != "PENDING"]  # what is not eligible is not shown
        delimiter = options.get("delimiter", "|")
        columns = options["format"].split(",")
        lines = [delimiter.join(columns_of(name, row)[column] for column in columns) for name, row in grouped(chosen)]
        return CommandResult(0, "".join(f"{line}\n" for line in lines), "")

    def squeue(self, words: list[str]) -> CommandResult:
        if self.controller_away is not None:
            return CommandResult(1, "", f"slurm_load_jobs error: {self.controller_away}")
        options = options_of(words)
        assert {"--noheader", "--all", "--states=all"} <= set(words)
        chosen = list(self.controller.values())
        if "jobs" in options:
            asked = set(asked_for := options["jobs"].split(","))
            chosen = [job for job in chosen if job.id in asked or str(job.number) in asked]
            if not chosen and len(asked_for) == 1:
                return CommandResult(1, "", "slurm_load_jobs error: Invalid job id specified")
        if "name" in options:
            chosen = [job for job in chosen if job.name in options["name"].split(",")]
        if "--me" in words:
            chosen = [job for job in chosen if job.owner == 1001]
        if "Format" in options:
            assert options["Format"] == "JobArrayID:|,State:|,exit_code:|,SubmitTime:|"
            assert "--array" in words
            text = "".join(f"{job.id}|{job.state}|{job.status}|{job.submitted}|\n" for job in chosen)
        else:
            text = "".join(self._formatted(options["format"], job) + "\n" for job in chosen)
        return CommandResult(0, text, "")

    def _formatted(self, text: str, job: Job) -> str:
        values = {"%i": job.id, "%V": str(job.submitted), "%j": job.name}
        return re.sub("%[iVj]", lambda found: values[found[0]], text)

    def scancel(self, words: list[str]) -> CommandResult:
        words = [word for word in words if not word.startswith("--clusters=")]
        if self.controller_away is not None:
            return CommandResult(1, "", f"scancel: error: {self.controller_away}")
        if wrong := [word for word in words if not re.fullmatch(r"\d+(_(\d+|\[[\d,-]+\]))?", word)]:
            return CommandResult(1, "", f"scancel: error: Invalid job id {wrong[0]}")
        if self.finishes_at_scancel is not None:
            self.end(self.finishes_at_scancel)
        denied = ""
        for word in words:
            for job in list(self.controller.values()):
                if not names(word, job) or job.state not in ACTIVE:
                    continue
                if job.owner != 1001:
                    denied += f"scancel: error: Kill job error on job id {job.id}: Access/permission denied\n"
                elif job.index is not None and job.state == "PENDING" and "_" in word:
                    self.purge(job.id)  # nothing is kept of it
                else:
                    job.cancelled_by = 1001
                    running = job.state == "RUNNING"
                    self.end(job.id, "CANCELLED", 15 if running else 0)
                    job.state = "COMPLETING" if running else "CANCELLED"
        return CommandResult(210 if denied else 0, "", denied)

    def sdiag(self, words: list[str]) -> CommandResult:
        if self.controller_away is not None:
            return CommandResult(1, "", self.controller_away)
        return CommandResult(0, f"Agent queue size:    0\nDBD Agent queue size: {len(self.waiting_records)}\n", "")


def options_of(words: list[str]) -> dict[str, str]:
    pairs = (word[2:].partition("=") for word in words if word.startswith("--") and "=" in word)
    return {name: value for name, _, value in pairs}


def numbers_in(array: str) -> Iterator[int]:
    for part in array.partition("%")[0].split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def names(word: str, job: Job) -> bool:
    """Whether a word of scancel is a name for this job."""
    number, _, rest = word.partition("_")
    if str(job.number) != number:
        return False
    return not rest or (job.index is not None and job.index in numbers_in(rest.strip("[]")))


def waits(row: Row) -> bool:
    return row.job.index is not None and row.started is None


def grouped(rows: list[Row]) -> Iterator[tuple[str, Row]]:
    """The rows by what they are called: the elements of an array that wait, or were cancelled waiting, have one."""
    together: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        if waits(row):
            together.setdefault((row.job.number, row.state), []).append(row)
        else:
            yield row.job.id, row
    for (number, _), group in together.items():
        yield f"{number}_[{','.join(str(row.job.index) for row in group)}%2]", group[0]


def columns_of(name: str, row: Row) -> dict[str, str]:
    def time(seconds: int | None) -> str:
        return "Unknown" if seconds is None else str(seconds)

    return {
        "JobID": name,
        "JobName": row.job.name.replace('"', "`"),
        "Submit": str(row.job.submitted),
        "Start": time(row.started),
        "End": time(row.ended),
        "State": row.state,
        "ExitCode": row.exits,
        "ElapsedRaw": str((row.ended or row.started or 0) - (row.started or row.ended or 0)),
        "NodeList": "None assigned" if row.started is None else "n1",
    }
