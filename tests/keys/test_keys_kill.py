"""A program that starts tasks by key is killed at random moments, again and again, and run again: its books balance.

The service keeps books of its own, and they say that no task was started while one of the same key went on. And:

* an outcome that was acknowledged, by a flush, is the one that all later runs have, but for a task that failed, where
  those are started again;
* a start that was acknowledged is not in doubt, and not lost: the next runs wait for that very task;
* in the end, every key has ended with what the service says, or is in doubt, unless somebody finds out.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from killed_support import KilledProcess

sys.path.insert(0, str(Path(__file__).parents[1] / "killed"))

from ledger import Ledger

VARIANTS = ["fail", "find", "token"]
KILLS = int(os.environ.get("MORE_EXECUTORS_KILLS", "60"))  # of each, where tests may take long: 200 take two minutes


class Said:
    """What processes said that they had on record."""

    def __init__(self, keeps_failed: bool) -> None:
        self._keeps_failed = keeps_failed
        self.outcomes: dict[str, Any] = {}
        self.begun: dict[str, str] = {}

    def enter(self, lines: list[str]) -> None:
        for line in lines:
            what, _, rest = line.partition(" ")
            key, _, value = rest.partition(" ")
            if what == "begun":
                self.begun[key] = value
            elif what in ("acknowledged", "final"):
                self._outcome(key, json.loads(value))

    def _outcome(self, key: str, outcome: list[str]) -> None:
        before = self.outcomes.get(key)
        if before is not None and (before[0] != "failed" or self._keeps_failed):
            assert outcome == before, f"{key} had ended otherwise"
        self.outcomes[key] = outcome


def kill(variant: str, folder: Path, times: int, seed: int) -> None:
    path, books = folder / "tasks.db", folder / "books"
    moods = random.Random(seed)
    said = Said(keeps_failed=variant == "find")
    for generation in range(times + 1):
        is_last = generation == times
        try:
            how = "end" if is_last else "work"
            process = KilledProcess(
                "publishing", path, books, variant, generation, moods.random(), how, marks=("open", "acknowledged")
            )
            lines = process.end() if is_last else killed_at_random(process, moods, generation == times - 1)
            said.enter(lines)
            ledger = Ledger(str(books), "")
            ledger.close()
            assert not ledger.again, "started while the one before went on"
        except Exception as error:
            raise AssertionError(f"seed {seed}, kill {generation}") from error
    check_the_end(variant, said, ledger, 12 * (times + 1))
    assert sorted(os.listdir(folder)) == ["books", "tasks.db"]


def killed_at_random(process: KilledProcess, moods: random.Random, is_to_work: bool) -> list[str]:
    """Kill it: mostly while it works, sometimes while it begins, the last when it has done some."""
    seconds = moods.uniform(0.0, 0.3)
    if is_to_work:
        process.wait_until_said("acknowledged")
    elif moods.random() < 0.85:
        process.wait_until_said("open")
        seconds /= 2
    threading.Event().wait(seconds)
    return process.kill()


def check_the_end(variant: str, said: Said, ledger: Ledger, keys: int) -> None:
    assert len(said.outcomes) == keys
    for key, outcome in said.outcomes.items():
        task_id = ledger.ids.get(key)
        if outcome[0] == "in doubt":
            assert variant == "fail"
            if task_id not in ledger.over:  # else it is the next start of the key that is in doubt
                assert task_id is None or said.begun.get(key) != task_id, f"{key}: its start was acknowledged"
        elif outcome[0] == "done":
            assert outcome[1] == f"{task_id} is done"
        elif outcome[0] == "failed" and outcome[1] != "refused":
            assert outcome[1] in (f"{task_id} failed", f"{task_id} was cancelled")
        else:
            assert outcome[0] in ("odd", "failed")
    assert any(outcome[0] == "done" for outcome in said.outcomes.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_after_a_kill_nothing_is_started_twice(variant: str, tmp_path: Path) -> None:
    kill(variant, tmp_path, 3, random.randrange(2**32))


@pytest.mark.long
@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS)
def test_after_many_kills_nothing_is_started_twice(variant: str, tmp_path: Path) -> None:
    kill(variant, tmp_path, KILLS, random.randrange(2**32))
