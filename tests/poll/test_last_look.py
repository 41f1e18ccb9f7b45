"""Before a deadline fails a task it is polled once more: it may be done, and nobody has looked since."""

from __future__ import annotations

import builtins
import threading
from math import inf
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, Parking, SomeError, SteppedPoll, Thing, said

from more_executors import ExceptionRetryPolicy, PollExecutor, SyncExecutor, _core
from more_executors._runtime import watched
from more_executors.poll import _call, _engine, _executor, _gate, _scheduler
from more_executors.rate_limit import RateLimit, Throttled

NEVER = 3600.0
TIMEOUT = 100.0

MODES: dict[str, dict[str, Any]] = {
    "whole list": {},
    "what is due": {"batch_size": 10},
    "on threads": {"max_concurrency": 2, "batch_size": 10},
    "in groups": {"group_by": lambda result: result},
}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SLOW_SECONDS", inf)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A last look has to be over soon."""
    monkeypatch.setattr(_engine.PollEngine, "seconds_for_a_last_look", 0.05)


class Clock:
    """The time of executors that are made after it: it stands until the test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = 1000.0
        monkeypatch.setattr(_engine.PollEngine, "seconds_for_a_last_look", NEVER)
        for module in (_core, _executor, _gate, _scheduler, _call):
            monkeypatch.setattr(module, "monotonic", lambda: self._now)

    def pass_deadlines(self, executor: PollExecutor[Any, Any]) -> None:
        """Let so much time pass that all is late, but not so much that anything else is due."""
        self._now += TIMEOUT
        executor._table.waker.set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Service:
    """Its tasks are done when it has been asked about each once. It never says when to ask again."""

    def __init__(self) -> None:
        self.polls: dict[Any, int] = {}
        self.done_at = 2
        self.asked = threading.Semaphore(0)

    def wait_until_asked(self, tasks: int) -> None:
        """Wait until it has been asked about so many tasks more."""
        for _ in range(tasks):
            assert self.asked.acquire(timeout=PATIENCE), "not polled"

    def poll(self, descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            self.polls[descriptor.result] = self.polls.get(descriptor.result, 0) + 1
            if self.polls[descriptor.result] == self.done_at:
                descriptor.yield_result(f"{descriptor.result} is done")
            self.asked.release()
        return NEVER

    async def poll_async(self, descriptors: list[Any]) -> float:
        return self.poll(descriptors)


@every_mode
@pytest.mark.parametrize("is_async", [False, True], ids=["", "async"])
def test_a_task_that_is_done_is_found_done_at_its_deadline(mode: Any, is_async: bool, clock: Clock) -> None:
    service = Service()
    poll = service.poll_async if is_async else service.poll
    with PollExecutor(SyncExecutor(), poll, timeout=TIMEOUT, **mode) as executor:
        future = executor.adopt("a")
        service.wait_until_asked(1)
        clock.pass_deadlines(executor)
        assert said(future) == "a is done"
        assert executor.stats().failed == 0


@every_mode
def test_a_task_that_is_not_done_then_fails_after_one_more_call_and_is_cancelled(mode: Any, clock: Clock) -> None:
    service, cancelled = Service(), list[Any]()
    service.done_at = 0
    executor = PollExecutor(SyncExecutor(), service.poll, cancelled.append, timeout=TIMEOUT, **mode)
    future = executor.adopt("a")
    service.wait_until_asked(1)
    clock.pass_deadlines(executor)
    executor.shutdown()
    assert type(future.exception(0)) is builtins.TimeoutError
    assert cancelled == ["a"]
    # What joins just when the list is made for the first call is in that, and is polled once more for having joined.
    assert service.polls["a"] in ((2, 3) if not mode else (2,))


def test_one_that_is_in_a_call_at_its_deadline_is_looked_at_after_that(clock: Clock) -> None:
    poll = SteppedPoll()
    with PollExecutor(SyncExecutor(), poll, max_concurrency=2) as executor:
        future = executor.adopt("a", timeout=TIMEOUT)
        call = poll.next()
        clock.pass_deadlines(executor)
        call.end(NEVER)
        last = poll.next()
        assert not future.done()
        last.descriptors[0].yield_result("just in time")
        last.end()
        assert future.result(PATIENCE) == "just in time"


@pytest.mark.parametrize("mode", [MODES["on threads"]])
def test_a_call_that_hangs_does_not_put_it_off_for_ever(mode: Any, short: None) -> None:
    hanging = Parking(NEVER)
    with PollExecutor(SyncExecutor(), lambda descriptors: hanging() if descriptors else inf, **mode) as executor:
        future = executor.adopt("a", timeout=0.05)
        hanging.wait_for_one()
        assert said(future) is builtins.TimeoutError
        hanging.let_go()


def test_a_rate_limit_that_is_exhausted_does_not_put_it_off_for_ever(short: None) -> None:
    limit, service = RateLimit(1, per=NEVER), Service()
    assert limit.take(0)
    with PollExecutor(SyncExecutor(), service.poll, rate_limit=limit) as executor:
        assert said(executor.adopt("a", timeout=0.05)) is builtins.TimeoutError
    assert service.polls == {}


@every_mode
@pytest.mark.parametrize("error", [Throttled(0), SomeError()], ids=["throttled", "failed and tried again"])
def test_a_last_look_that_is_in_vain_is_repeated(mode: Any, error: Exception, clock: Clock) -> None:
    calls: list[int] = []
    polled = threading.Event()

    def poll(descriptors: list[Any]) -> float:
        if descriptors:
            calls.append(len(descriptors))
            polled.set()
            if 1 < len(calls) < 4:
                raise error
            if len(calls) == 4:
                descriptors[0].yield_result("done")
        return NEVER

    policy = ExceptionRetryPolicy(max_attempts=10, sleep=0, exception_base=SomeError)
    options = mode | {"retry_policy": policy, "logger": HeardLogger(), "timeout": TIMEOUT, "min_interval": 0}
    with PollExecutor(SyncExecutor(), poll, **options) as executor:
        future = executor.adopt("a")
        assert polled.wait(PATIENCE)
        clock.pass_deadlines(executor)
        assert said(future) == "done"
    assert calls == [1] * 4
    error.__traceback__ = None


@every_mode
@pytest.mark.parametrize("error", [Throttled(NEVER), SomeError()], ids=["throttled", "failed and tried again"])
def test_one_that_stays_in_vain_does_not_put_it_off_for_ever(mode: Any, error: Exception, short: None) -> None:
    def poll(descriptors: list[Any]) -> float:
        if descriptors:
            raise error
        return NEVER

    policy = ExceptionRetryPolicy(max_attempts=inf, sleep=NEVER, exception_base=SomeError)  # type: ignore[arg-type]
    options = mode | {"retry_policy": policy, "logger": HeardLogger(), "timeout": 0.05}
    with PollExecutor(SyncExecutor(), poll, **options) as executor:
        assert said(executor.adopt("a")) is builtins.TimeoutError
    error.__traceback__ = None


@every_mode
def test_what_the_last_call_raises_is_what_it_fails_with(mode: Any, clock: Clock) -> None:
    service = Service()

    def poll(descriptors: list[Any]) -> float:
        if service.polls and descriptors:
            raise SomeError
        return service.poll(descriptors)

    with PollExecutor(SyncExecutor(), poll, timeout=TIMEOUT, logger=HeardLogger(), **mode) as executor:
        future = executor.adopt("a")
        service.wait_until_asked(1)
        clock.pass_deadlines(executor)
        assert said(future) is SomeError
    del future


@every_mode
def test_poll_after_does_not_put_it_off(mode: Any, clock: Clock) -> None:
    service = Service()

    def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.poll_after(NEVER)
        return service.poll(descriptors)

    with PollExecutor(SyncExecutor(), poll, timeout=TIMEOUT, **mode) as executor:
        future = executor.adopt("a")
        service.wait_until_asked(1)
        clock.pass_deadlines(executor)
        assert said(future) == "a is done"


def test_a_task_that_is_cancelled_during_its_last_look_is_cancelled(clock: Clock) -> None:
    poll = SteppedPoll()
    with PollExecutor(SyncExecutor(), poll, max_concurrency=2) as executor:
        future = executor.adopt("a", timeout=TIMEOUT)
        poll.next().end(NEVER)
        clock.pass_deadlines(executor)
        look = poll.next()
        assert future.cancel() is True
        look.end()
    assert future.cancelled()


def test_a_hundred_that_are_late_together_have_their_last_look_together(clock: Clock) -> None:
    service = Service()
    service.done_at = 0
    calls: list[int] = []

    def poll(descriptors: list[Any]) -> float:
        calls.append(len(descriptors))
        return service.poll(descriptors)

    with PollExecutor(SyncExecutor(), poll, batch_size=100, min_interval=0) as executor:
        futures = executor.adopt_many(range(100), timeout=TIMEOUT)
        service.wait_until_asked(100)
        before = len(calls)
        clock.pass_deadlines(executor)
        assert {said(future) for future in futures} == {builtins.TimeoutError}
        assert calls[before:] == [100]


@pytest.mark.parametrize("kind", [_core.FullListTable, _core.DueTable])
def test_of_a_table_that_gives_no_last_look_a_task_fails_at_once(kind: Any) -> None:
    table = kind(HeardLogger())
    future = table.adopt(table, "key", 0.0)
    assert table.fail_late() == (["key"], inf)
    assert type(future.exception(0)) is builtins.TimeoutError


@pytest.mark.parametrize("kind", [_core.FullListTable, _core.DueTable])
def test_what_fails_after_its_look_is_reported_while_the_executor_is_kept(kind: Any) -> None:
    executor, heard = Thing(), list[Any]()

    def too_late(results: list[Any], owner: Any) -> None:
        heard.append((results, owner is executor, table.reporting, future.done()))

    table = kind(HeardLogger(), last_look=NEVER, too_late=too_late)
    future = table.adopt(executor, "key", 0.0)
    results, when = table.fail_late()
    assert (results, when < inf, future.done()) == ([], True, False)
    if kind is _core.FullListTable:
        tasks = table.take_all()
    else:
        tasks, _ = table.take_due(inf, 10, 0.0)
    assert len(tasks) == 1
    table.reschedule(tasks, 0.0, -1.0, 5.0)
    assert type(future.exception(0)) is builtins.TimeoutError
    assert heard == [(["key"], True, 1, True)]
    assert table.fail_late() == ([], inf)
    assert (table.reporting, len(table)) == (0, 0)


@every_mode
def test_an_executor_is_not_over_before_it_has_heard_of_what_was_late(mode: Any, clock: Clock) -> None:
    service, found = Service(), list[bool]()
    service.done_at = 0
    executor = PollExecutor(SyncExecutor(), service.poll, lambda result: True, timeout=TIMEOUT, **mode)
    future = executor.adopt("a")
    service.wait_until_asked(1)
    future.add_done_callback(lambda _: found.append(executor._drained()))
    executor.shutdown(wait=False)
    clock.pass_deadlines(executor)
    assert isinstance(future.exception(PATIENCE), builtins.TimeoutError)
    executor._wait_until_drained()
    assert found == [False]
