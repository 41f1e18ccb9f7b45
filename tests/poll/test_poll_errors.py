"""Poll functions and loggers that raise: whom it concerns, and that polling goes on."""

from __future__ import annotations

import asyncio
import concurrent.futures
import weakref
from math import inf, nan
from typing import Any

import pytest
from paced_support import new_table
from support import (
    FOREVER,
    PATIENCE,
    DuckDelegate,
    HeardLogger,
    Parking,
    PollSleeps,
    RecordingPoll,
    SteppedPoll,
    is_gone,
    listening_to,
    returning,
)

from more_executors import Executors, PollExecutor, SyncExecutor, _core
from more_executors._core import FullListScheduler, Pause
from more_executors.poll._bursts import Bursts


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> PollSleeps:
    return PollSleeps(monkeypatch)


class OwnBaseException(BaseException):
    pass


@pytest.mark.parametrize(
    "kind",
    [
        ValueError,
        SystemExit,
        KeyboardInterrupt,
        GeneratorExit,
        StopIteration,
        asyncio.CancelledError,
        concurrent.futures.CancelledError,
        OwnBaseException,
    ],
)
def test_a_poll_function_that_raises_fails_the_futures_of_that_call_and_polling_goes_on(
    sleeps: PollSleeps, kind: type[BaseException]
) -> None:
    poll, logger, delegate, error = SteppedPoll(), HeardLogger(), DuckDelegate(), kind("of the poll")
    with PollExecutor(delegate, poll, default_interval=7.0, logger=logger) as executor:
        poll.next().end()
        assert sleeps.next() == FOREVER
        futures = [executor.submit(int) for _ in range(4)]
        delegate.given[0].end("a")
        call = poll.next()
        delegate.given[1].end("joins meanwhile")
        call.end()
        assert sleeps.next() == FOREVER
        call = poll.next()
        assert [d.result for d in call.descriptors] == ["a", "joins meanwhile"]
        call.descriptors[0].yield_result("resolved")
        delegate.given[2].end("later")
        call.descriptors.clear()  # what counts is the list as it was
        call.end(raising=error)
        assert sleeps.next() == 7.0
        assert futures[0].result(0) == "resolved"
        assert futures[1].exception(0) is error
        assert not futures[1].cancelled()
        assert not futures[2].done(), "it joined after the call began"
        assert not futures[3].done(), "it is with the delegate"
        call = poll.next()
        assert [d.result for d in call.descriptors] == ["later"]
        call.descriptors[0].yield_result("resolved later")
        call.end()
        assert futures[2].result(0) == "resolved later"
        delegate.given[3].end(error=ValueError())
    if not isinstance(error, Exception):
        assert [line[2] for line in logger.lines if line[0] == "ERROR"] == [error]


def test_the_traceback_of_a_poll_functions_error_begins_there_and_keeps_no_executor() -> None:
    def poll_fn(descriptors: list[Any]) -> None:
        keys = [d.result for d in descriptors]
        del descriptors
        if keys:
            raise ValueError(keys)

    executor = PollExecutor(DuckDelegate(), poll_fn, logger=HeardLogger())
    future, pending = executor.submit(int), executor.submit(int)
    delegate = executor._delegate
    delegate.given[0].end("a")  # type: ignore[attr-defined]
    error = future.exception(PATIENCE)
    assert error is not None
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_frame.f_code is poll_fn.__code__
    gone = weakref.ref(executor)
    del executor, delegate, pending
    assert is_gone(gone)


def test_a_future_that_failed_in_its_delegate_keeps_no_executor() -> None:
    def fail() -> None:
        raise ValueError

    executor = PollExecutor(Executors.thread_pool(1), returning())
    future = executor.submit(fail)
    assert type(future.exception(PATIENCE)) is ValueError
    gone = weakref.ref(executor)
    executor.shutdown()
    del executor
    assert is_gone(gone)


@pytest.mark.parametrize(
    ("setting", "debugging"), [("1", True), ("0", False), ("", False), ("true", False), (None, False)]
)
def test_debug_records_are_made_only_if_the_environment_says_so(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, debugging: bool
) -> None:
    if setting is None:
        monkeypatch.delenv("MORE_EXECUTORS_DEBUG", raising=False)
    else:
        monkeypatch.setenv("MORE_EXECUTORS_DEBUG", setting)
    poll, logger = RecordingPoll(), HeardLogger()
    with PollExecutor(SyncExecutor(), poll, logger=logger) as executor:
        future = executor.submit(int)
        poll.next_of(1)[0].yield_result()
        assert future.done()
    assert bool(logger.of_level("DEBUG")) == debugging
    assert len(logger.of_level("DEBUG")) == len(logger.lines)


def test_the_default_logger_is_called_after_the_class(sleeps: PollSleeps) -> None:
    with listening_to("PollExecutor") as heard:
        with PollExecutor(SyncExecutor(), returning(nan)):
            assert sleeps.next() == 5.0
    assert [level for level, _, _ in heard.lines] == ["WARNING"]


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
@pytest.mark.parametrize("fallback_fails", [False, True])
def test_a_logger_that_raises_does_not_stop_polling_nor_lose_a_future(
    monkeypatch: pytest.MonkeyPatch,
    sleeps: PollSleeps,
    nothing_left_behind: list[BaseException | None],
    kind: type[BaseException],
    fallback_fails: bool,
) -> None:
    monkeypatch.setenv("MORE_EXECUTORS_DEBUG", "1")
    error = kind("of the logger")
    poll, logger = SteppedPoll(), HeardLogger(raising=error)
    failures = [ValueError("of the poll"), SystemExit("of the poll")]
    with listening_to("more_executors", raising=error if fallback_fails else None):
        with PollExecutor(SyncExecutor(), poll, None, 7.0, logger) as executor:
            poll.next().end(nan)
            assert sleeps.next() == 7.0
            for failure in failures:
                future = executor.submit(int)
                poll.next().end(raising=failure)
                assert sleeps.next() == 7.0
                assert future.exception(PATIENCE) is failure
    assert {level for level, _, _ in logger.lines} == {"DEBUG", "WARNING", "ERROR"}
    nothing_left_behind.clear()


def test_a_round_that_could_not_be_begun_is_begun_anew() -> None:
    """Whatever was in it: of no task is it known when it is due."""
    over = Parking(inf)
    over.let_go()

    class Calls(_core.PollCall):
        last_ended = -inf

        def _over(self, *of_a_call: Any) -> float:
            return over(*of_a_call)  # type: ignore[no-any-return]

        def _broken(self, tasks: list[Any]) -> None: ...

    table: Any = new_table(_core.FullListTable)
    calls: Any = Calls(lambda descriptors: None, table)
    rounds = FullListScheduler(table, calls, Pause(), Bursts(table, calls, 0.0), default_interval=inf, min_interval=0.0)
    assert rounds.turn() == inf
    table.request_poll_all()
    over.raising = MemoryError()
    for _ in range(2):
        with pytest.raises(MemoryError):
            rounds.turn()
    over.raising = None
    for _ in range(2):
        assert rounds.turn() == inf
        assert len(over.calls) == 4
