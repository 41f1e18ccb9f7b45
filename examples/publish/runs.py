"""What there is to tell of each run of the program, in memory and in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from typing import Any, cast

from tally import Sample

LISTS = ("samples", "searches", "delays")


@dataclass
class Run:
    """One run, which ``began`` at a time in seconds since the epoch.

    ``searches`` has the size of each, ``delays`` the seconds from the end of each task to that of its future;
    but for ``late`` tasks, which had ended before the run began. The service was killed and started again at
    the times ``killed`` and ``restarted``, also in seconds since the epoch; ``marks`` has other times, and
    what happened then.
    """

    began: float
    samples: list[Sample] = field(default_factory=list[Sample])
    searches: list[int] = field(default_factory=list[int])
    delays: list[float] = field(default_factory=list[float])
    late: int = 0
    killed: float | None = None
    restarted: float | None = None
    marks: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    @property
    def ended(self) -> float:
        """When the last sample was taken, in seconds since the epoch."""
        return self.began + (self.samples[-1].seconds if self.samples else 0.0)

    @property
    def outage(self) -> tuple[float, float] | None:
        """From when to when the service was down."""
        if self.killed is None:
            return None
        return self.killed, self.ended if self.restarted is None else self.restarted


class RunFile:
    """A file of lines of JSON, to which the last of ``runs`` is added while it goes on.

    The others are read from it. What comes last may be half a line, if the program was killed.
    """

    def __init__(self, descriptor: int) -> None:
        self.runs: list[Run] = []
        self._file = descriptor
        self._written = [0, 0, 0]  # of the lists of the last run
        for line in self._complete_lines():
            self._enter(json.loads(line))

    def begin(self, run: Run) -> None:
        """Add a run, which has no samples yet."""
        self.runs.append(run)
        self._written = [0, 0, 0]
        self._write({"began": run.began})

    def update(self) -> None:
        """Add what is new in the last run. One thread at a time may do that."""
        run = self.runs[-1]
        samples, searches, delays = self._written
        entry: dict[str, Any] = {
            "samples": [astuple(sample) for sample in run.samples[samples:]],
            "searches": run.searches[searches:],
            "delays": [round(delay, 3) for delay in run.delays[delays:]],
            "late": run.late,
            "killed": run.killed,
            "restarted": run.restarted,
            "marks": run.marks,
        }
        new = (len(entry[name]) for name in LISTS)
        self._written = [count + more for count, more in zip(self._written, new, strict=True)]
        self._write(entry)

    def _enter(self, entry: dict[str, Any]) -> None:
        if "began" in entry:
            self.runs.append(Run(entry["began"]))
            return
        run = self.runs[-1]
        for sample in entry["samples"]:
            values: list[Any] = [
                tuple(cast("list[int]", value)) if isinstance(value, list) else value for value in sample
            ]
            run.samples.append(Sample(*values))
        run.searches += entry["searches"]
        run.delays += entry["delays"]
        run.late, run.killed, run.restarted = entry["late"], entry["killed"], entry["restarted"]
        run.marks = [(moment, what) for moment, what in entry["marks"]]

    def _complete_lines(self) -> Iterator[bytes]:
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            content = file.read()
        complete = content.rfind(b"\n") + 1
        os.ftruncate(self._file, complete)
        yield from content[:complete].splitlines()

    def _write(self, entry: dict[str, Any]) -> None:
        os.write(self._file, f"{json.dumps(entry)}\n".encode())
