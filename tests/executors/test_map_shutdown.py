"""MapExecutor and FlatMapExecutor, shut down: their futures are seen through, from wherever it is asked for."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from retry_support import retry_thread, shutting_down
from support import PATIENCE, DuckDelegate, InThread, Parking, SomeError, assert_ends, said

from more_executors import Executors, FlatMapExecutor, MapExecutor, RetryPolicy

REFUSED = r"^cannot schedule new futures after shutdown$"
BOTH = pytest.mark.parametrize("executor_type", [MapExecutor, FlatMapExecutor])
WAIT = pytest.mark.parametrize("wait", [True, False])


def done(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


@BOTH
def test_shutdown_waits_for_all_futures_and_then_shuts_the_delegate_down(executor_type: type[MapExecutor]) -> None:
    delegate = DuckDelegate()
    executor = executor_type(delegate)
    futures = [executor.submit(int) for _ in range(2)]
    thread = shutting_down(executor)
    assert delegate.shutdowns == []
    delegate.given[0].end(1)
    assert thread.is_alive()
    assert delegate.shutdowns == []
    delegate.given[1].end(error=SomeError())
    thread.outcome()
    assert delegate.shutdowns == [{"wait": True}]
    assert [said(future, 0) for future in futures] == [1, SomeError]


@BOTH
def test_shutdown_waits_until_the_function_has_returned_and_callbacks_see_the_end(
    executor_type: type[MapExecutor],
) -> None:
    delegate, function = DuckDelegate(), Parking(done("mapped"))
    executor = executor_type(delegate, function)
    future = executor.submit(int)
    completing = InThread(delegate.given[0].end)
    function.wait_for_one()
    thread = shutting_down(executor)
    assert (thread.is_alive(), future.done()) == (True, False)
    function.let_go()
    completing.outcome()
    thread.outcome()
    assert future.done()


@BOTH
def test_shutdown_without_waiting_returns_at_once_and_futures_go_on(executor_type: type[MapExecutor]) -> None:
    delegate = DuckDelegate()
    executor = executor_type(delegate, lambda _: done("mapped"))
    future = executor.submit(int)
    executor.shutdown(wait=False)
    executor.shutdown()
    assert delegate.shutdowns == []
    assert not future.done()
    with pytest.raises(RuntimeError, match=REFUSED):
        executor.submit(int)
    assert len(delegate.given) == 1
    delegate.given[0].end()
    assert future.done()
    assert delegate.wait_for_shutdown() == {"wait": False}


@BOTH
@WAIT
def test_cancel_futures_cancels_what_the_delegate_gives_up(executor_type: type[MapExecutor], wait: bool) -> None:
    delegate = DuckDelegate()
    executor = executor_type(delegate)
    futures = [executor.submit(int) for _ in range(2)]
    delegate.given[0].agrees_to_cancel = True
    if wait:
        futures[0].add_done_callback(lambda _: delegate.given[1].end(5))
    executor.shutdown(wait, cancel_futures=True)
    assert futures[0].cancelled()
    delegate.given[1].end(5)
    assert futures[1].result(0) == 5
    assert delegate.wait_for_shutdown() == {"wait": wait, "cancel_futures": True}


@BOTH
@WAIT
@pytest.mark.parametrize("cancel_futures", [True, False])
def test_shutdown_in_the_function_does_not_wait(
    executor_type: type[MapExecutor], wait: bool, cancel_futures: bool
) -> None:
    def shut_down(_: Any) -> Any:
        executor.shutdown(wait, cancel_futures=cancel_futures)
        return done("mapped")

    delegate = DuckDelegate()
    executor = executor_type(delegate, shut_down, error_fn=shut_down)
    futures = [executor.submit(int) for _ in range(2)]
    delegate.given[1].agrees_to_cancel = True
    delegate.given[0].end()
    assert futures[0].done()
    assert not futures[0].cancelled()
    assert futures[1].cancelled() == cancel_futures
    delegate.given[1].end(error=SomeError())
    assert futures[1].done()


@BOTH
@WAIT
def test_shutdown_in_a_callback_of_the_last_future(executor_type: type[MapExecutor], wait: bool) -> None:
    delegate = DuckDelegate()
    executor = executor_type(delegate)
    future = executor.submit(int)
    future.add_done_callback(lambda _: executor.shutdown(wait))
    delegate.given[0].end("done")
    assert future.result(0) == "done"
    assert delegate.shutdowns == [{"wait": wait}]


@pytest.mark.parametrize("upper", ["with_map", "with_flat_map"])
@pytest.mark.parametrize("wait", [True, False])
def test_shutdown_in_a_mapping_function_does_not_wait(upper: str, wait: bool) -> None:
    def shut_down(_: Any) -> Any:
        executor.shutdown(wait)
        return inner

    inner: Future[Any] = Future()
    inner.set_result("mapped")
    base = Executors.thread_pool(1).with_retry(RetryPolicy(), name="own")
    thread = retry_thread("own")
    executor = getattr(base, upper)(shut_down)
    expected = inner if upper == "with_map" else "mapped"
    assert executor.submit(int).result(PATIENCE) == expected
    assert_ends(thread)
    with pytest.raises(RuntimeError, match=REFUSED):
        base.submit(int)


def test_a_mapped_future_that_waits_for_another_is_waited_for_by_shutdown() -> None:
    inner: Future[Any] = Future()
    executor = Executors.sync().with_flat_map(lambda _: inner)  # type: ignore[attr-defined]
    future = executor.submit(int)
    thread = shutting_down(executor)
    assert thread.is_alive()
    inner.set_result("seen through")
    thread.outcome()
    assert future.result(0) == "seen through"


def test_cancel_futures_reaches_the_future_that_a_flat_map_waits_for() -> None:
    inner: Future[Any] = Future()
    executor = Executors.sync().with_flat_map(lambda _: inner)  # type: ignore[attr-defined]
    future = executor.submit(int)
    executor.shutdown(cancel_futures=True)
    assert (inner.cancelled(), said(future, 0)) == (True, CancelledError)
