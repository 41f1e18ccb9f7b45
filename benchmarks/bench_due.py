"""A round of polling where each task has a time of its own, by how many of a million are due.

Measured from the poll function's return to its next first line, per task that is due: it is put back, waits for
nothing, and is handed out again. The poll function looks at none. The reference has 1,000 outstanding, all of them due
at the same moment, which is as cheap as it can be.
"""

from __future__ import annotations

from typing import Any

import pytest

from .measuring import Bench
from .rows import OURS
from .scheduled import Scheduled
from .volume_rows import AT_1_000, DUE

pytestmark = pytest.mark.once


def again(descriptors: list[Any]) -> int:
    """A poll after which all it got are due again."""
    return 0


def measure(bench: Bench, due: int, who: str, outstanding: int) -> None:
    count, some = bench.size(outstanding), bench.size(due)
    passes = max(1, 100_000 // due)

    def setup() -> Scheduled:
        scheduled = Scheduled()
        scheduled.adopt(count)
        scheduled.keep_due(some)
        return scheduled

    def run(scheduled: Scheduled) -> None:
        scheduled.play(*[again] * passes)

    bench.time(DUE[due], who, run, per=(passes + 1) * some, setup=setup, teardown=Scheduled.close, rounds=2)


@pytest.mark.parametrize("due", DUE)
def test_of_a_million(bench: Bench, due: int) -> None:
    measure(bench, due, OURS, 1_000_000)


def test_of_a_thousand(bench: Bench) -> None:
    measure(bench, 1_000, AT_1_000, 1_000)
