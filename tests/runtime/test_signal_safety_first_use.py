"""The first use of an event loop, or of threads, in the midst of another first use on the same thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest
from nested_calls import HERE, Watched, interrupted
from support import PATIENCE

from more_executors import Executors, _core
from more_executors._runtime.call_threads import CallThreads
from more_executors._runtime.loop_thread import LoopThread

pytestmark = pytest.mark.long

WHERE = (HERE, threading.__file__)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What is refused is not logged: that would keep what it was about."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


async def answer() -> str:
    return threading.current_thread().name


def in_each_line(make: Callable[[], tuple[Callable[[], object], Callable[[], object], Callable[[], object]]]) -> None:
    """`make()` gives a call, what interrupts it, and what checks and ends what it was about: for each line anew."""

    def steps() -> Iterator[str]:
        lines, step = 2, 1
        while step < lines:
            yield f"line {step}"
            call, by, end = make()
            lines = interrupted(call, by, step.__eq__, WHERE)
            end()
            step += 1

    Watched(steps())


@pytest.mark.parametrize("by", ["wait_for", "start", "close"])
@pytest.mark.parametrize("name", ["wait_for", "start"])
def test_the_first_coroutine_can_be_interrupted_by_another_one(name: str, by: str) -> None:
    def make() -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
        loop, answers = LoopThread("a-loop"), SimpleQueue[str]()

        async def coroutine() -> None:
            answers.put(await answer())

        taken: list[str] = []

        def use(how: str) -> None:
            if how == "wait_for":
                assert loop.wait_for(answer) == "a-loop"
            elif how == "start":
                loop.start(coroutine)
                taken.append(how)
            else:
                loop.close()

        def end() -> None:
            for _ in taken:
                assert answers.get(timeout=PATIENCE) == "a-loop"
            loop.close()
            loop.join(PATIENCE)
            assert not [thread for thread in threading.enumerate() if thread.name == "a-loop"]

        return lambda: use(name), lambda: use(by), end

    in_each_line(make)


@pytest.mark.parametrize("most", [1, 2])
def test_the_first_job_can_be_interrupted_by_one_that_is_waited_for(most: int) -> None:
    def make() -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
        threads, answers = CallThreads("worker", most), SimpleQueue[bool]()
        at_once: list[int] = []
        started: list[object] = []

        def job() -> None:
            at_once.append(1)
            answers.put(len(at_once) <= most)
            at_once.pop()

        def use() -> None:
            started.append(threads.start(job))

        def wait() -> None:
            use()
            assert answers.get(timeout=PATIENCE)
            started.pop()

        def end() -> None:
            for _ in started:
                assert answers.get(timeout=PATIENCE)
            threads.close()
            threads.join()
            while [thread for thread in threading.enumerate() if thread.name.startswith("worker")]:
                pass

        return use, wait, end

    in_each_line(make)


async def cancel_one(result: int) -> bool:
    return True


async def cancel_some(results: list[int]) -> list[bool]:
    return [True] * len(results)


CANCELLING: dict[str, dict[str, Any]] = {
    "an async def": {"cancel_fn": cancel_one},
    "an async def for many": {"cancel_many_fn": cancel_some},
    "a function on threads": {"cancel_fn": bool, "max_concurrency": 2},
}


@pytest.mark.parametrize("by", ["cancel", "cancel_all"])
@pytest.mark.parametrize("name", ["cancel", "cancel_all"])
@pytest.mark.parametrize("how", CANCELLING)
def test_a_cancel_and_await_can_be_interrupted_by_another_one(name: str, by: str, how: str) -> None:
    def make() -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
        executor = Executors.sync().with_poll(lambda descriptors: 3600.0, **CANCELLING[how])
        futures = executor.adopt_many(range(1, 7))

        def use(what: str, mine: list[_core.Future]) -> None:
            if what == "cancel":
                mine[0].cancel()
            else:
                executor.cancel_all()

        def end() -> None:
            executor.cancel_all()
            executor.shutdown()
            assert all(future.cancelled() for future in futures)

        return lambda: use(name, futures[:1]), lambda: use(by, futures[1:2]), end

    in_each_line(make)
