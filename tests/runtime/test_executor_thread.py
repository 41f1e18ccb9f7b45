"""The thread of an executor goes on, whatever goes wrong in it."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from support import PATIENCE, SomeError

from more_executors._core import Waker
from more_executors._runtime import executor_thread
from more_executors._runtime.executor_thread import ExecutorThread


def test_after_a_turn_that_failed_and_could_not_be_logged_there_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    class Executor:
        turns = 0

        def _run_once(self) -> float | None:
            self.turns += 1
            if self.turns == 1:
                waker.set()
                return inf
            if self.turns == 2:
                raise SomeError
            return None

    def fail(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    pauses: list[float] = []
    monkeypatch.setattr(executor_thread, "log", fail)
    monkeypatch.setattr(executor_thread, "pause", pauses.append)
    waker, executor = Waker(), Executor()
    thread = ExecutorThread(executor, waker, "name")
    thread.start()
    thread._thread.join(PATIENCE)
    assert (executor.turns, len(pauses)) == (3, 1)
