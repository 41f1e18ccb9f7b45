"""`shutdown` on a thread of the executor's own, which may run before whoever started it knows that it has."""

from __future__ import annotations

import threading
from math import inf
from typing import Any

import pytest
from support import PATIENCE, assert_ends, poll_thread

from more_executors import Executors
from more_executors._runtime import call_threads


class Late:
    """Stands in for `Thread`: the first thread begins late, and the start of the others returns late.

    That is when `shutdown`, which they call, has returned: they do what the first was started for.
    """

    def __init__(self, patches: pytest.MonkeyPatch) -> None:
        self.is_shut_down = threading.Event()
        self.started: list[str] = []
        late = self

        class LateThread(threading.Thread):
            def start(self) -> None:
                is_first = not late.started
                late.started.append(self.name)
                super().start()
                assert is_first or late.is_shut_down.wait(PATIENCE), "shutdown waits for its own thread"

            def run(self) -> None:
                if self.name == late.started[0]:
                    assert late.is_shut_down.wait(PATIENCE)
                super().run()

        patches.setattr(call_threads, "Thread", LateThread)

    def shut_down(self, executor: Any) -> None:
        executor.shutdown()
        self.is_shut_down.set()


@pytest.mark.parametrize("where", ["the poll function", "a callback", "a callback above"])
def test_on_a_thread_that_is_just_being_started(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks are polled by two calls.

    1. A thread is started for the first call, and does not get to it. 2. Another is started for the second call. Its
    start has not returned yet when it makes the first call. 3. That shuts down the executor.
    """
    late = Late(monkeypatch)
    made = threading.Event()

    def poll(descriptors: list[Any]) -> float:
        assert made.wait(PATIENCE)
        if where == "the poll function":
            late.shut_down(executor)
        for descriptor in descriptors:
            descriptor.yield_result("seen through")
        return inf

    executor = Executors.sync().with_poll(poll, max_concurrency=2, batch_size=1, min_interval=0.0, name="own")
    thread = poll_thread("own")
    if where == "a callback above":
        executor = executor.with_map(str)
    futures = [executor.submit(int) for _ in range(2)]
    if where != "the poll function":
        futures[0].add_done_callback(lambda _: late.shut_down(executor))
    made.set()
    assert [future.result(PATIENCE) for future in futures] == ["seen through"] * 2
    assert late.started == ["PollExecutor-own-1", "PollExecutor-own-2"]
    assert_ends(thread)


def test_on_several_threads_at_once() -> None:
    """They meet in the poll function. One call of `shutdown` counts, and none of them waits."""
    meeting = threading.Barrier(3)

    def poll(descriptors: list[Any]) -> float:
        meeting.wait(PATIENCE)
        executor.shutdown()
        for descriptor in descriptors:
            descriptor.yield_result("seen through")
        return inf

    executor = Executors.sync().with_poll(poll, max_concurrency=3, batch_size=1, name="own")
    thread = poll_thread("own")
    futures = executor.adopt_many(range(3))
    assert [future.result(PATIENCE) for future in futures] == ["seen through"] * 3
    assert_ends(thread)
