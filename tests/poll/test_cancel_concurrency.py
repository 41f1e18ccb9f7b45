"""Many cancels: at most `max_concurrency` of them go on at a time, and whatever comes between, each is answered."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from itertools import count
from math import inf
from typing import Any

import pytest
from async_support import AsyncStepped
from support import PATIENCE, HeardLogger, InThread, Parking, SomeError, all_at_once, is_gone, said

from more_executors import Executors, PollExecutor, SyncExecutor, _core
from more_executors._runtime import watched
from more_executors.poll import _cancel_runs
from more_executors.rate_limit import RateLimit

NEVER = 3600.0
AT_ONCE = 5


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SLOW_SECONDS", inf)


def clock_in_steps_of(seconds: int) -> Callable[[], float]:
    """A clock that is later by `seconds` each time that this thread asks it; for others it stands at the beginning."""
    times = count(0, seconds)
    thread = threading.get_ident()

    def now() -> float:
        return float(next(times)) if threading.get_ident() == thread else 0.0

    return now


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


class Service:
    """Cancels what it is asked to, in calls that end when `AT_ONCE` of them go on, or the last have come.

    `most` is how many went on at a time; `asked` has all that was asked about.
    """

    def __init__(self, calls: int) -> None:
        self.most = 0
        self.asked: list[Any] = []
        self._calls = calls
        self._begun = 0
        self._going_on = 0
        self._changed = threading.Condition()

    def _begin(self, results: list[Any]) -> int:
        with self._changed:
            self.asked += results
            self._begun += 1
            self._going_on += 1
            self.most = max(self.most, self._going_on)
            self._changed.notify_all()
            return self._begun

    def _is_full(self, number: int) -> bool:
        """Whether as many calls have begun as can be while call `number` goes on."""
        rest = number - (number - 1) % AT_ONCE + AT_ONCE - 1
        return self._begun >= min(rest, self._calls)

    def _end(self) -> None:
        with self._changed:
            self._going_on -= 1

    def one(self, result: Any) -> bool:
        return self.many([result])[0]

    def many(self, results: list[Any]) -> list[bool]:
        number = self._begin(results)
        with self._changed:
            assert self._changed.wait_for(lambda: self._is_full(number), PATIENCE), "not so many at a time"
        self._end()
        return [True for _ in results]

    async def one_async(self, result: Any) -> bool:
        return (await self.many_async([result]))[0]

    async def many_async(self, results: list[Any]) -> list[bool]:
        number = self._begin(results)
        while not self._is_full(number):
            await asyncio.sleep(0)
        self._end()
        return [True for _ in results]


FUNCTIONS: dict[str, Callable[[Service], dict[str, Any]]] = {
    "one": lambda service: {"cancel_fn": service.one},
    "many": lambda service: {"cancel_many_fn": service.many, "batch_size": 10},
    "one async": lambda service: {"cancel_fn": service.one_async},
    "many async": lambda service: {"cancel_many_fn": service.many_async, "batch_size": 10},
}
every_function = pytest.mark.parametrize("function", FUNCTIONS)
every_limit = pytest.mark.parametrize("limit", [None, RateLimit(1e6, burst=1000)], ids=["", "limited"])


def cancel_all(executor: PollExecutor[Any, Any], futures: list[Future[Any]]) -> None:
    with executor:
        assert executor.cancel_all() == len(futures)


def cancel_many(executor: PollExecutor[Any, Any], futures: list[Future[Any]]) -> None:
    with executor:
        assert executor.cancel_many(futures) == len(futures)


def shut_down(executor: PollExecutor[Any, Any], futures: list[Future[Any]]) -> None:
    executor.shutdown(cancel_futures=True)


def cancel_on_shutdown(executor: PollExecutor[Any, Any], futures: list[Future[Any]]) -> None:
    above = executor.with_map(str).with_cancel_on_shutdown()
    mapped = [above.submit(str, n) for n in range(len(futures))]
    for future in futures:
        future.set_result(None)
    above.shutdown()
    assert all(future.cancelled() for future in mapped)


HOW = {"all": cancel_all, "some": cancel_many, "shutdown": shut_down, "on shutdown": cancel_on_shutdown}


@every_function
@every_limit
@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_so_many_go_on_at_a_time_and_no_more(function: str, limit: Any, how: Callable[..., None]) -> None:
    service = Service(calls=3 if "many" in function else 23)
    options = FUNCTIONS[function](service) | {"rate_limit": limit, "max_concurrency": AT_ONCE}
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, **options)
    futures = executor.adopt_many(range(23))
    how(executor, futures)
    assert all(future.done() for future in futures)
    assert sorted(service.asked, key=int) == [str(n) if how is cancel_on_shutdown else n for n in range(23)]
    assert service.most == (3 if "many" in function else AT_ONCE)


@every_function
@every_limit
def test_tasks_that_are_too_late_are_cancelled_so_many_at_a_time(function: str, limit: Any) -> None:
    service = Service(calls=3 if "many" in function else 23)
    options = FUNCTIONS[function](service) | {"rate_limit": limit, "max_concurrency": AT_ONCE}
    joined = Parking()

    def poll(descriptors: list[Any]) -> float:
        joined()
        return NEVER

    # All deadlines have passed by the time that the executor looks.
    executor = PollExecutor(SyncExecutor(), poll, min_interval=0.0, **options)
    table = executor._poll_table
    first = executor.adopt("first")
    joined.wait_for_one()
    futures = executor.adopt_many(range(23), timeout=0)
    joined.let_go()
    first.set_result(None)
    table.waker.set()
    executor.shutdown()
    assert {said(future, 0) for future in futures} == {TimeoutError}
    assert sorted(service.asked) == list(range(23))
    assert service.most <= AT_ONCE


@pytest.mark.parametrize("most", [1, 16])
@pytest.mark.parametrize("is_async", [True, False], ids=["async poll", "poll"])
@pytest.mark.parametrize("kind", ["one", "many"])
def test_late_tasks_are_cancelled_by_an_async_function_before_the_loop_ends(
    most: int, is_async: bool, kind: str
) -> None:
    asked: list[Any] = []

    async def poll(descriptors: list[Any]) -> float:
        return NEVER

    async def cancel(result: Any) -> bool:
        await asyncio.sleep(0.001)
        asked.append(result)
        return True

    async def cancel_many(results: list[Any]) -> list[bool]:
        await asyncio.sleep(0.001)
        asked.extend(results)
        return [True for _ in results]

    logger = HeardLogger()
    options: dict[str, Any] = {"cancel_fn": cancel} if kind == "one" else {"cancel_many_fn": cancel_many}
    options |= {"timeout": 0.01, "max_concurrency": most, "batch_size": 10, "logger": logger}
    with Executors.sync().with_poll(poll if is_async else wait_for_nothing, **options) as executor:
        wait(executor.adopt_many(range(100)))
    assert sorted(asked) == list(range(100))
    assert not logger.lines


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_late_tasks_are_cancelled_although_nobody_refers_to_the_executor(most: int, is_async: bool) -> None:
    asked: list[Any] = []
    begin, done = threading.Event(), threading.Event()

    def cancel(result: Any) -> bool:
        assert begin.wait(PATIENCE)
        asked.append(result)
        if len(asked) == 20:
            done.set()
        return True

    async def cancel_async(result: Any) -> bool:
        return cancel(result)

    function = cancel_async if is_async else cancel
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, function, max_concurrency=most)
    futures = executor.adopt_many(range(20), timeout=0)
    wait(futures)
    gone = weakref.ref(executor)
    del executor, futures
    gc.collect()
    begin.set()
    assert done.wait(PATIENCE)
    assert sorted(asked) == list(range(20))
    assert is_gone(gone)


# -- who else has a say --------------------------------------------------------------------------------------------


@pytest.fixture
def three() -> Any:
    return lambda **options: PollExecutor(SyncExecutor(), wait_for_nothing, max_concurrency=3, **options)


def test_the_function_may_try_to_cancel_others_of_the_same(three: Any) -> None:
    futures: list[Any] = []

    def cancel(result: Any) -> bool:
        for other in futures:
            other.cancel()  # yes if it is cancelled by now, else no: another call is finding out
        return True

    with three(cancel_fn=cancel) as executor:
        futures += executor.adopt_many(range(20))
        assert InThread(executor.cancel_all).outcome() == 20


def test_a_callback_may_cancel_others_of_the_same(three: Any) -> None:
    with three(cancel_fn=lambda result: True) as executor:
        futures = executor.adopt_many(range(20))
        for future in futures:
            future.add_done_callback(lambda _: [other.cancel() for other in futures])
        assert InThread(executor.cancel_all).outcome() == 20


def test_a_callback_may_cancel_all(three: Any) -> None:
    with three(cancel_fn=lambda result: True) as executor:
        futures = executor.adopt_many(range(20))
        for future in futures:
            future.add_done_callback(lambda _: executor.cancel_all())
        assert InThread(executor.cancel_all).outcome() == 20


def test_the_function_may_shut_the_executor_down(three: Any) -> None:
    with three(cancel_fn=lambda result: executor.shutdown(cancel_futures=True) is None) as executor:
        futures = executor.adopt_many(range(20))
        assert InThread(executor.cancel_all).outcome() == 20
        assert all(future.cancelled() for future in futures)


def test_several_may_cancel_at_a_time_and_each_task_is_asked_about_once(three: Any) -> None:
    asked: list[Any] = []
    executor = three(cancel_fn=lambda result: asked.append(result) is None)
    futures = executor.adopt_many(range(300))
    all_at_once(executor.cancel_all, lambda: executor.cancel_many(futures), executor.shutdown, executor.cancel_all)
    assert sorted(asked) == list(range(300))
    assert all(future.cancelled() for future in futures)


def test_an_answer_counts_when_it_comes(three: Any) -> None:
    slow = Parking(True)
    executor = three(cancel_fn=lambda result: slow() if result == 0 else True)
    with executor:
        futures = executor.adopt_many(range(10))
        cancelling = InThread(executor.cancel_all)
        slow.wait_for_one()
        wait(futures[1:])
        assert all(future.cancelled() for future in futures[1:])
        assert not futures[0].done()
        slow.let_go()
        assert cancelling.outcome() == 10


@pytest.mark.parametrize("error", [SomeError(), SystemExit()], ids=repr)
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_what_it_raises_is_logged_and_changes_nothing_for_the_others(
    three: Any, error: BaseException, is_async: bool
) -> None:
    def cancel(result: Any) -> bool:
        if result == 3:
            raise error
        return True

    async def cancel_async(result: Any) -> bool:
        return cancel(result)

    logger = HeardLogger()
    with three(cancel_fn=cancel_async if is_async else cancel, logger=logger) as executor:
        futures = executor.adopt_many(range(10))
        assert executor.cancel_all() == 9
        ((level, message, logged),) = logger.lines
        assert (level, logged) == ("ERROR", error)
        assert message.startswith("Exception during cancel on <Future")
        assert message.endswith("/3")
        futures[3].set_result(None)
    error.__traceback__ = None


def test_without_threads_it_is_done_here(three: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threads: set[threading.Thread] = set()
    with three(cancel_fn=lambda result: threads.add(threading.current_thread()) is None) as executor:
        executor.adopt_many(range(10))
        with monkeypatch.context() as patches:
            patches.setattr(threading.Thread, "start", refuse)
            assert executor.cancel_all() == 10
    assert threads == {threading.current_thread()}


# -- some ----------------------------------------------------------------------------------------------------------


def test_some_are_cancelled_and_the_others_go_on() -> None:
    requests: list[list[Any]] = []

    def cancel(results: list[Any]) -> list[bool]:
        requests.append(results)
        return [result != 2 for result in results]

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=cancel) as executor:
        futures = executor.adopt_many(range(6))
        futures[4].set_result("done")
        above = executor.with_map(str)
        mapped = above.submit(int, "6")
        assert executor.cancel_many(iter([futures[0], futures[2], futures[4], futures[0], mapped])) == 3
        assert requests == [[0, 2, 6]]
        assert [future.cancelled() for future in futures] == [True, False, False, False, False, False]
        assert mapped.cancelled()
        assert executor.cancel_many([]) == 0
        assert executor.cancel_many(f for f in futures if f.done()) == 1
        for future in futures:
            if not future.done():
                future.set_result(None)


@pytest.mark.parametrize("wrong", [None, 5, "job", [1], ["job"], [None]], ids=repr)
def test_what_is_no_iterable_of_futures_is_refused_and_none_is_cancelled(wrong: Any) -> None:
    with PollExecutor(SyncExecutor(), wait_for_nothing) as executor:
        future = executor.adopt("key")
        some = [future, *wrong] if isinstance(wrong, list) else wrong
        with pytest.raises(TypeError, match=r"^futures must be ") as raised:
            executor.cancel_many(some)
        assert repr(wrong[0] if isinstance(wrong, list) else wrong) in str(raised.value)
        with pytest.raises(TypeError, match=r"^futures must be an iterable of futures, not <Future"):
            executor.cancel_many(future)  # type: ignore[arg-type]
        assert not future.done()
        future.cancel()


# -- while it goes on ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "kind"), [(3, "one"), (1, "many"), (3, "many")])
def test_how_far_it_is_is_logged_now_and_then(most: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Parking(True)

    def cancel(result: Any) -> bool:
        if logger.lines:
            slow.let_go()
        if most == 3 and result == 9:
            slow()
        return True

    def cancel_many(results: list[Any]) -> list[bool]:
        return [cancel(result) for result in results]

    monkeypatch.setattr(_cancel_runs, "monotonic", clock_in_steps_of(11))
    monkeypatch.setattr(_cancel_runs, "SECONDS_BETWEEN_REPORTS", 0.0)
    logger = HeardLogger()
    options: dict[str, Any] = {"cancel_fn": cancel} if kind == "one" else {"cancel_many_fn": cancel_many}
    with PollExecutor(
        SyncExecutor(), wait_for_nothing, batch_size=2, max_concurrency=most, logger=logger, **options
    ) as executor:
        executor.adopt_many(range(10))
        cancelling = InThread(executor.cancel_all)
        while not logger.lines:
            threading.Event().wait(0.001)
        slow.let_go()
        assert cancelling.outcome() == 10
    assert logger.lines[0][:2][0] == "WARNING"
    assert logger.lines[0][1].startswith("still cancelling: ")
    assert logger.lines[0][1].endswith(" of 10 tasks")


def test_how_far_it_is_is_logged_where_futures_are_cancelled_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = HeardLogger()
    with PollExecutor(SyncExecutor(), wait_for_nothing, lambda result: True, logger=logger) as executor:
        executor.adopt_many(range(100))
        with monkeypatch.context() as patches:
            patches.setattr(_core, "monotonic", clock_in_steps_of(6))
            assert executor.cancel_all() == 100
    assert ("WARNING", "still cancelling: 32 of 100 futures", None) in logger.lines


def interrupted_cancel(executor: Any, how: str) -> tuple[KeyboardInterrupt, str]:
    """The Ctrl-C that comes out, as it would be printed, where another one has begun the cancelling."""
    try:
        try:
            raise KeyboardInterrupt("the first")
        except KeyboardInterrupt:
            executor.cancel_all() if how == "cancel_all" else executor.shutdown(cancel_futures=True)
    except KeyboardInterrupt as second:
        text = "".join(traceback.format_exception(type(second), second, second.__traceback__))
        second.__traceback__ = second.__context__ = None
        return second, text
    raise AssertionError("no interrupt")


@pytest.mark.parametrize("how", ["cancel_all", "shutdown"])
def test_a_ctrl_c_ends_the_waiting_what_was_asked_is_seen_through_and_the_rest_not_asked(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def set(self) -> None:
            pass

        def wait(self, timeout: float | None = None) -> None:
            for _ in range(3):
                slow.wait_for_one()
            raise KeyboardInterrupt("the second")

    slow, logger = Parking(True), HeardLogger()
    monkeypatch.setattr(_cancel_runs, "Waker", Interrupted)
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, slow, max_concurrency=3, logger=logger)
    futures = executor.adopt_many(range(100))
    error, text = interrupted_cancel(executor, how)
    assert error.args == ("the second",)
    assert logger.lines == [("WARNING", "interrupted while cancelling: 100 of 100 are not done", None)]
    assert "_core" not in text
    assert "the first" not in text
    assert text.count("Traceback") == 1
    sharing = InThread(futures[0].cancel)
    slow.let_go()
    assert sharing.outcome() is True
    wait(futures[:3])
    assert [future.cancelled() for future in futures] == [True] * 3 + [False] * 97
    assert len(slow.calls) == 3
    monkeypatch.undo()
    assert futures[50].cancel() is True
    for future in futures:
        if not future.done():
            future.set_result(None)
    executor.shutdown()


@pytest.mark.parametrize("kind", ["one", "many"])
def test_a_ctrl_c_in_the_function_comes_out_without_what_it_went_through(kind: str) -> None:
    def cancel(result: Any) -> bool:
        if result == 5:
            raise KeyboardInterrupt("the second")
        return True

    def cancel_many(results: list[Any]) -> list[bool]:
        return [cancel(result) for result in results]

    logger = HeardLogger()
    options: dict[str, Any] = {"cancel_fn": cancel} if kind == "one" else {"cancel_many_fn": cancel_many}
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, batch_size=1, logger=logger, **options)
    futures = executor.adopt_many(range(10))
    _, text = interrupted_cancel(executor, "shutdown")
    assert logger.lines == [("WARNING", "interrupted while cancelling: 5 of 10 are not done", None)]
    assert "_core" not in text
    assert "the first" not in text
    assert [future.cancelled() for future in futures] == [True] * 5 + [False] * 5
    for future in futures[5:]:
        future.set_result(None)
    executor.shutdown()


def test_the_core_answers_no_for_what_nobody_has_taken() -> None:
    def ask(bulk: _core.BulkCancel) -> None:
        assert len(bulk) == 10
        assert bulk.take(3) == (0, [0, 1, 2])
        assert bulk.take(1) == (3, [3])
        assert bulk.asked == 4
        bulk.answer(0, 3, [True, False, True])
        kept.append(bulk)

    kept: list[Any] = []
    table = _core.FullListTable(HeardLogger(), lambda result: True, ask)
    futures: list[Any] = [table.adopt(table, n) for n in range(10)]
    assert _core.cancel_many(futures) == 2
    (bulk,) = kept
    assert bulk.take(5) is None
    assert not futures[3].done()
    bulk.answer(3, 1, [True])
    assert [future.cancelled() for future in futures] == [n in (0, 2, 3) for n in range(10)]
    assert futures[9].cancel() is True
    table.cancel_all()
    with pytest.raises(TypeError, match="made by cancel_many"):
        _core.BulkCancel()
    kept.clear()


def test_of_several_who_cancel_many_on_the_loop_at_once_no_more_go_on_than_one_may() -> None:
    stepped = AsyncStepped()
    with PollExecutor(SyncExecutor(), wait_for_nothing, stepped, max_concurrency=2) as executor:
        futures = executor.adopt_many(range(8))
        cancelling = [InThread(executor.cancel_many, futures[start::2]) for start in (0, 1)]
        for _ in range(4):
            calls = [stepped.next(), stepped.next()]
            for _ in range(10):
                executor._engine.loop.wait_for(partial(asyncio.sleep, 0))
            assert stepped.unasked() == 0
            for call in calls:
                call.end(True)
        assert [thread.outcome() for thread in cancelling] == [4, 4]


def test_functions_that_cancel_may_cancel_others_on_all_threads_at_once() -> None:
    together = threading.Barrier(2)

    def cancel(result: Any) -> bool:
        if result < 2:
            together.wait(PATIENCE)
            return executor.cancel_many(others[result::2]) == 5
        return True

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, max_concurrency=2) as executor:
        futures, others = executor.adopt_many(range(2)), executor.adopt_many(range(2, 12))
        assert InThread(executor.cancel_many, futures).outcome() == 2
        assert all(future.cancelled() for future in others)
