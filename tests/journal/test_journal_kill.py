"""A process is killed at random moments, again and again with the same journal: each time the books balance.

What is on record afterwards, each task once:

* every task whose record was acknowledged, by a flush, and whose end was not told yet;
* no task whose end was acknowledged;
* of the others, nothing but tasks that had been started.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from killed_support import KilledProcess

from more_executors.journal import Journal

WORKERS = ["recording", "polling"]


class Books:
    """What processes said they did with tasks."""

    def __init__(self) -> None:
        self.said: dict[str, set[str]] = {
            what: set() for what in ("starting", "recorded", "ending", "forgotten", "resumed")
        }

    def enter(self, lines: list[str]) -> None:
        for line in lines:
            what, _, task_id = line.partition(" ")
            if what in self.said:
                self.said[what].add(task_id)

    def check(self, on_record: list[str]) -> None:
        """What is on record is what has to be, and may be, with these entries."""
        counts = Counter(on_record)
        said = self.said
        assert [task_id for task_id, count in counts.items() if count > 1] == [], "on record twice"
        assert said["recorded"] - said["ending"] - counts.keys() == set(), "lost"
        assert said["forgotten"] & counts.keys() == set(), "come back"
        assert counts.keys() - said["starting"] == set(), "never started"
        # From now on, all of that has been acknowledged. What was about to end has not ended.
        said["recorded"] = set(counts)
        said["ending"] -= counts.keys()


def killed_at_random(name: str, path: Path, generation: int, moods: random.Random, is_last: bool) -> list[str]:
    """Start a process and kill it: mostly while it works, sometimes while it begins, the last when it has done some.

    Returns what it said.
    """
    worker = KilledProcess(name, path, generation, moods.random(), marks=("open", "forgotten"))
    seconds = moods.uniform(0.0, 0.3)
    if is_last:
        worker.wait_until_said("forgotten")
    elif moods.random() < 0.85:
        worker.wait_until_said("open")
        seconds /= 4
    threading.Event().wait(seconds)
    return worker.kill()


def kill(worker: str, path: Path, times: int, seed: int) -> None:
    books = Books()
    moods = random.Random(seed)
    for generation in range(times):
        lines = killed_at_random(worker, path, generation, moods, generation == times - 1)
        before = set(books.said["recorded"])
        books.enter(lines)
        resumed = [line.partition(" ")[2] for line in lines if line.startswith("resumed")]
        if worker == "polling" and "open" in lines:
            assert sorted(resumed) == sorted(before), f"resumed; seed {seed}, kill {generation}"
        try:
            with Journal(path) as journal:
                books.check([task_id for _, task_id in journal.outstanding()])
        except Exception as error:
            raise AssertionError(f"seed {seed}, kill {generation}") from error
    assert books.said["forgotten"], f"seed {seed}: nothing was done"
    assert sorted(os.listdir(path.parent)) == [path.name]


@pytest.mark.parametrize("worker", WORKERS)
def test_after_a_kill_the_books_balance(worker: str, tmp_path: Path) -> None:
    kill(worker, tmp_path / "tasks.db", 3, random.randrange(2**32))


@pytest.mark.long
@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("worker", "kills"), [("recording", 30), ("polling", 100)])
def test_after_many_kills_the_books_balance(worker: str, kills: int, tmp_path: Path) -> None:
    kill(worker, tmp_path / "tasks.db", kills, random.randrange(2**32))
