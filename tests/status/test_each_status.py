"""A poll function made of a function that gets the status of one id: plain, and an `async def`."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, SomeError

from more_executors import (
    EachStatus,
    ExceptionRetryPolicy,
    Executors,
    PollExecutor,
    RateLimit,
    TaskMissing,
    TaskUnknown,
    Throttled,
)
from more_executors.status_poll import AsyncEachStatus

ALWAYS = ExceptionRetryPolicy(max_attempts=10**6, sleep=0.001, max_sleep=0.001)


def resolve(descriptor: Any, status: Any) -> None:
    if status is not None:
        descriptor.yield_result(status)


def awaited(function: Callable[[Any], Any]) -> Any:
    async def fetch_one(task_id: Any) -> Any:
        await asyncio.sleep(0)
        return function(task_id)

    return fetch_one


def as_it_is(function: Any) -> Any:
    return function


both = pytest.mark.parametrize("kind", [as_it_is, awaited], ids=["plain", "async"])


def polling(poll: Any, **options: Any) -> Any:
    return Executors.sync().with_poll(poll, **{"default_interval": 0.001, "logger": HeardLogger(), **options})


@both
def test_each_task_is_asked_about_by_itself(kind: Any) -> None:
    rounds: Counter[int] = Counter()
    lock = threading.Lock()

    def fetch_one(task_id: int) -> str | None:
        with lock:
            rounds[task_id] += 1
            return f"the end of {task_id}" if rounds[task_id] > task_id % 3 else None

    with polling(EachStatus(kind(fetch_one), resolve)) as executor:
        futures = executor.adopt_many(range(300))
        assert [future.result(PATIENCE) for future in futures] == [f"the end of {n}" for n in range(300)]
    assert rounds == {n: n % 3 + 1 for n in range(300)}


@both
def test_a_request_that_fails_concerns_its_own_task(kind: Any) -> None:
    errors = {n: SomeError(str(n)) for n in range(0, 100, 7)}

    def fetch_one(task_id: int) -> int:
        if task_id in errors:
            raise errors[task_id]
        return task_id

    with polling(EachStatus(kind(fetch_one), resolve)) as executor:
        for number, future in enumerate(executor.adopt_many(range(100))):
            assert (future.exception(PATIENCE) or future.result()) == errors.get(number, number)


@both
def test_it_is_asked_about_again_as_the_retry_policy_says(kind: Any) -> None:
    tries: Counter[int] = Counter()
    lock = threading.Lock()

    def fetch_one(task_id: int) -> int:
        with lock:
            tries[task_id] += 1
            if tries[task_id] <= task_id % 4:
                raise OSError("not now")
        return task_id

    with polling(EachStatus(kind(fetch_one), resolve), retry_policy=ALWAYS) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(50))] == list(range(50))
    assert tries == {n: n % 4 + 1 for n in range(50)}


@both
def test_a_task_that_is_unknown_is_missing_after_a_while(kind: Any) -> None:
    def fetch_one(task_id: int) -> int:
        if task_id == 3:
            raise TaskUnknown("404")
        return task_id

    with polling(EachStatus(kind(fetch_one), resolve, missing_after=0.01)) as executor:
        futures = executor.adopt_many(range(5))
        error = futures[3].exception(PATIENCE)
        assert isinstance(error, TaskMissing)
        assert error.task_id == 3
        assert [futures[n].result(PATIENCE) for n in (0, 1, 2, 4)] == [0, 1, 2, 4]


@both
def test_an_unknown_task_that_is_known_later_is_not_missing(kind: Any) -> None:
    now = [0.0]
    asked = []

    def fetch_one(task_id: int) -> int | None:
        asked.append(now[0])
        now[0] += 6.0
        if len(asked) % 2:
            raise TaskUnknown("404")
        return 5 if len(asked) == 8 else None

    with polling(EachStatus(kind(fetch_one), resolve, missing_after=10, clock=lambda: now[0])) as executor:
        assert executor.adopt(1).result(PATIENCE) == 5


@both
def test_after_throttled_nothing_is_asked_until_the_pause_is_over(kind: Any) -> None:
    asked: list[int] = []
    lock = threading.Lock()

    def fetch_one(task_id: int) -> int:
        with lock:
            asked.append(task_id)
            if len(asked) == 10:
                raise Throttled(0.01)
        return task_id

    with polling(EachStatus(kind(fetch_one), resolve, max_concurrency=1)) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(50))] == list(range(50))
    assert executor.stats().throttled >= 1
    assert executor.stats().errors == 0
    assert len(asked) == 51  # one of them twice
    assert Counter(asked)[asked[9]] == 2


@both
def test_with_a_rate_limit_a_request_is_a_call(kind: Any) -> None:
    now = [0.0]
    limit = RateLimit(1000, burst=1000, clock=lambda: now[0])
    asked: list[int] = []

    def fetch_one(task_id: int) -> int:
        asked.append(task_id)
        return task_id

    with polling(EachStatus(kind(fetch_one), resolve), rate_limit=limit) as executor:
        futures = executor.adopt_many(range(20))
        assert [future.result(PATIENCE) for future in futures] == list(range(20))
    assert executor.stats().calls == len(asked) == 20


@both
def test_what_the_functions_raise_fails_one_task(kind: Any) -> None:
    wrong, odd = SomeError("resolve"), SomeError("id")

    def fail_to_resolve(descriptor: Any, status: int) -> None:
        if status == 1:
            raise wrong
        descriptor.yield_result(status)

    def id_of(task: int) -> int:
        if task == 2:
            raise odd
        return task

    with polling(EachStatus(kind(lambda task_id: task_id), fail_to_resolve, id=id_of)) as executor:
        futures = executor.adopt_many(range(4))
        assert futures[1].exception(PATIENCE) is wrong
        assert futures[2].exception(PATIENCE) is odd
        assert [futures[0].result(PATIENCE), futures[3].result(PATIENCE)] == [0, 3]


def test_so_many_threads_ask_at_a_time() -> None:
    most = 8
    together = threading.Barrier(most)

    def fetch_one(task_id: int) -> int:
        together.wait(PATIENCE)
        return task_id

    with polling(EachStatus(fetch_one, resolve, max_concurrency=most)) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(5 * most))] == list(range(5 * most))


def test_so_many_coroutines_ask_at_a_time_and_no_more() -> None:
    most, under_way, highest = 8, 0, 0

    async def fetch_one(task_id: int) -> int:
        nonlocal under_way, highest
        under_way += 1
        highest = max(highest, under_way)
        for _ in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        return task_id

    with polling(EachStatus(fetch_one, resolve, max_concurrency=most)) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(1000))] == list(range(1000))
    assert highest == most


def test_a_request_that_takes_long_holds_up_nobody_and_counts_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("more_executors.status_poll._concurrent_requests.SECONDS_FOR_THE_LAST", 0.001)
    go: dict[int, asyncio.Event] = {}
    asked: Counter[int] = Counter()
    loops: list[asyncio.AbstractEventLoop] = []

    async def fetch_one(task_id: int) -> int | None:
        asked[task_id] += 1
        if task_id < 0:
            loops.append(asyncio.get_running_loop())
            await go.setdefault(task_id, asyncio.Event()).wait()
            if task_id == -2 and asked[-2] == 1:
                raise OSError("broken")
            return task_id
        return task_id if asked[task_id] == 3 else None

    with polling(EachStatus(fetch_one, resolve, max_concurrency=4), retry_policy=ALWAYS) as executor:
        slow = executor.adopt_many([-1, -2])
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(40))] == list(range(40))
        assert (asked[-1], asked[-2]) == (1, 1)  # although they were due again and again
        for number in (-1, -2):
            loops[0].call_soon_threadsafe(go[number].set)
        assert [future.result(PATIENCE) for future in slow] == [-1, -2]
    assert (asked[-1], asked[-2]) == (1, 2)  # that it had failed was noted, and it was asked about again


def test_a_request_that_takes_long_holds_up_nobody_if_it_is_all_of_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("more_executors.status_poll._concurrent_requests.SECONDS_FOR_THE_LAST", 0.001)

    async def fetch_one(task_id: int) -> int:
        if task_id < 0:
            await asyncio.Event().wait()
        return task_id

    with polling(EachStatus(fetch_one, resolve), max_concurrency=1) as executor:
        slow = executor.adopt(-1)
        while executor.stats().calls < 2:  # of which the second does nothing
            executor.notify()
            time.sleep(0.001)
        assert executor.adopt(1).result(PATIENCE) == 1
        assert slow.cancel()


def test_what_was_left_behind_and_ended_otherwise_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("more_executors.status_poll._concurrent_requests.SECONDS_FOR_THE_LAST", 0.001)
    go: list[Any] = []

    async def fetch_one(task_id: int) -> int:
        if task_id < 0:
            event = asyncio.Event()
            go.append((asyncio.get_running_loop(), event))
            await event.wait()
            raise OSError("too late")
        return task_id

    poll: Any = EachStatus(fetch_one, resolve, max_concurrency=4)
    with polling(poll) as executor:
        future = executor.adopt(-1)
        assert executor.adopt(1).result(PATIENCE) == 1
        future.cancel()
        ((loop, event),) = go
        loop.call_soon_threadsafe(event.set)
        assert executor.adopt(2).result(PATIENCE) == 2
    assert poll._left_behind._errors == {}


def test_requests_that_go_on_at_shutdown_are_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("more_executors.status_poll._concurrent_requests.SECONDS_FOR_THE_LAST", 0.001)
    ended: list[str] = []

    async def fetch_one(task_id: int) -> int:
        if task_id < 0:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")
        return task_id

    with polling(EachStatus(fetch_one, resolve)) as executor:
        future = executor.adopt(-1)
        assert executor.adopt(1).result(PATIENCE) == 1
        assert future.cancel()
    assert ended == ["cancelled"]


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError(), KeyboardInterrupt()])
def test_whatever_a_coroutine_raises_concerns_its_task(error: BaseException) -> None:
    async def fetch_one(task_id: int) -> int:
        if task_id == 3:
            raise error
        return task_id

    with polling(EachStatus(fetch_one, resolve)) as executor:
        futures = executor.adopt_many(range(6))
        assert futures[3].exception(PATIENCE) is error
        assert [futures[n].result(PATIENCE) for n in (0, 1, 2, 4, 5)] == [0, 1, 2, 4, 5]


def test_several_executors_may_have_the_same() -> None:
    poll = EachStatus(awaited(lambda task_id: task_id), resolve, max_concurrency=2)
    with polling(poll) as one, polling(poll) as other:
        futures = [executor.adopt(n) for n in range(50) for executor in (one, other)]
        assert [future.result(PATIENCE) for future in futures] == [n for n in range(50) for _ in range(2)]


@both
def test_it_may_be_called_with_whole_lists_and_with_none(kind: Any) -> None:
    poll: Any = EachStatus(kind(lambda task_id: task_id), resolve)
    called = poll([])
    if called is not None:
        asyncio.run(called)
    with PollExecutor(Executors.sync(), poll, default_interval=0.001) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(20))] == list(range(20))


def test_it_says_how_it_is_best_called() -> None:
    plain: Any = EachStatus(abs, resolve, max_concurrency=8)
    coroutines: Any = EachStatus(awaited(abs), resolve, max_concurrency=8)
    assert type(coroutines) is AsyncEachStatus
    assert plain.poll_options() == {"batch_size": 1, "max_concurrency": 8}
    assert coroutines.poll_options() == {"batch_size": 128, "max_concurrency": 2}
    assert coroutines.poll_options(is_limited=True) == {"batch_size": 1, "max_concurrency": 8}
    assert repr(plain) == f"<EachStatus of {abs!r}>"


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((5, resolve), {}, "fetch_one must be callable, not 5"),
        ((abs, None), {}, "resolve must be callable, not None"),
        ((abs, resolve), {"max_concurrency": 0}, "max_concurrency must be"),
        ((abs, resolve), {"missing_after": -1}, "missing_after must be"),
        ((abs, resolve), {"id": "x"}, "id must be callable, not 'x'"),
        ((abs, resolve), {"missing_error": 1}, "missing_error must be callable, not 1"),
        ((abs, resolve), {"clock": 1}, "clock must be callable"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments: Any, options: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        EachStatus(*arguments, **options)


def test_a_coroutine_that_blocks_the_loop_is_reported_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("more_executors._runtime.watched.SLOW_SECONDS", -1.0)  # then every step is slow
    monkeypatch.setattr("more_executors._runtime.watched.QUIET_SECONDS", 0.0)

    async def ask_slowly(task_id: int) -> int:
        return task_id

    logger = HeardLogger()
    with polling(EachStatus(ask_slowly, resolve), logger=logger) as executor:
        assert executor.adopt(1).result(PATIENCE) == 1
    assert any("ask_slowly blocked the event loop" in message for message in logger.of_level("WARNING"))
