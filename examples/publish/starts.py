"""What the journal says of the objects, before a run and after it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from more_executors import Journal

NAMESPACE = "publish"
"""That of the keys in the journal."""


@dataclass(frozen=True)
class Found:
    """How many objects a run has found done, going on, in doubt, and new, when it began."""

    done: int
    going_on: int
    in_doubt: int
    new: int

    @property
    def started(self) -> int:
        """Those that have a task, as far as is known."""
        return self.done + self.going_on

    def __str__(self) -> str:
        return f"{self.done:,} done, {self.going_on:,} going on, {self.in_doubt:,} in doubt, {self.new:,} new"


def find_starts(journal: Journal, tasks: int) -> Found:
    """What is on record of ``tasks`` objects in all."""
    records = journal.start_records(NAMESPACE)
    unfinished = records.unfinished()
    done = sum(1 for _ in records.ended_keys())
    going_on = sum(record.state == "started" for record in unfinished)
    return Found(done, going_on, len(unfinished) - going_on, tasks - done - len(unfinished))


def unsettled(journal: Journal) -> list[str]:
    """The ids of the objects that are neither done nor forgotten."""
    return [json.loads(record.key) for record in journal.start_records(NAMESPACE).unfinished()]
