"""Finding jobs by their tags, which are their names.

A name is on record wherever a job is; a comment is not, unless the administrators have said so (AccountingStoreFlags).
Names are any text, so rows are told apart by a text that is new in each call.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator
from time import sleep
from typing import NamedTuple

from ._commands import Commands
from ._errors import SlurmError, SlurmUnavailable
from ._ids import ROW
from ._settled import records_wait

__all__: list[str] = []

DAYS = 30  # a job is found for as long after its end
PAUSES = (1.0, 3.0)  # seconds, between looking for a job that may be on its way
SETTLES = 10  # times, a second apart, to see that all records are with the database


class Named(NamedTuple):
    number: str
    submitted: int
    name: str


def find_tags(commands: Commands, tags: Collection[str]) -> dict[str, str]:
    """The numbers of the jobs with these tags that this user has submitted; of each tag the newest.

    Raises SlurmUnavailable if there may be some that neither the controller nor the database tells of.
    """
    found = newest(named(commands, tags))
    left = [tag for tag in tags if tag not in found]
    if left:  # the controller may have forgotten one that the database has not heard of yet
        for _ in range(SETTLES):
            if not records_wait(commands):
                break
            sleep(1)
        else:
            raise SlurmUnavailable("sdiag", 0, f"records wait for the database, maybe of {len(left)} jobs looked for")
        found |= newest(in_database(commands, left))
    return {tag: job.number for tag, job in found.items()}


def find_since(commands: Commands, tag: str, since: float) -> str | None:
    """The job with this tag that was submitted since, if there is one, and the controller says so in time."""
    for pause in (*PAUSES, None):
        try:
            found = newest(named(commands, [tag])).get(tag)
        except (SlurmError, OSError):  # it may still be away
            found = None
        if found is not None and found.submitted >= int(since):
            return found.number
        if pause is not None:
            sleep(pause)
    return None


def newest(jobs: Iterable[Named]) -> dict[str, Named]:
    """For each name the job that was submitted last."""
    found: dict[str, Named] = {}
    for job in jobs:
        if job.name not in found or found[job.name].submitted <= job.submitted:
            found[job.name] = job
    return found


def named(commands: Commands, tags: Collection[str]) -> Iterator[Named]:
    yield from in_queue(commands, tags)
    yield from in_database(commands, tags)


def in_queue(commands: Commands, tags: Collection[str]) -> Iterator[Named]:
    mark = secrets.token_hex(16)
    options = ("--noheader", "--all", "--me", "--states=all", f"--format={mark}%i {mark}%V {mark}%j{mark}")
    for output in commands.outputs("squeue", *options, option="--name", values=tags):
        parts = output.split(mark)[1:]
        for number, submitted, name in zip(parts[::4], parts[1::4], parts[2::4], strict=True):
            yield from checked(number.strip(), submitted.strip(), name, tags)


def in_database(commands: Commands, tags: Collection[str]) -> Iterator[Named]:
    mark = secrets.token_hex(16)
    options = ("--allocations", "--noheader", "--parsable2", f"--delimiter={mark}", "--format=JobID,Submit,JobName")
    since = f"--starttime=now-{DAYS}days"
    for output in commands.outputs("sacct", *options, since, option="--name", values=tags):
        if not output:
            continue
        parts = output.split(mark)
        numbers = [parts[0], *(part.rpartition("\n")[2] for part in parts[2:-1:2])]
        names = [*(part.rpartition("\n")[0] for part in parts[2:-1:2]), parts[-1].removesuffix("\n")]
        for number, submitted, name in zip(numbers, parts[1::2], names, strict=True):
            yield from checked(number, submitted, name, tags)


def checked(job: str, submitted: str, name: str, tags: Collection[str]) -> Iterator[Named]:
    """The row as a job; none if it is none of these: the database takes "A" and "a" for the same."""
    found = ROW.fullmatch(job)
    if found is not None and submitted.isdecimal() and name in tags:
        yield Named(found[1], int(submitted), name)
