"""Executors that hand on what the callable returns: its parameters are checked, and its result is known."""

# pyright: strict

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from more_executors import (
    CancelOnShutdownExecutor,
    ExceptionRetryPolicy,
    Executors,
    RetryExecutor,
    RetryPolicy,
    ThrottleExecutor,
    TimeoutExecutor,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def download(url: str, seconds: float = 5.0) -> bytes:
    return f"{url} {seconds}".encode()


def first_of_chain() -> None:
    with Executors.sync(name="here") as sync:
        assert_type(sync.submit(download, "url", seconds=1), Future[bytes])
        assert_type(sync.map(download, ["url"], timeout=5), Iterator[bytes])
    with Executors.thread_pool(max_workers=1, name="there") as pool:
        assert_type(pool.submit(download, "url"), Future[bytes])
        assert_type(pool.map(len, ["url"]), Iterator[int])
        executor: Executor = pool
        assert_type(executor.submit(len, ""), Future[int])
    with Executors.threadpool() as other_spelling:
        assert_type(other_spelling.submit(download, "url").result(), bytes)


def in_other_processes() -> None:  # not called: processes take their time
    with Executors.process_pool(max_workers=2, name="elsewhere") as pool:
        assert_type(pool.submit(download, "url"), Future[bytes])
        assert_type(pool.with_retry().submit(download, "url"), Future[bytes])
    assert_type(Executors.with_retry(ProcessPoolExecutor()).submit(len, "four"), Future[int])


def with_methods() -> None:
    pool = Executors.thread_pool()
    with pool.with_retry(max_attempts=2, exception_base=OSError) as retrying:
        assert_type(retrying.submit(download, "url"), Future[bytes])
        assert_type(retrying.submit(download, "url", seconds=0.5).result(), bytes)
        assert_type(retrying.submit_retry(RetryPolicy(), download, "url", seconds=0.5), Future[bytes])
        assert_type(retrying.map(download, ["url"]), Iterator[bytes])
    with Executors.sync().with_throttle(4, block=True) as throttled:
        assert_type(throttled.submit(download, "url"), Future[bytes])
    with Executors.sync().with_throttle(lambda: None) as not_throttled:
        assert_type(not_throttled.submit(download, "url"), Future[bytes])
    with Executors.sync().with_timeout(60.0, name="slow") as limited:
        assert_type(limited.submit(download, "url"), Future[bytes])
        assert_type(limited.submit_timeout(5, download, "url"), Future[bytes])
    with Executors.sync().with_cancel_on_shutdown() as cancelling:
        assert_type(cancelling.submit(download, "url"), Future[bytes])


def class_methods() -> None:
    def pool() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1)

    with Executors.with_retry(pool(), ExceptionRetryPolicy(max_attempts=5)) as retrying:
        assert_type(retrying.submit(download, "url"), Future[bytes])
    with Executors.with_throttle(pool(), 3) as throttled:
        assert_type(throttled.submit(download, "url"), Future[bytes])
    with Executors.with_timeout(Executors.sync(), 3) as limited:
        assert_type(limited.submit(download, "url"), Future[bytes])
    with Executors.with_cancel_on_shutdown(Executors.sync().with_retry()) as cancelling:
        assert_type(cancelling.submit(download, "url"), Future[bytes])


def constructors() -> None:
    with RetryExecutor(ThreadPoolExecutor(1), max_attempts=5) as retrying:
        assert_type(retrying.submit(download, "url"), Future[bytes])
    with ThrottleExecutor(RetryExecutor(ThreadPoolExecutor(1)), count=3, name="few") as throttled:
        assert_type(throttled.submit(download, "url"), Future[bytes])
    with TimeoutExecutor(Executors.thread_pool(), timeout=60) as limited:
        assert_type(limited.submit(download, "url"), Future[bytes])
        assert_type(limited.submit_timeout(5, download, "url"), Future[bytes])
    with CancelOnShutdownExecutor(TimeoutExecutor(Executors.sync(), 60)) as cancelling:
        assert_type(cancelling.map(len, [""]), Iterator[int])


class Duck:
    """Not a concurrent.futures.Executor, but it does as much."""

    def submit(self, fn: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future

    def shutdown(self, wait: bool = True) -> None:
        pass


def on_somebody_elses() -> None:
    with RetryExecutor(Duck()) as retrying:
        assert_type(retrying.submit(download, "url"), Future[bytes])


class Persistent(RetryPolicy):
    def should_retry(self, attempt: int, future: Future[Any]) -> bool:
        return attempt < 3 and future.exception() is not None

    def sleep_time(self, attempt: int, future: Future[Any]) -> float:
        return 0.5


def main() -> None:
    first_of_chain()
    with_methods()
    class_methods()
    constructors()
    on_somebody_elses()
    with Executors.sync().with_retry(Persistent()) as executor:
        assert executor.submit(download, "url").result() == b"url 5.0"
