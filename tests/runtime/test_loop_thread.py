"""The thread with an event loop that an executor has for coroutines, by itself."""

from __future__ import annotations

import asyncio
import functools
import queue
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from async_support import AsyncStepped, StandingClock
from support import PATIENCE, HeardLogger, InThread, Parking, SomeError, is_gone, listening_to

from more_executors._callables import is_async
from more_executors._runtime import loop_thread, watched
from more_executors._runtime.loop_thread import LoopThread


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    loop = LoopThread("a-loop")
    yield loop
    loop.close()
    loop.join(PATIENCE)


def threads_called(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


async def name_of_thread() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_there_is_a_thread_from_the_first_coroutine_on_until_it_is_closed(loop: LoopThread) -> None:
    assert not threads_called("a-loop")
    assert loop.wait_for(name_of_thread) == loop.wait_for(name_of_thread) == "a-loop"
    (thread,) = threads_called("a-loop")
    assert thread.daemon
    loop.close()
    loop.close()
    loop.join(PATIENCE)
    assert not thread.is_alive()


def test_closed_before_it_began_it_has_nothing_to_end(loop: LoopThread) -> None:
    loop.close()
    loop.cancel_all()
    loop.join()
    assert not threads_called("a-loop")


def test_after_close_nothing_more_is_started(loop: LoopThread) -> None:
    loop.close()
    for start in (loop.start, loop.wait_for):
        with pytest.raises(RuntimeError, match=r"^cannot start a coroutine after shutdown$"):
            start(name_of_thread)


def test_what_was_started_before_close_is_seen_through(loop: LoopThread) -> None:
    steps, ended = AsyncStepped(), threading.Event()

    async def coroutine() -> None:
        await steps("first")
        await steps("second")
        ended.set()

    loop.start(coroutine)
    first = steps.next()
    loop.start(coroutine)
    loop.close()
    first.end()
    for _ in range(3):
        assert threads_called("a-loop")
        steps.next().end()
    loop.join(PATIENCE)
    assert ended.is_set()
    assert not threads_called("a-loop")


def test_a_wait_that_began_before_close_gets_its_answer(loop: LoopThread) -> None:
    steps = AsyncStepped()
    waiting = InThread(loop.wait_for, functools.partial(steps, "argument"))
    call = steps.next()
    loop.close()
    call.end("answer")
    assert waiting.outcome() == "answer"


def test_what_is_started_while_others_run_waits_for_none_of_them(loop: LoopThread) -> None:
    steps = AsyncStepped()
    for n in range(100):
        loop.start(functools.partial(steps, n))
    calls = [steps.next() for _ in range(100)]
    assert [call.argument for call in calls] == list(range(100))
    for call in calls:
        call.end()


@pytest.mark.parametrize("switching", [sys.getswitchinterval(), 1e-6])
def test_each_of_many_threads_gets_its_own_answer_or_hears_that_it_is_too_late(switching: float) -> None:
    async def echo(n: int) -> int:
        await asyncio.sleep(0)
        return n

    def ask(loop: LoopThread, start: int) -> list[bool]:
        answers = []
        for n in range(start, start + 20):
            try:
                answers.append(loop.wait_for(functools.partial(echo, n)) == n)
            except RuntimeError as error:
                answers.append(str(error) == "cannot start a coroutine after shutdown")
        return answers

    before = sys.getswitchinterval()
    sys.setswitchinterval(switching)
    try:
        for _ in range(5):
            one = LoopThread("a-loop")
            asking = [InThread(ask, one, 100 * n) for n in range(4)]
            one.wait_for(functools.partial(echo, 1))
            one.close()
            assert all(all(thread.outcome()) for thread in asking)
            one.join(PATIENCE)
            assert not threads_called("a-loop")
    finally:
        sys.setswitchinterval(before)


def test_what_a_coroutine_raises_is_raised_to_who_waits_for_it(loop: LoopThread) -> None:
    async def fail() -> None:
        raise SomeError

    with pytest.raises(SomeError):
        loop.wait_for(fail)


def test_what_a_coroutine_raises_that_nobody_waits_for_is_logged(loop: LoopThread) -> None:
    async def fail() -> None:
        raise SomeError

    with listening_to("more_executors._runtime.loop_thread") as heard:
        loop.start(fail)
        assert loop.wait_for(name_of_thread) == "a-loop"
        loop.close()
        loop.join(PATIENCE)
        assert heard.of_level("ERROR") == ["a-loop goes on after an error"]


def test_it_does_not_wait_for_itself(loop: LoopThread) -> None:
    async def wait_here() -> bool:
        assert loop.is_current()
        with pytest.raises(RuntimeError, match="not from its own thread"):
            loop.wait_for(name_of_thread)
        return True

    assert not loop.is_current()
    assert loop.wait_for(wait_here)


def test_the_thread_is_known_before_it_can_do_anything(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start returns late: after it has done something."""
    known: queue.SimpleQueue[bool] = queue.SimpleQueue()

    class LateThread(threading.Thread):
        def start(self) -> None:
            super().start()
            answers.append(known.get(timeout=PATIENCE))

        def run(self) -> None:
            known.put(loop.is_current())
            super().run()

    answers: list[bool] = []
    monkeypatch.setattr(loop_thread, "Thread", LateThread)
    assert loop.wait_for(name_of_thread) == "a-loop"
    assert answers == [True]


def test_a_ctrl_c_while_the_thread_is_started_leaves_it_there(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(threading.Thread):
        def start(self) -> None:
            super().start()
            raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        patches.setattr(loop_thread, "Thread", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.wait_for(name_of_thread)
    assert loop.wait_for(name_of_thread) == "a-loop"
    assert len(threads_called("a-loop")) == 1


def test_a_thread_that_begins_after_it_was_given_up_ends(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    begin: list[Callable[[], None]] = []

    class Interrupted(threading.Thread):
        def start(self) -> None:
            begin.append(super().start)
            raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        patches.setattr(loop_thread, "Thread", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.wait_for(name_of_thread)
    with listening_to("more_executors._runtime.loop_thread") as heard:
        begin[0]()
        for thread in threads_called("a-loop"):
            thread.join(PATIENCE)
        assert not heard.lines
    assert loop.wait_for(name_of_thread) == "a-loop"


def test_what_is_cancelled_ends_and_who_waits_for_it_is_told(loop: LoopThread) -> None:
    steps = AsyncStepped()
    waiting = InThread(loop.wait_for, functools.partial(steps, "argument"))
    loop.start(functools.partial(steps, "argument"))
    for _ in range(2):
        steps.next()
    loop.cancel_all()
    with pytest.raises(RuntimeError, match=r"^the call was cancelled$"):
        waiting.outcome()
    assert loop.wait_for(name_of_thread) == "a-loop"


def test_what_coroutines_leave_running_is_cancelled_in_the_loop_before_it_is_closed(loop: LoopThread) -> None:
    ended_in: list[object] = []
    left: list[object] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended_in.append(asyncio.get_running_loop())

    async def leave_it_running() -> object:
        left.append(asyncio.create_task(for_ever()))
        await asyncio.sleep(0)
        return asyncio.get_running_loop()

    its_loop = loop.wait_for(leave_it_running)
    loop.close()
    loop.join(PATIENCE)
    assert ended_in == [its_loop]


@pytest.mark.parametrize("what", ["the thread", "the loop"])
def test_if_it_cannot_be_started_that_is_said_and_it_can_be_tried_again(
    what: str, loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no more of those")

    with monkeypatch.context() as patches:
        if what == "the thread":
            patches.setattr(threading.Thread, "start", refuse)
        else:
            patches.setattr(asyncio, "new_event_loop", refuse)
        for start in (loop.start, loop.wait_for):
            with pytest.raises(RuntimeError, match="no more of those"):
                start(name_of_thread)
    assert loop.wait_for(name_of_thread) == "a-loop"


# -- what is async, and what blocks ----------------------------------------------------------------------------------


class Odd:
    def __init__(self) -> None:
        self.func = name_of_thread


@pytest.mark.parametrize("thing", [print, 1, None, Odd(), functools.partial(print), AsyncStepped])
def test_what_is_not_async_is_not_taken_for_it(thing: object) -> None:
    assert not is_async(thing)


class Blocking:
    """Makes coroutines whose steps take as many seconds as the test says, by a clock that stands still otherwise."""

    def __init__(self, loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.logger, self._loop = StandingClock(), HeardLogger(), loop
        monkeypatch.setattr(watched, "monotonic", self.clock)

    def run(self, function: Callable[[float], Any], seconds: float) -> None:
        async def watched() -> None:
            await self._loop.watched(function(seconds), function, self.logger)

        self._loop.wait_for(watched)

    async def block(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.clock.pass_by(seconds)
        await asyncio.sleep(0)

    async def block_and_fail(self, seconds: float) -> None:
        self.clock.pass_by(seconds)
        raise SomeError


def test_a_step_that_blocks_the_loop_is_reported_with_the_name_of_the_function_once_in_a_while(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocking = Blocking(loop, monkeypatch)
    blocking.run(blocking.block, 0.05)
    assert not blocking.logger.lines
    for seconds in (0.25, 0.5, 2.0):
        blocking.run(blocking.block, seconds)
    said = "Blocking.block blocked the event loop of a-loop for %s s: what waits in it should be awaited"
    assert blocking.logger.lines == [("WARNING", said % "0.25", None)]
    blocking.clock.pass_by(10.0)
    blocking.run(blocking.block, 3.0)
    assert blocking.logger.of_level("WARNING")[1:] == [said % "3.00"]


def test_a_blocking_step_that_raises_is_reported_and_what_it_raises_goes_on(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocking = Blocking(loop, monkeypatch)
    with pytest.raises(SomeError):
        blocking.run(functools.partial(blocking.block_and_fail), 1.0)
    (message,) = blocking.logger.of_level("WARNING")
    assert "block_and_fail" in message


def test_a_watched_coroutine_can_be_cancelled_and_cleans_up(loop: LoopThread) -> None:
    cleaned_up = []

    async def wait(_: float) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            cleaned_up.append(True)
            raise

    async def cancel_it() -> bool:
        task = asyncio.ensure_future(asyncio.wait_for(loop.watched(wait(0), wait, HeardLogger()), 0.01))
        await asyncio.wait([task])
        return isinstance(task.exception(), (TimeoutError, asyncio.TimeoutError))

    assert loop.wait_for(cancel_it)
    assert cleaned_up == [True]


def test_what_is_waited_for_runs_in_the_context_of_who_waits(loop: LoopThread) -> None:
    async def found() -> str:
        return variable.get()

    def wait(value: str) -> str:
        variable.set(value)
        return loop.wait_for(found)

    async def block() -> None:
        busy()

    variable, busy = ContextVar[str]("variable"), Parking()
    loop.start(block)
    busy.wait_for_one()
    values = ["a", "b", "c"]
    waiting = [InThread(wait, value) for value in values]
    while len(loop._to_start) < 3:
        threading.Event().wait(0.001)
    busy.let_go()
    assert [thread.outcome() for thread in waiting] == values


def test_a_loop_that_is_kept_keeps_nothing_of_its_thread() -> None:
    thread = LoopThread("a-loop")
    thread.wait_for(name_of_thread)
    loop = thread._loop
    thread.close()
    thread.join(PATIENCE)
    reference = weakref.ref(thread)
    del thread
    assert is_gone(reference)
    assert loop is not None
    assert loop.is_closed()


def test_coroutines_that_are_over_are_kept_by_nobody(loop: LoopThread) -> None:
    for _ in range(5):
        loop.wait_for(name_of_thread)
    loop.wait_for(functools.partial(asyncio.sleep, 0))
    assert len(loop._tasks) <= 2, "the last may be about to go"


def test_what_is_cancelled_before_it_begins_is_waited_for_no_more(loop: LoopThread) -> None:
    # 1. The loop is busy. 2. A coroutine is to be started there, and waited for. 3. All is cancelled.
    busy = Parking()

    async def block() -> None:
        busy()

    loop.start(block)
    busy.wait_for_one()
    waiting = InThread(loop.wait_for, name_of_thread)
    while not loop._to_start:
        threading.Event().wait(0.001)
    loop.cancel_all()
    busy.let_go()
    with pytest.raises(RuntimeError, match=r"^the call was cancelled$"):
        waiting.outcome()
