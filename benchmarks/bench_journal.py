"""What a journal costs: tasks join, are resolved, and both is on disk.

The journal has a file of its own each time, in the folder for temporary files. A thread writes it, which shares the GIL
with the others: all of that is in the figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from more_executors import Journal

from .measuring import Bench
from .rows import OURS
from .scheduled import Scheduled
from .volume_rows import JOURNAL, NO_JOURNAL
from .workload import resolve


class Recorded(Scheduled):
    """With a journal, or without."""

    def __init__(self, path: Path | None) -> None:
        self.journal = None if path is None else Journal(path)
        super().__init__(journal=self.journal)

    def live(self, count: int) -> None:
        self.futures += self.executor.adopt_many(range(1, count))
        if self.journal is not None:
            assert self.executor.flush_journal()
        self.play(self._resolve)
        if self.journal is not None:
            assert self.executor.flush_journal()

    def _resolve(self, descriptors: list[Any]) -> int:
        """Resolve all but the one that the poll function is parked with."""
        resolve([descriptor for descriptor in descriptors if descriptor.result])
        return 0

    def end(self) -> None:
        self.close()
        if self.journal is not None:
            assert not len(self.journal)
            self.journal.close()


@pytest.mark.parametrize(("who", "recording"), [(OURS, True), (NO_JOURNAL, False)])
def test_lives(bench: Bench, tmp_path: Path, who: str, recording: bool) -> None:
    count = bench.size(100_000)
    paths = (tmp_path / f"{number}.db" for number in range(100))

    def run(recorded: Recorded) -> None:
        recorded.live(count)

    def setup() -> Recorded:
        return Recorded(next(paths) if recording else None)

    bench.time(JOURNAL, who, run, per=count, setup=setup, teardown=Recorded.end)
