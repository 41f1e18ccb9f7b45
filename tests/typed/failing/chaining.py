"""What does not fit into a chain."""

# pyright: strict

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from more_executors import (
    Executors,
    FlatMapExecutor,
    MapExecutor,
    PollDescriptor,
    PollExecutor,
    RetryExecutor,
    ThrottleExecutor,
    f_return,
)


def count(text: str) -> int:
    return len(text)


def spell(number: int) -> str:
    return f"{number}"


def spell_later(number: int) -> Future[str]:
    return f_return(spell(number))


def nothing(error: BaseException) -> None:
    return None


def for_one_kind(error: ValueError) -> None:
    return None


def poll(descriptors: list[PollDescriptor[int, str]]) -> None: ...


def poll_for_delay(descriptors: list[PollDescriptor[int, str]]) -> str:
    return "soon"


def cancel(task_id: int) -> bool:
    return task_id > 5


def cancel_by_name(name: str) -> bool:
    return name > "five"


def with_methods(mapped: MapExecutor[int, str]) -> None:
    sync = Executors.sync()
    sync.with_map(5)  # wrong: that is no function
    sync.with_map(spell, error_fn=for_one_kind)  # wrong: it may be given any exception
    sync.with_map(error_fn=nothing).with_map(spell)  # wrong: it may be given None
    mapped.with_map(spell)  # wrong: it is given a str
    mapped.with_retry().with_map(spell)  # wrong: it is given a str
    mapped.with_flat_map(spell_later)  # wrong: it is given a str
    sync.with_flat_map(spell)  # wrong: it does not return a future
    sync.with_poll(spell)  # wrong: it takes no descriptors
    sync.with_poll(poll_for_delay)  # wrong: a delay is a number
    sync.with_poll(poll, cancel_by_name)  # wrong: task ids are int
    mapped.with_poll(poll)  # wrong: task ids are str
    sync.with_throttle("4")  # wrong: that is no number
    sync.with_timeout(None)  # wrong: that is no number
    sync.with_retry(5)  # wrong: that is no policy
    sync.with_asyncio().with_map(spell)  # wrong: it is the end of a chain


def class_methods(mapped: MapExecutor[int, str]) -> None:
    Executors.with_map(5, spell)  # wrong: that is no executor
    Executors.with_map(mapped, spell)  # wrong: it is given a str
    Executors.with_flat_map(ThreadPoolExecutor(), spell)  # wrong: it does not return a future
    Executors.with_poll(mapped, poll)  # wrong: task ids are str
    Executors.with_poll(ThreadPoolExecutor(), poll, cancel_by_name)  # wrong: task ids are int
    Executors.with_retry("pool")  # wrong: that is no executor
    Executors.with_throttle(ThreadPoolExecutor())  # wrong: count is missing


def constructors(mapped: MapExecutor[int, str]) -> None:
    MapExecutor(5, spell)  # wrong: that is no executor
    MapExecutor(mapped, spell)  # wrong: it is given a str
    FlatMapExecutor(ThreadPoolExecutor(), spell)  # wrong: it does not return a future
    PollExecutor(mapped, poll)  # wrong: task ids are str
    PollExecutor(ThreadPoolExecutor(), poll, cancel, "5")  # wrong: an interval is a number
    RetryExecutor("pool")  # wrong: that is no executor
    ThrottleExecutor(ThreadPoolExecutor(), "4")  # wrong: that is no number


def descriptors(descriptor: PollDescriptor[int, str]) -> None:
    descriptor.yield_result(5)  # wrong: a future gives a str
    descriptor.yield_result()  # wrong: it does not give None
    descriptor.yield_exception("failed")  # wrong: that is no exception
    descriptor.result = 5  # wrong: it cannot be set


def bound() -> None:
    spell_soon = Executors.sync().bind(spell)
    spell_soon("four")  # wrong: number is an int
    spell_soon()  # wrong: number is missing
    spell_soon.with_retry()(number="four")  # wrong: number is an int
    spell_soon.with_map(spell)  # wrong: it is given a str
    spell_soon.bind(spell)  # wrong: it is bound already
    wrong: int = spell_soon(4).result()  # wrong: it is a str
    Executors.sync().flat_bind(spell)  # wrong: it does not return a future
    Executors.sync().with_map(count).bind(count)  # wrong: it has to return a str
    print(wrong)
