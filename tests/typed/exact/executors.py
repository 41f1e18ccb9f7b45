"""Every executor, made and chained in each way, for a checker that takes no Any."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor

from more_executors import (
    AsyncioExecutor,
    CancelOnShutdownExecutor,
    ExceptionRetryPolicy,
    Executors,
    FlatMapExecutor,
    MapExecutor,
    PollDescriptor,
    PollExecutor,
    RetryExecutor,
    SyncExecutor,
    ThrottleExecutor,
    TimeoutExecutor,
    f_return,
)


def start(name: str, times: int = 1) -> str:
    return name * times


def poll(descriptors: list[PollDescriptor[str, int]]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(len(descriptor.result))
    return 0.5


def cancel(task: str) -> bool:
    return task == ""


def words(text: str) -> list[str]:
    return text.split()


def later(text: str) -> Future[int]:
    return f_return(len(text))


def nothing(error: BaseException) -> None:
    assert error


def limit() -> int:
    return 4


def with_methods() -> None:
    with Executors.thread_pool(max_workers=1, name="pool") as pool:
        submitted: Future[str] = pool.submit(start, "a", times=2)
        assert submitted.result() == "aa"
        names: list[str] = ["a"]
        for text in pool.map(start, names):
            assert text == "a"
        polled: Future[int] = pool.with_poll(poll, cancel, default_interval=1.0).submit(start, "ab")
        assert polled.result() == 2
        mapped: Future[list[str]] = pool.with_map(words).submit(start, "a b")
        assert mapped.result() == ["a", "b"]
        recovered: Future[list[str] | None] = pool.with_map(words, error_fn=nothing).submit(start, "a b")
        assert recovered.result() == ["a", "b"]
        flat: Future[int] = pool.with_flat_map(later).submit(start, "abc")
        assert flat.result() == 3
        policy = ExceptionRetryPolicy(max_attempts=2, sleep=0.01, exception_base=OSError)
        retried: Future[str] = pool.with_retry(policy).submit(start, "a")
        assert retried.result() == "a"
        retried_by_keywords: Future[str] = pool.with_retry(max_attempts=2).submit(start, "a")
        assert retried_by_keywords.result() == "a"
        throttled: Future[str] = pool.with_throttle(limit).submit(start, "a")
        assert throttled.result() == "a"
        limited: Future[str] = pool.with_timeout(60).submit(start, "a")
        assert limited.result() == "a"
        cancelling: Future[str] = pool.with_cancel_on_shutdown().submit(start, "a")
        assert cancelling.result() == "a"
    with Executors.sync(name="sync").with_poll(poll).with_throttle(2).with_timeout(60).with_map(float) as chain:
        chained: Future[float] = chain.submit(start, "abcd")
        assert chained.result() == 4.0


def bound() -> None:
    with Executors.sync() as executor:
        bound_start = executor.bind(start)
        called: Future[str] = bound_start("a", times=3)
        assert called.result() == "aaa"
        measured: Future[int] = bound_start.with_map(len)("a")
        assert measured.result() == 1
        flat: Future[int] = executor.flat_bind(later)("ab")
        assert flat.result() == 2
    given: Future[str] = Executors.bind(SyncExecutor(), start).with_retry()("a")
    assert given.result() == "a"


def classes() -> None:
    with MapExecutor(ThreadPoolExecutor(1), words) as mapping:
        mapped: Future[list[str]] = mapping.submit(start, "a b")
        assert mapped.result() == ["a", "b"]
    with FlatMapExecutor(SyncExecutor(), later) as flattening:
        flat: Future[int] = flattening.submit(start, "ab")
        assert flat.result() == 2
    with RetryExecutor(ThreadPoolExecutor(1), max_attempts=2) as retrying:
        retried: Future[str] = retrying.submit_retry(ExceptionRetryPolicy(), start, "a")
        assert retried.result() == "a"
    with ThrottleExecutor(SyncExecutor(), 2, block=True) as throttling:
        throttled: Future[str] = throttling.submit(start, "a")
        assert throttled.result() == "a"
    with TimeoutExecutor(ThreadPoolExecutor(1), 60) as limiting:
        limited: Future[str] = limiting.submit_timeout(5, start, "a")
        assert limited.result() == "a"
    with CancelOnShutdownExecutor(SyncExecutor()) as cancelling:
        cancelled: Future[str] = cancelling.submit(start, "a")
        assert cancelled.result() == "a"
    with PollExecutor(SyncExecutor(), poll, cancel, 1.0) as polling:
        polled: Future[int] = polling.submit(start, "ab")
        polling.notify()
        assert polled.result() == 2


async def awaited() -> None:
    with AsyncioExecutor(ThreadPoolExecutor(1)) as executor:
        first: str = await executor.submit(start, "a")
        assert first == "a"
    with Executors.sync().with_poll(poll).with_asyncio() as polling:
        second: int = await polling.submit(start, "ab")
        assert second == 2


def main() -> None:
    with_methods()
    bound()
    classes()
    asyncio.run(awaited())
