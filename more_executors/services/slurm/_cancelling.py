"""Cancelling jobs, and which of them were: scancel says nothing about those that have ended before, or do not exist."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from time import sleep

from ..._core import log
from ._accounting import accounting_of
from ._commands import LONGEST_ARGUMENT, Commands
from ._ids import JobId, compressed
from ._queue import Queue, QueueRow, queue_of

__all__: list[str] = []

PAUSES = (0.2, 0.5, 1.0, 2.0)  # seconds, between looking whether the end of a job is on record


def cancel_jobs(commands: Commands, jobs: Mapping[str, JobId], logger: logging.Logger) -> set[str]:
    """Cancel these jobs of one cluster, by task, and return the tasks that were.

    Only those are cancelled that the controller has, and none of them counts unless it, or the database, says that it
    was, or it is an element that waited, of which nothing is kept. Raises SlurmUnavailable if one of them is away.
    """
    numbers = dict.fromkeys(job.number for job in jobs.values())
    before = queue_of(commands, numbers)
    alive = {task: going for task, job in jobs.items() if (going := [row for row in before.rows(job) if row.goes_on])}
    if not alive:
        return set()
    for words in command_lines(compressed(jobs[task] for task in alive)):
        done = commands.ended("scancel", *words)
        if done.returncode:  # that of one job is enough, and others are cancelled all the same
            log(logger, logging.WARNING, "scancel ended with %d and said: %s", done.returncode, done.stderr.strip())
    cancelled: set[str] = set()
    for pause in (*PAUSES, None):
        settled = outcome(commands, jobs, alive)
        cancelled |= {task for task, was in settled.items() if was}
        alive = {task: rows for task, rows in alive.items() if task not in settled}
        if not alive or pause is None:
            break
        sleep(pause)
    return cancelled


def outcome(commands: Commands, jobs: Mapping[str, JobId], alive: Mapping[str, list[QueueRow]]) -> dict[str, bool]:
    """Of those that were alive, whether they were cancelled, as far as that is known already."""
    after = queue_of(commands, dict.fromkeys(jobs[task].number for task in alive))
    found: dict[str, bool] = {}
    ending: list[str] = []
    for task, rows in alive.items():
        was = [was_cancelled(row, after) for row in rows]
        if False in was:
            found[task] = False
        elif None in was:
            ending.append(task)
        else:
            found[task] = True
    if ending:  # until its processes have ended, the controller says COMPLETING; the database says why at once
        accounting = accounting_of(commands, [jobs[task].number for task in ending])
        for task in ending:
            row = accounting.row(jobs[task]) or next(iter(accounting.parts(jobs[task])), None)
            if row is not None and row.final:
                found[task] = row.state == "CANCELLED"
    return found


def was_cancelled(before: QueueRow, queue: Queue) -> bool | None:
    """Whether it was; None if that is not known yet."""
    after = queue.row(before.name)
    if after is None:
        return True if before.state == "PENDING" and "_" in before.name else None
    if after.state == "COMPLETING":
        return None
    return after.state == "CANCELLED"


def command_lines(words: list[str]) -> Iterator[list[str]]:
    """The words, as many to a command line as it takes."""
    line: list[str] = []
    length = 0
    for word in words:
        if line and length + len(word) > LONGEST_ARGUMENT:
            yield line
            line, length = [], 0
        line.append(word)
        length += len(word) + 1
    if line:
        yield line
