"""What a signal handler raises in the main thread reaches the program, whatever function of the user's it hits."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import FrameType
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, InThread, ScriptedDelegate, SomeError, said

from more_executors import (
    Backoff,
    MapExecutor,
    PollExecutor,
    RetryExecutor,
    RetryPolicy,
    SyncExecutor,
    _core,
)
from more_executors.futures import f_and, f_apply, f_flat_map, f_map, f_or, f_return, f_return_error, f_sequence, f_zip


class Stop(BaseException):
    """What a signal handler of somebody's raises."""


kinds = pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, Stop])


def look_for_interrupts() -> None:
    """The interpreter looks for them here and there, at the latest when a loop goes round."""
    for _ in range(1000):
        pass


class Raising:
    """A function that raises `error`, whatever it gets."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error

    __bool__ = __call__


# Each yields what makes the main thread call a function of the user's that raises, and then looks at what came of it.

Steps = Iterator[Callable[[], object]]


def in_a_done_callback(raising: Raising) -> Steps:
    future: Future[Any] = _core.Future()
    calls: list[Future[Any]] = []
    future.add_done_callback(raising)
    future.add_done_callback(calls.append)
    yield lambda: future.set_result(1)
    assert calls == [future]
    assert future.result(0) == 1


def in_a_callback_of_a_done_future(raising: Raising) -> Steps:
    yield lambda: f_return(1).add_done_callback(raising)


def in_a_map_function(raising: Raising) -> Steps:
    source: Future[Any] = Future()
    future = f_map(source, raising)
    yield lambda: source.set_result(1)
    assert future.exception(0) is raising.error


def in_an_error_function(raising: Raising) -> Steps:
    source: Future[Any] = Future()
    future = f_map(source, None, raising)
    yield lambda: source.set_exception(SomeError())
    assert future.exception(0) is raising.error


def in_a_flat_map_function(raising: Raising) -> Steps:
    source: Future[Any] = Future()
    future = f_flat_map(source, raising)
    yield lambda: source.set_result(1)
    assert future.exception(0) is raising.error


def in_the_function_of_a_map_executor(raising: Raising) -> Steps:
    futures: list[Future[Any]] = []
    with MapExecutor(SyncExecutor(), raising) as executor:
        yield lambda: futures.append(executor.submit(int))
        assert [future.exception(0) for future in futures] in ([], [raising.error])  # it may come before the append


def in_an_applied_function(raising: Raising) -> Steps:
    source: Future[Any] = Future()
    future = f_apply(source, f_return())
    yield lambda: source.set_result(raising)
    assert future.exception(0) is raising.error


def in_the_truth_of_a_result_that_may_decide(raising: Raising) -> Steps:
    source: Future[Any] = Future()
    future = f_or(source, f_return_error(SomeError()), other := Future())
    yield lambda: source.set_result(raising)
    other.set_result(2)
    assert future.result(0) == 2


def in_the_truth_of_a_result_that_decides(raising: Raising) -> Steps:
    source: Future[Any] = Future()
    future = f_and(source, other := Future())
    yield lambda: source.set_result(raising)
    assert future.exception(0) is raising.error
    assert other.cancelled()


def in_the_cancel_of_an_input(raising: Raising) -> Steps:
    class Input(Future[Any]):
        cancel = raising  # type: ignore[assignment]

    inputs: list[Future[Any]] = [Future(), Input(), Future()]
    future = f_sequence(inputs)
    yield future.cancel
    assert [source.cancelled() for source in inputs] == [True, False, True]


def in_what_says_how_a_foreign_future_ended(raising: Raising) -> Steps:
    class Input(Future[Any]):
        exception = raising  # type: ignore[assignment]

    source = Input()
    future = f_zip(source)
    yield lambda: source.set_result(1)
    assert future.exception(0) is raising.error


def in_what_a_thread_waits_with(raising: Raising) -> Steps:
    class Watcher:
        add_result = raising

    future: Any = _core.Future()
    future._waiters.append(Watcher())
    yield lambda: future.set_result(1)
    assert future.result(0) == 1


def in_what_groups_tasks(raising: Raising) -> Steps:
    delegate = ScriptedDelegate()
    with PollExecutor(delegate, len, group_by=raising) as executor:
        future = executor.submit(int)
        yield lambda: delegate.given[0].set_result(1)
        assert future.exception(0) is raising.error


def in_a_schedule(raising: Raising) -> Steps:
    class Schedule(Backoff):
        def delay(self, polls: int) -> float:
            return raising() if again else 1000.0

    def poll(descriptors: list[Any]) -> None:
        polled.set_result(descriptors[0])

    again: list[bool] = []
    polled: Future[Any] = Future()
    with PollExecutor(SyncExecutor(), poll, schedule=Schedule(1.0), logger=HeardLogger()) as executor:
        future = executor.submit(int)
        descriptor = polled.result(PATIENCE)
        again.append(True)
        yield descriptor.restart_backoff
        assert future.cancel()


def retried(policy: RetryPolicy, logger: HeardLogger) -> Steps:
    delegate = ScriptedDelegate()
    with RetryExecutor(delegate, policy, logger=logger) as executor:
        future = executor.submit(int)
        while not (delegate.given and delegate.given[0]._done_callbacks):  # type: ignore[attr-defined]
            InThread(int).outcome()  # until the executor's thread listens to the attempt
        yield lambda: delegate.given[0].set_result(1)
        assert future.result(0) == 1


def in_a_retry_policy(raising: Raising) -> Steps:
    class Policy(RetryPolicy):
        should_retry = raising  # type: ignore[assignment]

    yield from retried(Policy(), HeardLogger())


def in_a_logger(raising: Raising) -> Steps:
    class Policy(RetryPolicy):
        should_retry = Raising(SomeError())  # type: ignore[assignment]

    yield from retried(Policy(), HeardLogger(raising=raising.error))


def in_what_wakes_an_event_loop(raising: Raising) -> Steps:
    loop = asyncio.new_event_loop()
    source: Future[Any] = _core.Future()
    target = loop.create_future()
    _core.LoopBridge(loop).connect(source, target)
    loop.call_soon_threadsafe = raising  # type: ignore[method-assign]
    yield lambda: source.set_result(1)
    assert not target.done()
    loop.close()


places = pytest.mark.parametrize("place", [value for name, value in list(globals().items()) if name.startswith("in_")])


def run(step: Callable[[], object]) -> None:
    step()
    look_for_interrupts()


@kinds
@places
def test_it_is_raised_in_the_main_thread_and_all_is_done_that_was_to_be_done(
    place: Callable[[Raising], Steps], kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    error = kind(3)
    steps = place(Raising(error))
    with pytest.raises(kind) as caught:
        run(next(steps))
    assert caught.value is error
    assert not list(steps)
    look_for_interrupts()  # once is enough
    caplog.clear()
    error.__traceback__ = None  # without a GIL, 3.13 keeps the namespaces of class bodies, and what they lead to


@places
def test_on_another_thread_it_stays_there(
    place: Callable[[Raising], Steps], caplog: pytest.LogCaptureFixture, nothing_left_behind: list[BaseException | None]
) -> None:
    error = Stop()
    steps = place(Raising(error))
    InThread(run, next(steps)).outcome()
    look_for_interrupts()
    assert not list(steps)
    if place is in_a_logger:
        assert nothing_left_behind == [error]
        nothing_left_behind.clear()
    error.__traceback__ = None
    caplog.clear()


@pytest.mark.parametrize("kind", [SomeError, asyncio.CancelledError, GeneratorExit])
def test_what_is_no_interrupt_is_not_raised_again(kind: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    steps = in_a_map_function(Raising(kind()))
    run(next(steps))
    assert not list(steps)
    caplog.clear()


def test_a_signal_handler_that_ends_the_program_does_so_in_a_callback_too(caplog: pytest.LogCaptureFixture) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    def callback(future: Future[Any]) -> None:
        signal.raise_signal(signal.SIGTERM)
        look_for_interrupts()
        went_on.append(future)

    went_on: list[Future[Any]] = []
    before = signal.signal(signal.SIGTERM, end)
    future: Future[Any] = _core.Future()
    future.add_done_callback(callback)
    try:
        with pytest.raises(SystemExit) as caught:
            run(lambda: future.set_result(1))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.code == 128 + signal.SIGTERM
    assert not went_on
    caplog.clear()


def test_it_disturbs_no_other_function_that_is_called_for_the_same_reason(caplog: pytest.LogCaptureFixture) -> None:
    def look(future: Future[Any]) -> None:
        look_for_interrupts()
        inner: Future[Any] = _core.Future()
        inner.add_done_callback(lambda _: look_for_interrupts())
        inner.add_done_callback(looked.append)
        inner.set_result(future)
        look_for_interrupts()
        looked.append(future)

    looked: list[Future[Any]] = []
    future: Future[Any] = _core.Future()
    future.add_done_callback(look)
    future.add_done_callback(Raising(Stop()))
    for _ in range(10):
        future.add_done_callback(look)
    with pytest.raises(Stop):
        run(lambda: future.set_result(1))
    assert len(looked) == 22
    assert len(caplog.records) == 1
    caplog.clear()


def test_of_two_each_is_raised_the_first_first(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Stop(1), Stop(2)
    future: Future[Any] = _core.Future()
    future.add_done_callback(Raising(first))
    future.add_done_callback(Raising(second))

    def finish() -> None:
        try:
            run(lambda: future.set_result(1))
        finally:
            look_for_interrupts()

    with pytest.raises(Stop) as caught:
        finish()
    assert caught.value is second
    assert caught.value.__context__ is first
    look_for_interrupts()
    caplog.clear()


def test_one_that_goes_through_several_functions_is_raised_once(caplog: pytest.LogCaptureFixture) -> None:
    def settled() -> object:
        inner: Future[Any] = _core.Future()
        inner.add_done_callback(Raising(error))
        inner.set_result(1)
        raise error

    error = Stop()
    future = f_map(source := Future(), lambda _: settled())
    with pytest.raises(Stop):
        run(lambda: source.set_result(1))
    look_for_interrupts()
    assert said(future, 0) is Stop
    caplog.clear()
