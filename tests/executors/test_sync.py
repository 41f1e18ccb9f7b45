"""SyncExecutor: what is submitted is called there and then, on the caller's thread, and its future is done."""

from __future__ import annotations

import concurrent.futures
import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from support import SomeError, all_at_once

import more_executors.sync
from more_executors import Executors, SyncExecutor


@pytest.fixture(params=[SyncExecutor, Executors.sync, Executors().sync], ids=["class", "Executors.sync", "instance"])
def executor(request: pytest.FixtureRequest) -> SyncExecutor:
    return request.param()


def given(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def fail(error: BaseException) -> None:
    raise error


def test_it_is_an_executor(executor: SyncExecutor) -> None:
    assert isinstance(executor, concurrent.futures.Executor)
    assert type(executor) is SyncExecutor is more_executors.sync.SyncExecutor
    assert more_executors.sync.__all__ == ["SyncExecutor"]


def test_the_callable_runs_in_submit_on_the_callers_thread(executor: SyncExecutor) -> None:
    calls: list[threading.Thread] = []
    future = executor.submit(lambda: calls.append(threading.current_thread()))
    assert calls == [threading.current_thread()]
    assert (future.done(), future.running(), future.cancelled(), future.cancel()) == (True, False, False, False)
    assert isinstance(future, concurrent.futures.Future)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1, "two"), {}),
        ((), {"key": 1}),
        ((1,), {"self": 2, "fn": 3, "args": 4, "kwargs": 5, "executor": 6}),
    ],
)
def test_every_argument_is_passed_on(executor: SyncExecutor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    assert executor.submit(given, *args, **kwargs).result(0) == (args, kwargs)


@pytest.mark.parametrize("result", [None, 0, SomeError("as a result")], ids=repr)
def test_what_the_callable_returns_is_the_result(executor: SyncExecutor, result: object) -> None:
    future = executor.submit(lambda: result)
    assert future.result(0) is result
    assert future.exception(0) is None


@pytest.mark.parametrize("error_type", [SomeError, StopIteration, concurrent.futures.CancelledError, TimeoutError])
def test_an_exception_of_the_callable_is_the_exception(executor: SyncExecutor, error_type: type[Exception]) -> None:
    error = error_type()
    future = executor.submit(fail, error)
    assert future.exception(0) is error
    assert not future.cancelled()
    with pytest.raises(error_type) as raised:
        future.result(0)
    assert raised.value is error
    assert "fail" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("error_type", [KeyboardInterrupt, SystemExit, GeneratorExit, BaseException])
def test_what_is_no_exception_but_a_base_exception_reaches_the_caller(
    executor: SyncExecutor, error_type: type[BaseException]
) -> None:
    error = error_type()
    with pytest.raises(error_type) as raised:
        executor.submit(fail, error)
    assert raised.value is error
    assert executor.submit(given).result(0) == ((), {})


def test_a_call_that_cannot_be_made_fails_the_future(executor: SyncExecutor) -> None:
    assert isinstance(executor.submit(lambda: None, "one argument too many").exception(0), TypeError)
    assert isinstance(executor.submit(None).exception(0), TypeError)  # type: ignore[arg-type]


def test_a_callback_of_its_future_runs_at_once(executor: SyncExecutor) -> None:
    calls: list[Any] = []
    future = executor.submit(given)
    future.add_done_callback(calls.append)
    assert calls == [future]


def test_map_gives_results_in_order_up_to_the_first_failure(executor: SyncExecutor) -> None:
    assert list(executor.map(pow, [2, 3, 4], [3, 2, 1])) == [8, 9, 4]
    assert list(executor.map(given, [])) == []
    quotients = executor.map(divmod, [5, 5, 5], [2, 0, 1])
    assert next(quotients) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        next(quotients)


def test_a_callable_may_submit(executor: SyncExecutor) -> None:
    def down(depth: int) -> int:
        return 0 if depth == 0 else 1 + executor.submit(down, depth - 1).result(0)

    assert executor.submit(down, 20).result(0) == 20


def test_threads_do_not_wait_for_each_other(executor: SyncExecutor) -> None:
    together = threading.Barrier(3)
    submit: Callable[[], Any] = lambda: executor.submit(together.wait, 10.0).result(0)  # noqa: E731
    assert sorted(all_at_once(submit, submit, submit)) == [0, 1, 2]


@pytest.mark.parametrize(
    "shutdown",
    [
        lambda executor: executor.shutdown(),
        lambda executor: executor.shutdown(False),
        lambda executor: executor.shutdown(wait=True, cancel_futures=True),
        lambda executor: executor.__exit__(None, None, None),
    ],
    ids=["plain", "no wait", "cancel_futures", "with"],
)
def test_after_shutdown_nothing_is_called(executor: SyncExecutor, shutdown: Callable[[SyncExecutor], None]) -> None:
    before = executor.submit(given)
    for _ in range(2):
        shutdown(executor)
        with pytest.raises(RuntimeError) as refused:
            executor.submit(pytest.fail, "called")
        assert str(refused.value) == "cannot schedule new futures after shutdown"
    assert before.result(0) == ((), {})


def test_a_callable_that_shuts_its_executor_down_ends_as_usual(executor: SyncExecutor) -> None:
    assert executor.submit(executor.shutdown).result(0) is None
    with pytest.raises(RuntimeError):
        executor.submit(given)


def test_it_takes_a_logger_and_a_name_as_the_contract_says() -> None:
    logger = logging.getLogger("mine")
    for make in (SyncExecutor, Executors.sync):
        assert make(logger, "name").submit(given).done()
        assert make(logger=logger, name="name").submit(given).done()
        with pytest.raises(TypeError):
            make(name=1)
        with pytest.raises(TypeError):
            make(logger, "name", "third")


def test_it_can_be_subclassed_and_have_attributes() -> None:
    class Counting(SyncExecutor):
        def __init__(self) -> None:
            super().__init__(name="counting")
            self.count = 0

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return super().submit(fn, *args, **kwargs)

    executor = Counting()
    executor.note = "of a program"  # type: ignore[attr-defined]
    assert list(executor.map(abs, [-1, -2])) == [1, 2]
    assert executor.count == 2
