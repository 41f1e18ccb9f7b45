"""What must not be submitted."""

# pyright: strict

from __future__ import annotations

from more_executors import (
    AsyncioExecutor,
    EventLoopExecutor,
    Executors,
    MapExecutor,
    PollDescriptor,
    PollExecutor,
    RetryExecutor,
    RetryPolicy,
    SyncExecutor,
    TimeoutExecutor,
)


def download(url: str, seconds: float = 5.0) -> bytes:
    return f"{url} {seconds}".encode()


def count(text: str) -> int:
    return len(text)


def spell(number: int) -> str:
    return f"{number}"


def poll(descriptors: list[PollDescriptor[int, str]]) -> None: ...


def handing_on(executor: SyncExecutor) -> None:
    executor.submit(download)  # wrong: url is missing
    executor.submit(download, 5)  # wrong: url is a str
    executor.submit(download, "url", second=5)  # wrong: there is no parameter second
    executor.submit("download")  # wrong: that is no function
    executor.with_retry().submit(download, "url", seconds="5")  # wrong: seconds is a float
    executor.with_throttle(4).submit(download, "url", 5, 6)  # wrong: too many
    executor.with_timeout(4).with_cancel_on_shutdown().submit(download)  # wrong: url is missing
    wrong: int = executor.submit(download, "url").result()  # wrong: it is bytes
    with executor.with_retry() as retrying:
        other: int = retrying.submit(download, "url").result()  # wrong: it is bytes
    print(wrong, other)


def for_one_call(retrying: RetryExecutor[int, str], timing: TimeoutExecutor[int, str]) -> None:
    retrying.submit_retry(RetryPolicy(), count)  # wrong: text is missing
    retrying.submit_retry(5, count, "four")  # wrong: 5 is no policy
    retrying.submit_retry(RetryPolicy(), spell, 4)  # wrong: it has to return an int
    timing.submit_timeout("5", count, "four")  # wrong: the timeout is a number
    timing.submit_timeout(5, count, 4)  # wrong: text is a str


def mapped(executor: MapExecutor[int, str]) -> None:
    executor.submit(spell, 4)  # wrong: it has to return an int
    executor.submit(count, 4)  # wrong: text is a str
    executor.with_retry().with_timeout(5).submit(spell, 4)  # wrong: it has to return an int
    wrong: int = executor.submit(count, "four").result()  # wrong: it is a str
    executor.map(spell, [4])  # wrong: it has to return an int
    print(wrong)


def polled(executor: PollExecutor[int, str]) -> None:
    executor.submit(spell, 4)  # wrong: task ids are int
    executor.submit(count)  # wrong: text is missing
    executor.notify(1)  # wrong: it takes nothing
    wrong: int = executor.submit(count, "four").result()  # wrong: it is a str
    print(wrong)


async def awaited(executor: AsyncioExecutor[int, str]) -> None:
    executor.submit(spell, 4)  # wrong: it has to return an int
    wrong: int = await executor.submit(count, "four")  # wrong: it is a str
    executor.submit_with_loop("loop", count, "four")  # wrong: that is no loop
    print(wrong)


def at_the_end_of_a_chain() -> None:
    executor = Executors.thread_pool().with_retry().with_map(spell).with_throttle(3).with_map(count).with_retry()
    executor.submit(spell, 4)  # wrong: it has to return an int
    wrong: str = executor.submit(count, "four").result()  # wrong: it is an int
    print(wrong)


async def start(job: str) -> int:
    return len(job)


def to_an_event_loop(executor: EventLoopExecutor) -> None:
    executor.submit(count, "text")  # wrong: it is no async def
    executor.submit(start)  # wrong: job is missing
    executor.with_retry().submit(start, 5)  # wrong: job is a str
    executor.with_poll(poll).submit(count, "text")  # wrong: it is no async def
