"""What every executor does, for one of each kind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from math import inf
from typing import Any, cast
from unittest import mock

import pytest
from retry_support import WatchedDelegate
from support import (
    PATIENCE,
    DuckFuture,
    SomeError,
    Thing,
    assert_ends,
    listening_to,
    said,
    without_collector,
)

import more_executors
from more_executors import Executors, RetryPolicy, SyncExecutor


def resolve(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
    return inf


# Each leaves results and errors as they are.
MAKERS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "PollExecutor": ("with_poll", (resolve,), {}),
    "RetryExecutor": ("with_retry", (RetryPolicy(),), {}),
    "MapExecutor": ("with_map", (), {}),
    "FlatMapExecutor": ("with_flat_map", (), {}),
    "ThrottleExecutor": ("with_throttle", (4,), {}),
    "TimeoutExecutor": ("with_timeout", (1000,), {}),
    "CancelOnShutdownExecutor": ("with_cancel_on_shutdown", (), {}),
}
EVERY = pytest.mark.parametrize("kind", MAKERS)
WITH_THREAD = ("PollExecutor", "RetryExecutor", "ThrottleExecutor", "TimeoutExecutor")


def make(kind: str, delegate: Any = None, cls: Any = None, **keywords: Any) -> Any:
    _, args, usual = MAKERS[kind]
    cls = cls or getattr(more_executors, kind)
    return cls(SyncExecutor() if delegate is None else delegate, *args, **usual, **keywords)


def fail(error: BaseException) -> Any:
    raise error


# -- submit, map, shutdown ----------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("name", ["self", "fn", "args", "kwargs", "executor", "delegate", "retry_policy", "timeout"])
def test_every_keyword_gets_to_the_callable(kind: str, name: str) -> None:
    with make(kind) as executor:
        assert executor.submit(dict, **{name: 1}).result(PATIENCE) == {name: 1}


@EVERY
def test_results_and_errors_are_the_same_objects(kind: str) -> None:
    result, error = Thing(), SomeError()
    with make(kind) as executor:
        assert executor.submit(lambda: result).result(PATIENCE) is result
        assert executor.submit(fail, error).exception(PATIENCE) is error
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_frame.f_code is fail.__code__
    assert error.__traceback__.tb_next is None


@EVERY
def test_submit_without_a_callable_raises_a_type_error(kind: str) -> None:
    with make(kind) as executor, pytest.raises(TypeError):
        executor.submit()


@EVERY
def test_map_is_that_of_concurrent_futures(kind: str) -> None:
    with make(kind, Executors.thread_pool(2)) as executor:
        assert list(executor.map(pow, [2, 3, 4], [3, 2, 1], timeout=PATIENCE)) == [8, 9, 4]
        with pytest.raises(SomeError):
            list(executor.map(fail, [SomeError()]))


@EVERY
@pytest.mark.parametrize("wait", [True, False])
def test_shutdown_shuts_the_delegate_down_once_and_submit_raises_after_it(kind: str, wait: bool) -> None:
    delegate = mock.Mock(spec=concurrent.futures.Executor)
    executor = make(kind, delegate)
    before = threading.enumerate()
    executor.shutdown(wait=wait)
    executor.shutdown()
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
            executor.submit(int)
    for thread in before:
        if thread.name.startswith(kind):
            assert_ends(thread)
    assert len(delegate.shutdown.mock_calls) == 1
    assert delegate.shutdown.call_args in (mock.call(wait=wait), mock.call(wait))
    delegate.submit.assert_not_called()


@EVERY
def test_with_cancel_futures_the_delegate_is_told_so(kind: str) -> None:
    delegate = mock.Mock(spec=concurrent.futures.Executor)
    make(kind, delegate).shutdown(cancel_futures=True)
    delegate.shutdown.assert_called_once_with(wait=True, cancel_futures=True)


@EVERY
def test_with_shuts_down_the_whole_chain(kind: str) -> None:
    base = Executors.sync()
    with make(kind, base) as executor:
        assert executor.submit(int).result(PATIENCE) == 0
    for each in (executor, base):
        with pytest.raises(RuntimeError, match="after shutdown"):
            each.submit(int)


# -- futures ------------------------------------------------------------------------------------------------------


@EVERY
def test_futures_are_those_of_concurrent_futures(kind: str) -> None:
    with make(kind, Executors.thread_pool(2)) as executor:
        futures = [executor.submit(int, number) for number in range(5)]
        assert all(isinstance(future, Future) for future in futures)
        assert {future.result(0) for future in concurrent.futures.as_completed(futures, PATIENCE)} == set(range(5))
        assert concurrent.futures.wait(futures, PATIENCE).not_done == set()

        async def main() -> Any:
            return await asyncio.gather(*(asyncio.wrap_future(executor.submit(int, number)) for number in range(5)))

        assert asyncio.run(main()) == list(range(5))


@EVERY
@pytest.mark.parametrize("future_type", [Future, more_executors._core.Future], ids=["stdlib", "ours"])
def test_a_cancelled_future_cancels_again_and_runs_each_callback_once(kind: str, future_type: Any) -> None:
    delegate, callbacks = WatchedDelegate(future_type), list[Any]()
    executor = make(kind, delegate)
    future = executor.submit(int)
    future.add_done_callback(callbacks.append)
    delegate.next()
    assert [future.cancel() for _ in range(3)] == [True] * 3
    assert callbacks == [future]
    assert (future.cancelled(), future.done(), future.running()) == (True, True, False)
    future.add_done_callback(callbacks.append)
    assert callbacks == [future] * 2
    executor.shutdown()


@EVERY
@pytest.mark.parametrize("end", ["cancelled", "lost"])
def test_a_delegates_future_that_anyone_cancels_or_loses_cancels_the_future(kind: str, end: str) -> None:
    delegate = WatchedDelegate()
    executor = make(kind, delegate)
    future = executor.submit(int)
    given = delegate.next()
    if end == "cancelled":
        assert given.cancel()
        given.set_running_or_notify_cancel()
    elif kind == "CancelOnShutdownExecutor":
        future.cancel()  # it hands out the delegate's own future, which so is not lost
    delegate.given.clear()
    del given
    gc.collect()
    assert said(future) == CancelledError
    executor.shutdown()


@EVERY
def test_a_running_delegate_makes_the_future_run_and_repr_says_so(kind: str) -> None:
    delegate = WatchedDelegate()
    executor = make(kind, delegate)
    future, other = executor.submit(int), executor.submit(int)
    given, next_given = delegate.next(), delegate.next()  # the first is in hand when the second is submitted
    assert future.running() is False
    given.set_running_or_notify_cancel()
    assert future.running() is True
    assert "running" in repr(future)
    assert future.cancel() is False
    given.set_result(5)
    next_given.set_result(6)
    assert (future.result(PATIENCE), other.result(PATIENCE)) == (5, 6)
    executor.shutdown()


@EVERY
def test_a_callback_that_raises_is_logged_and_disturbs_nothing(kind: str) -> None:
    delegate, called = WatchedDelegate(), list[Any]()
    executor = make(kind, delegate)
    future, errors = executor.submit(int), [SomeError(), SomeError()]
    future.add_done_callback(lambda _: fail(errors[0]))
    future.add_done_callback(called.append)
    with listening_to("concurrent.futures") as heard:
        delegate.next().set_result(5)
        assert future.result(PATIENCE) == 5
        executor.shutdown()
        future.add_done_callback(lambda _: fail(errors[1]))
    assert called == [future]
    assert [error for level, _, error in heard.lines if level == "ERROR"] == errors
    assert not any(line[0] != "ERROR" for line in heard.lines)


@EVERY
def test_futures_hold_nothing_of_their_call_and_can_be_weakly_referenced(kind: str) -> None:
    class Callback(Thing):
        def __call__(self, *_: Any, **__: Any) -> int:
            return 5

    with without_collector():
        executor: Any = make(kind)
        fn, argument, callback = Callback(), Thing(), Callback()
        future = executor.submit(fn, argument, word=argument)
        future.add_done_callback(callback)
        assert future.result(PATIENCE) == 5
        executor.shutdown()
        gone = [weakref.ref(thing) for thing in (executor, fn, argument, callback)]
        del executor, fn, argument, callback
        assert [reference() for reference in gone] == [None] * 4
        reference = weakref.ref(future)
        assert reference() is future
        del future
        assert reference() is None


@EVERY
def test_a_pending_future_keeps_its_executor_and_nobody_else_does(kind: str) -> None:
    before = set(threading.enumerate())
    with without_collector():
        delegate = WatchedDelegate()
        executor: Any = make(kind, delegate)
        threads = set(threading.enumerate()) - before
        assert len(threads) == (kind in WITH_THREAD)
        gone, future = weakref.ref(executor), executor.submit(int)
        del executor
        assert (gone() is not None) or kind == "CancelOnShutdownExecutor"
        delegate.next().set_result(5)
        assert future.result(PATIENCE) == 5
        for thread in threads:
            assert_ends(thread)
        assert gone() is None


@EVERY
def test_the_future_of_an_executor_that_nobody_holds_resolves(kind: str) -> None:
    assert make(kind, Executors.thread_pool(1)).submit(int, 5).result(PATIENCE) == 5


# -- ordinary objects ---------------------------------------------------------------------------------------------


@EVERY
def test_submit_can_be_mocked_on_the_executor_and_on_its_delegate(kind: str) -> None:
    base = SyncExecutor()
    with make(kind, base) as executor:
        base.submit = mock.Mock(wraps=base.submit)  # type: ignore[method-assign]
        executor.submit = mock.Mock(wraps=executor.submit)
        executor.note = "set"
        assert executor.submit(int, 5).result(PATIENCE) == 5
        assert executor.bind(int)(6).result(PATIENCE) == 6
        assert list(executor.map(int, [7])) == [7]
        assert executor.submit.mock_calls == [mock.call(int, 5), mock.call(int, 6), mock.call(int, 7)]
        assert base.submit.mock_calls == executor.submit.mock_calls
        upper = executor.with_map(str)
        assert upper.submit(int, 8).result(PATIENCE) == "8"
        executor.submit.assert_called_with(int, 8)
        del executor.submit


@EVERY
def test_attributes_can_be_set_on_futures(kind: str) -> None:
    with make(kind) as executor:
        future = executor.submit(int)
        future.note = "set"
        future.result = lambda timeout=None: "mocked"
        assert (future.note, future.result()) == ("set", "mocked")
        assert future.exception(PATIENCE) is None


@EVERY
def test_classes_can_be_subclassed_and_submit_overridden(kind: str) -> None:
    class Mine(getattr(more_executors, kind)):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.submitted: list[Any] = []
            super().__init__(*args, **kwargs)

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            self.submitted.append(fn)
            return super().submit(fn, *args, **kwargs)

    with make(kind, None, Mine, name="mine") as executor:
        assert executor.submit(int, 5).result(PATIENCE) == 5
        assert executor.with_map(str).submit(int, 6).result(PATIENCE) == "6"
        assert list(executor.map(abs, [-7])) == [7]
        assert executor.submitted == [int, int, abs]


@EVERY
def test_executors_can_be_weakly_referenced_compared_and_hashed(kind: str) -> None:
    with make(kind) as executor, make(kind) as other:
        assert weakref.ref(executor)() is executor
        assert len({executor, other, executor}) == 2
        assert executor == executor
        assert executor != other
        assert kind in repr(executor)


# -- logging ------------------------------------------------------------------------------------------------------

LOGGING = pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind != "CancelOnShutdownExecutor"])


def refuse_badly(kind: str, error: BaseException, **keywords: Any) -> None:
    """Have an executor of `kind` log that the cancel of a delegate's future raised `error`."""
    delegate = WatchedDelegate(DuckFuture)
    executor = make(kind, delegate, **keywords)
    future, _ = executor.submit(int), executor.submit(int)
    given = [delegate.next(), delegate.next()]  # the first is in hand when the second is submitted
    given[0].cancel = lambda: fail(error)
    assert future.cancel() is False
    for each in given:
        each.end()
    executor.shutdown()


@LOGGING
def test_the_logger_is_called_after_the_class(kind: str) -> None:
    error = SomeError()
    with listening_to(kind) as heard:
        refuse_badly(kind, error)
    ((level, message, logged),) = heard.lines
    assert (level, logged) == ("ERROR", error)
    assert message.startswith("Exception during cancel on <Future at")


@LOGGING
def test_a_logger_that_is_given_is_used_instead(kind: str) -> None:
    error = SomeError()
    with listening_to(kind) as unused, listening_to("given") as heard:
        refuse_badly(kind, error, logger=logging.getLogger("given"))
    assert unused.lines == []
    assert [line[2] for line in heard.lines] == [error]


@EVERY
@pytest.mark.parametrize("value", [None, "0", "1"])
def test_there_are_debug_records_only_if_the_environment_asks(
    kind: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("MORE_EXECUTORS_DEBUG", raising=False)
    else:
        monkeypatch.setenv("MORE_EXECUTORS_DEBUG", value)
    with listening_to(kind) as heard:
        with make(kind) as executor:
            assert executor.submit(int, 5).result(PATIENCE) == 5
            executor.submit(fail, SomeError()).exception(PATIENCE)
    levels = {line[0] for line in heard.lines}
    assert levels <= ({"DEBUG"} if value == "1" else set())


# -- collected ----------------------------------------------------------------------------------------------------


def test_a_chain_of_all_that_is_dropped_is_gone_with_all_threads_once_its_futures_are_done() -> None:
    before = set(threading.enumerate())
    executor: Any = Executors.thread_pool(2, name="chain")
    for method, args, keywords in MAKERS.values():
        executor = getattr(executor, method)(*args, **keywords)
    futures = [executor.submit(int, number) for number in range(10)]
    threads = [cast(Any, thread) for thread in set(threading.enumerate()) - before]
    assert {"PollExecutor-chain", "RetryExecutor-chain", "ThrottleExecutor-chain", "TimeoutExecutor-chain"} <= {
        thread.name for thread in threads
    }
    gone = weakref.ref(executor)
    del executor
    assert [future.result(PATIENCE) for future in futures] == list(range(10))
    for thread in threads:
        assert_ends(thread)
    assert gone() is None
