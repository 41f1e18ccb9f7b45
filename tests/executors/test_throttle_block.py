"""Blocking: `submit` waits for room, first come first served, and goes on the moment there is.

There is room while fewer than twice the count are outstanding: as many queue as may be with the delegate.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import pytest
from support import PATIENCE, DuckDelegate, HeardLogger, InThread, Parking, SomeError, assert_ends
from throttle_support import REFUSED, Sleeper, keys, throttle_thread, throttling

from more_executors import Executors, SyncExecutor, ThrottleExecutor


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    return Sleeper(monkeypatch, "ThrottleExecutor-default")


class Line:
    """Threads that submit, one after the other, and wait in line; `through` has the keys of those that got in."""

    def __init__(self, executor: ThrottleExecutor, sleeper: Sleeper) -> None:
        self._executor = executor
        self._sleeper = sleeper
        self.through: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.threads: dict[Any, InThread] = {}

    def join(self, *new: Any) -> None:
        """Have a thread for each key of `new` submit and wait."""
        for key in new:
            self.threads[key] = InThread(self._submit, key)
            self._sleeper.wait_for_others(1)

    def _submit(self, key: Any) -> Future[Any]:
        threading.current_thread().name = f"submits {key}"
        future = self._executor.submit(int, key)
        self.through.put(key)
        return future

    def next(self) -> Any:
        """Wait until the next one is in; returns its key."""
        return self.through.get(timeout=PATIENCE)

    def outcomes(self) -> list[str]:
        """What each of the threads, in the order they came, met in `submit`."""
        return [self.message(thread) for thread in self.threads.values()]

    @staticmethod
    def message(thread: InThread) -> str:
        try:
            thread.outcome()
        except RuntimeError as error:
            return str(error)
        return "in"


def fill(executor: ThrottleExecutor, count: int) -> list[Future[Any]]:
    """Submit as many as there is room for."""
    return [executor.submit(int, f"full {number}") for number in range(2 * count)]


# -- how many, and in which order ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_twice_the_count_get_in_and_the_next_waits(sleeper: Sleeper, count: int) -> None:
    with throttling(count, block=True) as (executor, delegate):
        fill(executor, count)
        line = Line(executor, sleeper)
        line.join("next")
        sleeper.idle()
        assert len(delegate.submitted) == count
        assert line.through.empty()
        delegate.given[0].set_result(None)
        assert line.next() == "next"
        sleeper.idle()
        assert len(delegate.submitted) == count + 1


def test_without_block_nobody_waits(sleeper: Sleeper) -> None:
    with throttling(1) as (executor, _):
        assert len([executor.submit(int, key) for key in range(100)]) == 100


def test_without_a_limit_nobody_waits(sleeper: Sleeper) -> None:
    with throttling(None, block=True) as (executor, delegate):
        for key in range(100):
            executor.submit(int, key)
        sleeper.idle()
        assert keys(delegate) == list(range(100))


@pytest.mark.parametrize("count", [1.5, 2.0])
def test_a_count_that_is_no_whole_number_is_rounded_up(sleeper: Sleeper, count: Any) -> None:
    with throttling(count, block=True) as (executor, delegate):
        fill(executor, 2)
        line = Line(executor, sleeper)
        line.join("next")
        sleeper.idle()
        assert len(delegate.submitted) == 2
        delegate.given[0].set_result(None)
        assert line.next() == "next"


def test_first_come_first_served_one_for_each_that_ends(sleeper: Sleeper) -> None:
    with throttling(1, block=True) as (executor, delegate):
        fill(executor, 1)
        line = Line(executor, sleeper)
        line.join(*range(6))
        for key in range(6):
            sleeper.idle()
            assert line.through.empty()
            delegate.given[-1].set_result(None)
            assert line.next() == key
        sleeper.idle()
        delegate.given[-1].set_result(None)
        sleeper.idle()
        assert keys(delegate) == ["full 0", "full 1", 0, 1, 2, 3, 4, 5]


# All this thread does is to end one: nobody else is there to wake who waits, as the executor's own thread is held up.
@pytest.mark.parametrize("how", ["result", "error", "cancelled by the delegate", "cancelled"])
def test_who_is_first_goes_on_the_moment_one_leaves_in_whichever_way(sleeper: Sleeper, how: str) -> None:
    park = Parking()

    class Held(DuckDelegate):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            if len(self.given) == 1:
                park()
            return super().submit(fn, *args, **kwargs)

    with throttling(2, Held(Future), block=True) as (executor, delegate):
        futures = [executor.submit(int, 0)]
        sleeper.idle()
        futures += [executor.submit(int, key) for key in (1, 2, 3)]
        park.wait_for_one()
        line = Line(executor, sleeper)
        line.join("next", "last")
        if how == "result":
            delegate.given[0].set_result(None)
        elif how == "error":
            delegate.given[0].set_exception(SomeError())
        elif how == "cancelled by the delegate":
            assert delegate.given[0].cancel()
        else:
            assert futures[0].cancel()
        assert line.next() == "next"
        assert line.through.empty()
        park.let_go()
        sleeper.idle()


def test_a_queued_one_that_is_cancelled_makes_room(sleeper: Sleeper) -> None:
    with throttling(1, block=True) as (executor, delegate):
        futures = fill(executor, 1)
        line = Line(executor, sleeper)
        line.join("next")
        assert futures[1].cancel() is True
        assert line.next() == "next"
        sleeper.idle()
        delegate.given[0].set_result(None)
        sleeper.idle()
        assert keys(delegate) == ["full 0", "next"]


def test_one_whose_submit_the_delegate_refuses_makes_room(sleeper: Sleeper) -> None:
    class Refusing(DuckDelegate):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            park()
            raise SomeError

    park = Parking()
    with throttling(1, Refusing(Future), block=True) as (executor, _):
        futures = fill(executor, 1)
        line = Line(executor, sleeper)
        line.join("next")
        park.let_go()
        assert line.next() == "next"
        futures.append(line.threads["next"].outcome())
        assert [type(future.exception(PATIENCE)) for future in futures] == [SomeError] * 3


# 1. There is no room: A waits in line.
# 2. Room is made. A is woken and looks again, which takes long.
# 3. B finds room, but A stands ahead: it waits as well.
# 4. A is done looking and gets in; B, woken in its turn, finds no room and goes on waiting.
def test_nobody_overtakes_who_has_been_woken_and_is_not_in_yet(sleeper: Sleeper) -> None:
    park, looks = Parking(returning=1), iter([1])

    def count() -> int:
        return next(looks, None) or park() if threading.current_thread().name == "submits A" else 1

    with throttling(count, block=True) as (executor, delegate):
        fill(executor, 1)
        sleeper.idle()
        line = Line(executor, sleeper)
        line.join("A")
        delegate.given[0].set_result(None)
        park.wait_for_one()
        line.join("B")
        assert line.through.empty()
        park.let_go()
        assert line.next() == "A"
        sleeper.wait_for_others(1)
        assert line.through.empty()
        sleeper.idle()
        delegate.given[1].set_result(None)
        assert line.next() == "B"


# 1. This thread is first in line, B is second. Room is made, and this thread woken.
# 2. It is interrupted while it looks again: B is to get the room.
def test_who_is_interrupted_when_there_is_room_leaves_it_to_the_next(sleeper: Sleeper) -> None:
    main, looks = threading.current_thread(), iter([1])

    def count() -> int:
        if threading.current_thread() is main and filled and next(looks, None) is None:
            signal.raise_signal(signal.SIGINT)
        return 1

    def make_room() -> None:
        sleeper.wait_for_others(1)
        line.join("B")
        delegate.given[0].set_result(None)

    filled: list[Any] = []
    with throttling(count, block=True) as (executor, delegate):
        filled += fill(executor, 1)
        sleeper.idle()
        line = Line(executor, sleeper)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        other = InThread(make_room)
        try:
            with pytest.raises(KeyboardInterrupt):
                executor.submit(int, "interrupted")
        finally:
            signal.signal(signal.SIGINT, before)
        other.outcome()
        assert line.next() == "B"
        sleeper.idle()
        delegate.given[1].set_result(None)
        sleeper.idle()
        assert keys(delegate) == ["full 0", "full 1", "B"]
        filled.clear()


# -- a count that changes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [2, None])
def test_a_count_that_rises_lets_in_who_waits_at_the_next_look(sleeper: Sleeper, more: int | None) -> None:
    now: list[int | None] = [0]
    with throttling(lambda: now[0], block=True) as (executor, delegate):
        line = Line(executor, sleeper)
        line.join(0, 1, 2)
        assert sleeper.idle() == 2.0
        sleeper.let_time_pass()
        sleeper.wait_for_others(1)
        assert sleeper.idle() == 2.0
        assert line.through.empty()
        now[0] = more
        sleeper.let_time_pass()
        assert sorted(line.next() for _ in range(3)) == [0, 1, 2]
        sleeper.idle()
        assert keys(delegate) == [0, 1] if more else [0, 1, 2]


# With nothing queued, nobody but who waits in line has use for a higher count.
def test_who_waits_after_the_last_has_ended_is_let_in_at_the_next_look_of_an_idle_executor(sleeper: Sleeper) -> None:
    now = [1]
    with throttling(lambda: now[0], block=True) as (executor, delegate):
        executor.submit(int, "first")
        assert sleeper.idle() == 30.0
        now[0] = 0
        line = Line(executor, sleeper)
        line.join("next")
        delegate.given[0].set_result(None)
        sleeper.wait_for_others(1)
        assert sleeper.idle() == 2.0
        sleeper.idle_others(1)
        assert line.through.empty()
        now[0] = 1
        sleeper.let_time_pass()
        assert line.next() == "next"


def test_a_count_that_falls_lets_nobody_in_until_fewer_are_outstanding(sleeper: Sleeper) -> None:
    now = [2]
    with throttling(lambda: now[0], block=True) as (executor, delegate):
        fill(executor, 2)
        line = Line(executor, sleeper)
        line.join("next")
        sleeper.idle()
        sleeper.idle_others(1)  # it has looked at the count for the last time
        now[0] = 1
        for given in delegate.given[:2]:
            given.set_result(None)
        sleeper.idle()
        sleeper.idle_others(1)
        assert line.through.empty()
        assert len(delegate.submitted) == 3
        delegate.given[2].set_result(None)
        assert line.next() == "next"


def test_a_count_that_raises_in_submit_is_logged_there_and_the_last_value_holds(sleeper: Sleeper) -> None:
    answer: list[Any] = [1]
    logger = HeardLogger()

    def count() -> int:
        if isinstance(answer[0], BaseException):
            raise answer[0]
        return answer[0]

    with throttling(count, block=True, logger=logger) as (executor, delegate):
        sleeper.idle()
        answer[0] = SomeError()
        fill(executor, 1)
        line = Line(executor, sleeper)
        line.join("next")
        assert all(message.startswith("Error evaluating throttle count") for message in logger.of_level("ERROR"))
        assert len(logger.lines) >= 3
        sleeper.idle()
        delegate.given[0].set_result(None)
        assert line.next() == "next"


# -- what ends the waiting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("how", [{"wait": False}, {"wait": False, "cancel_futures": True}])
def test_shutdown_ends_it_for_all_with_an_error(sleeper: Sleeper, count: int, how: dict[str, bool]) -> None:
    with throttling(count, block=True) as (executor, _):
        fill(executor, count)
        line = Line(executor, sleeper)
        line.join(*range(4))
        executor.shutdown(**how)
        assert line.outcomes() == [REFUSED[1:-1]] * 4
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)


def test_shutdown_that_waits_sees_through_who_was_in_and_refuses_who_waited(sleeper: Sleeper) -> None:
    with throttling(1, block=True) as (executor, delegate):
        futures = fill(executor, 1)
        line = Line(executor, sleeper)
        line.join("late")
        shutting_down = InThread(executor.shutdown)
        assert line.outcomes() == [REFUSED[1:-1]]
        for key in range(2):
            sleeper.idle()
            assert shutting_down.is_alive()
            while len(delegate.given) <= key:  # shutdown's own wake-up may have come in between
                threading.Event().wait(0.001)
            delegate.given[key].set_result(key)
        shutting_down.outcome()
        assert [future.result(0) for future in futures] == [0, 1]


# 1. This thread is in line behind A, and B comes after it.
# 2. Ctrl-C: `submit` raises it here.
# 3. Room is made twice: A gets in, and then B.
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signal can be sent to a sleeping thread")
@pytest.mark.parametrize("ahead", [True, False])
def test_ctrl_c_ends_it_and_leaves_the_line_intact(sleeper: Sleeper, ahead: bool) -> None:
    awake, interrupts, main = threading.Event(), [], threading.get_ident()

    def raise_once(*_: Any) -> None:
        interrupts.append(None)
        if len(interrupts) == 1:
            raise KeyboardInterrupt

    def send() -> None:
        sleeper.wait_for_others(1)
        line.join("B")
        while not awake.wait(0.01):
            signal.pthread_kill(main, signal.SIGINT)

    with throttling(1, block=True) as (executor, delegate):
        fill(executor, 1)
        sleeper.idle()
        line = Line(executor, sleeper)
        if ahead:
            line.join("A")
        before = signal.signal(signal.SIGINT, raise_once)
        sender = InThread(send)
        try:
            with pytest.raises(KeyboardInterrupt):
                executor.submit(int, "interrupted")
        finally:
            awake.set()
            sender.outcome()
            signal.signal(signal.SIGINT, before)
        assert line.through.empty()
        expected = ["A", "B"] if ahead else ["B"]
        for key in expected:
            delegate.given[-1].set_result(None)
            assert line.next() == key
            sleeper.idle()
        delegate.given[-1].set_result(None)
        sleeper.idle()
        assert keys(delegate) == ["full 0", "full 1", *expected]


def test_who_waits_keeps_an_executor_that_nobody_else_refers_to(sleeper: Sleeper) -> None:
    delegate = DuckDelegate(Future)
    executor = ThrottleExecutor(delegate, 1, block=True)
    thread = throttle_thread()
    fill(executor, 1)
    line = Line(executor, sleeper)
    line.join("next")
    del executor, line._executor
    for key in range(2):
        sleeper.idle()
        delegate.given[key].set_result(None)
    assert line.next() == "next"
    sleeper.idle()
    delegate.given[2].set_result(5)
    assert line.threads.pop("next").outcome().result(0) == 5
    assert_ends(thread)


# -- with threads that run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, lambda: 1])
def test_a_task_that_submits_to_its_own_throttle_does_not_wait_for_itself(count: Any) -> None:
    with ThrottleExecutor(Executors.thread_pool(1), count, block=True) as executor:
        inner = executor.submit(lambda: executor.submit(int, 5)).result(PATIENCE)
        assert inner.result(PATIENCE) == 5


def test_a_task_may_submit_to_its_own_throttle_on_the_executors_own_thread() -> None:
    with ThrottleExecutor(SyncExecutor(), 1, block=True) as executor:
        inner = executor.submit(lambda: executor.submit(int, 5)).result(PATIENCE)
        assert inner.result(PATIENCE) == 5


def test_a_callback_may_submit_to_the_throttle_its_future_came_through() -> None:
    inner: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
    with ThrottleExecutor(Executors.thread_pool(1), 1, block=True) as executor:
        park = Parking()
        future = executor.submit(park)
        future.add_done_callback(lambda _: inner.put(executor.submit(int, 5)))
        park.let_go()
        assert inner.get(timeout=PATIENCE).result(PATIENCE) == 5


def test_many_threads_get_all_through_and_never_more_than_there_is_room_for() -> None:
    most = {"running": 0, "outstanding": 0}
    running = 0
    lock = threading.Lock()

    def task(key: int) -> int:
        nonlocal running
        with lock:
            running += 1
            most["running"] = max(most["running"], running)
            most["outstanding"] = max(most["outstanding"], len(executor._table))
        with lock:
            running -= 1
        return key

    with Executors.thread_pool(4).with_throttle(2, block=True) as executor:
        threads = [InThread(lambda: [executor.submit(task, key) for key in range(150)]) for _ in range(6)]
        futures = [future for thread in threads for future in thread.outcome()]
        assert not wait(futures, PATIENCE).not_done
        assert [future.result(0) for future in futures] == list(range(150)) * 6
    assert 1 <= most["running"] <= 2
    assert 1 <= most["outstanding"] <= 4


def test_a_count_that_submits_on_a_thread_that_waits_in_line_is_refused_that(sleeper: Sleeper) -> None:
    messages: list[str] = []

    def count() -> int:
        if threading.current_thread().name == "submits again" and in_line.is_set() and not tried.is_set():
            tried.set()
            try:
                executor.submit(int)
            except RuntimeError as error:
                messages.append(str(error))
            refused.set()
        return 1

    def submit() -> Future[Any]:
        threading.current_thread().name = "submits again"
        return executor.submit(int, "again")

    in_line, tried, refused = threading.Event(), threading.Event(), threading.Event()
    with throttling(count, block=True) as (executor, delegate):
        fill(executor, 1)
        thread = InThread(submit)
        sleeper.wait_for_others(1)
        in_line.set()
        executor._throttle_table.look_again()
        assert refused.wait(PATIENCE)
        assert messages == ["submit: there is no room, and this thread waits for it already"]
        sleeper.idle()
        delegate.given[0].set_result(None)
        assert isinstance(thread.outcome(), Future)
