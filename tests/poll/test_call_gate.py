"""One gate for polls and cancels: a pause that a service asks for in one of them holds back the others, too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from math import inf
from typing import Any

import pytest
from paced_support import NotedPoll, PacedClock, clock_fixture, failing, in_both_modes, paced, poll_fixture
from support import PATIENCE, HeardLogger, InThread, Parking

from more_executors import PollExecutor, SyncExecutor
from more_executors._runtime import watched
from more_executors.poll import _gate
from more_executors.poll._cancel_line import CancelLine
from more_executors.poll._gate import CallGate
from more_executors.rate_limit import RateLimit, Throttled

clock = clock_fixture()
poll = poll_fixture()


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SLOW_SECONDS", inf)


class Service:
    """Cancels what it is asked to, `asked`; `throttles` are raised first, one a call."""

    def __init__(self, *throttles: Throttled) -> None:
        self.throttles = list(throttles)
        self.asked: list[Any] = []

    def one(self, result: Any) -> bool:
        self.asked.append(result)
        if self.throttles:
            raise self.throttles.pop(0)
        return True

    def many(self, results: list[Any]) -> list[bool]:
        return [self.one(results) for _ in results]

    async def one_async(self, result: Any) -> bool:
        return self.one(result)

    async def many_async(self, results: list[Any]) -> list[bool]:
        return self.many(results)

    def options(self, kind: str) -> dict[str, Any]:
        return {"cancel_many_fn" if kind.startswith("many") else "cancel_fn": getattr(self, kind)}


every_kind = pytest.mark.parametrize("kind", ["one", "many", "one_async", "many_async"])


class Sleeps:
    """The gate's pauses of cancels, which end when the test lets them: `parking` has who sleeps, and for how long."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: PacedClock) -> None:
        self.parking = Parking()
        self._clock = clock
        monkeypatch.setattr(_gate, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.parking(seconds)

    def end(self, seconds: float) -> None:
        """Have so much time pass, and then who sleeps go on."""
        self._clock.run(seconds)
        self.parking.let_go()


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch, clock: PacedClock) -> Sleeps:
    return Sleeps(monkeypatch, clock)


# -- in a poll ---------------------------------------------------------------------------------------------------------


@every_kind
@in_both_modes
def test_a_pause_of_a_poll_holds_back_a_cancel(
    clock: PacedClock, poll: NotedPoll, sleeps: Sleeps, mode: dict[str, Any], kind: str
) -> None:
    # 1. A poll is throttled, for 30 s. 2. A cancel begins: it sleeps as long. 3. They pass: the service is asked.
    service = Service()
    with paced(poll, default_interval=inf, **service.options(kind), **mode) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=lambda: Throttled(30))
        future = executor.adopt("a")
        clock.run()  # 1
        cancelling = InThread(future.cancel)
        sleeps.parking.wait_for_one()  # 2
        assert sleeps.parking.calls == [(30.0,)]
        assert service.asked == []
        sleeps.end(30)  # 3
        assert cancelling.outcome() is True
        assert service.asked == [["a"] if "many" in kind else "a"]


@pytest.mark.parametrize("kind", ["one", "many"])
@in_both_modes
def test_a_pause_of_a_poll_holds_back_bulk_cancels_of_several_threads(
    clock: PacedClock, poll: NotedPoll, sleeps: Sleeps, mode: dict[str, Any], kind: str
) -> None:
    # As above. Of the threads that cancel one at a time is at the gate: the others are in line behind it.
    service = Service()
    options = {**mode, "batch_size": 2, "max_concurrency": 4} if mode.get("batch_size", 2) else mode
    with paced(poll, default_interval=inf, **service.options(kind), **options) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=lambda: Throttled(30))
        executor.adopt("a")
        clock.run()
        clock.wait_for_calls(executor)
        executor.adopt_many(list("bcdefg"))
        cancelling = InThread(executor.cancel_all)
        sleeps.parking.wait_for_one()
        assert sleeps.parking.calls == [(30.0,)]
        assert service.asked == []
        sleeps.end(30)
        assert cancelling.outcome() == 7


@every_kind
@in_both_modes
def test_a_pause_longer_than_a_minute_refuses_a_cancel_at_once(
    clock: PacedClock, poll: NotedPoll, sleeps: Sleeps, mode: dict[str, Any], kind: str
) -> None:
    service, logger = Service(), HeardLogger()
    with paced(poll, default_interval=inf, logger=logger, **service.options(kind), **mode) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=lambda: Throttled(61))
        future = executor.adopt("a")
        clock.run()
        assert future.cancel() is False
        assert executor.cancel_all() == 0
        assert (service.asked, sleeps.parking.calls) == ([], [])
        clock.run(61)
        assert future.cancel() is True
    logger.lines.clear()


@every_kind
@in_both_modes
def test_on_an_event_loop_a_cancel_does_not_wait_for_a_pause_but_goes_on_in_the_background(
    clock: PacedClock, poll: NotedPoll, sleeps: Sleeps, mode: dict[str, Any], kind: str
) -> None:
    # 1. A poll is throttled. 2. A coroutine cancels: no, for now. 3. A thread of the executor sleeps as long as the
    # pause. 4. Another coroutine cancels the same: it does not wait for that thread. 5. The pause ends.
    async def cancel() -> bool:
        return future.cancel()

    service, ended = Service(), threading.Event()
    with paced(poll, default_interval=inf, **service.options(kind), **mode) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=lambda: Throttled(30))
        future = executor.adopt("a")
        future.add_done_callback(lambda _: ended.set())
        clock.run()  # 1
        assert asyncio.run(cancel()) is False  # 2
        sleeps.parking.wait_for_one()  # 3
        assert asyncio.run(cancel()) is False  # 4
        assert service.asked == []
        sleeps.end(30)  # 5
        assert ended.wait(PATIENCE)
        assert future.cancelled()


# -- in a cancel -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["one", "one_async"])
@pytest.mark.parametrize(("retry_after", "pause"), [(30.0, 30.0), (None, 1.0)])
@in_both_modes
def test_a_pause_of_a_cancel_holds_back_polls(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any], kind: str, retry_after: float | None, pause: float
) -> None:
    # 1. A cancel is throttled. 2. A task joins, and somebody wants a poll: there is none. 3. The pause ends: there is.
    service, logger = Service(Throttled(retry_after)), HeardLogger()
    with paced(poll, default_interval=inf, logger=logger, **service.options(kind), **mode) as executor:
        future = executor.adopt("a")
        clock.run(1)
        poll.calls.clear()
        assert future.cancel() is False  # 1
        executor.adopt("b")
        executor.notify()
        clock.run(pause - 0.5)  # 2
        assert poll.calls == []
        clock.run(0.5)  # 3
        assert poll.times("b")[0] == 1 + pause
    assert not logger.lines


@pytest.mark.parametrize("kind", ["many", "many_async"])
@in_both_modes
def test_a_pause_of_a_cancel_of_many_holds_back_polls_and_itself(
    clock: PacedClock, poll: NotedPoll, monkeypatch: pytest.MonkeyPatch, mode: dict[str, Any], kind: str
) -> None:
    # 1. A cancel of many is throttled: it sleeps until the pause is over. 2. A task joins: there is no poll. 3. The
    # pause ends: there is one, and the service is asked again.
    parking = Parking()
    monkeypatch.setattr(_gate, "sleep", parking)

    async def sleep(seconds: float) -> None:
        await asyncio.to_thread(parking, seconds)

    monkeypatch.setattr(_gate, "sleep_on_loop", sleep)
    service, logger = Service(Throttled(30)), HeardLogger()
    options = {**mode, "max_concurrency": 1 if mode else 3}
    with paced(poll, default_interval=inf, logger=logger, **service.options(kind), **options) as executor:
        futures = executor.adopt_many(list("ab"))
        clock.run(1)
        clock.wait_for_calls(executor)
        poll.calls.clear()
        cancelling = InThread(executor.cancel_many, futures)
        parking.wait_for_one()  # 1
        assert parking.calls == [(30.0,)]
        executor.adopt("c")
        clock.run(29)  # 2
        assert poll.calls == []
        clock.run(1)  # 3
        clock.wait_for_calls(executor)
        assert poll.times("c") == [31]
        parking.let_go()
        assert cancelling.outcome() == 2
        assert service.asked == [["a", "b"]] * 3  # the one that was throttled, and one for each
    assert not logger.lines


def test_a_pause_of_a_cancel_holds_back_the_next_cancel(clock: PacedClock, poll: NotedPoll, sleeps: Sleeps) -> None:
    service = Service(Throttled(30))
    with paced(poll, batch_size=None, default_interval=inf, **service.options("one")) as executor:
        first, second = executor.adopt_many(list("ab"))
        clock.run()
        assert first.cancel() is False
        cancelling = InThread(second.cancel)
        sleeps.parking.wait_for_one()
        assert service.asked == ["a"]
        sleeps.end(30)
        assert cancelling.outcome() is True
        assert first.cancel() is True
        assert service.asked == ["a", "b", "a"]


@in_both_modes
def test_a_pause_of_a_cancel_holds_back_calls_of_an_async_poll_function(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any]
) -> None:
    async def poll_async(descriptors: list[Any]) -> Any:
        return poll(descriptors)

    service = Service(Throttled(30))
    with paced(poll_async, default_interval=inf, max_concurrency=3, **service.options("one_async"), **mode) as executor:
        future = executor.adopt("a")
        clock.wait_for_calls(executor)
        assert InThread(future.cancel).outcome() is False
        executor.adopt("b")
        clock.run(29.5)
        assert poll.times("b") == []
        clock.run(0.5)
        clock.wait_for_calls(executor)
        assert poll.times("b") == [30]


class AnswersBadly(Throttled):
    """Says something else each time."""

    @property
    def retry_after(self) -> Any:  # type: ignore[override]
        raise KeyError("retry_after")

    @retry_after.setter
    def retry_after(self, value: Any) -> None:
        pass


def test_what_a_throttled_of_the_users_raises_is_logged_and_means_no() -> None:
    logger = HeardLogger()
    service = Service(AnswersBadly())
    with PollExecutor(SyncExecutor(), lambda descriptors: inf, service.one, logger=logger) as executor:
        future = executor.adopt("a")
        assert future.cancel() is False
        assert isinstance(logger.lines[0][2], KeyError)
        assert future.cancel() is True
    logger.lines.clear()


# -- nothing of ours is held -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["one", "many"])
def test_the_clock_of_a_rate_limit_may_wait_for_a_cancel_of_another_thread(kind: str) -> None:
    # 1. A cancel of all asks for a call, and so the clock. 2. That has another thread do the same, and waits for it.
    answers: list[int] = []
    others: list[Any] = []

    def now() -> float:
        if others:
            answers.append(InThread(executor.cancel_many, [others.pop()]).outcome())
        return 0.0

    service = Service()
    options: dict[str, Any] = {**service.options(kind), "rate_limit": RateLimit(1.0, burst=100, clock=now)}
    with PollExecutor(SyncExecutor(), lambda descriptors: inf, max_concurrency=4, batch_size=1, **options) as executor:
        futures = executor.adopt_many(list("abcd"))
        others.append(futures.pop())
        assert executor.cancel_many(futures) == 3
    assert answers == [1]


def test_who_waits_in_line_has_its_turn_first_come_first_served() -> None:
    # 1. One is at the front. 2. Two stand behind it. 3. Each goes when the one before it has gone.
    line, order, parking = CancelLine(), list[int](), Parking()
    first = InThread(line.run_in_turn, parking)
    parking.wait_for_one()  # 1
    behind = []
    for number in range(2):
        behind.append(InThread(line.run_in_turn, note(order, number)))
        wait_until_in_line(line, number + 2)  # 2
    assert order == []
    parking.let_go()  # 3
    for thread in (first, *behind):
        thread.outcome()
    assert order == [0, 1]
    assert (len(line._line), len(line._threads)) == (0, 0)


def note(order: list[int], number: int) -> Callable[[], None]:
    return lambda: order.append(number)


def wait_until_in_line(line: CancelLine, count: int) -> None:
    giving_up = threading.Event()
    timer = threading.Timer(PATIENCE, giving_up.set)
    timer.start()
    while len(line._line) < count:
        assert not giving_up.is_set()
    timer.cancel()
    timer.join()


def test_who_is_interrupted_in_line_does_not_wait_for_itself() -> None:
    line, order = CancelLine(), list[int]()
    line.run_in_turn(lambda: line.run_in_turn(note(order, 1)))
    assert order == [1]


def test_who_fails_at_the_front_leaves_the_line() -> None:
    def fail() -> None:
        raise Throttled

    line, order = CancelLine(), list[int]()
    with pytest.raises(Throttled):
        line.run_in_turn(fail)
    line.run_in_turn(note(order, 1))
    assert order == [1]


def test_a_gate_without_limit_and_pause_lets_all_through() -> None:
    gate = CallGate(None)
    assert (gate.try_take(), gate.take_now(), gate.may_hold_back()) == (0.0, True, False)
    gate.take(0.0)
    asyncio.run(gate.take_on_loop(0.0))
