"""Executors of which nothing is said: any may be given, and anything come out."""

# pyright: strict

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from more_executors import Executors, MapExecutor, PollDescriptor, PollExecutor, RetryExecutor, TimeoutExecutor

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def count(text: str) -> int:
    return len(text)


def spell(number: int) -> str:
    return f"{number}"


def poll(descriptors: list[PollDescriptor]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def run(executor: RetryExecutor) -> str:
    return str(executor.submit(count, "four").result())


def wait(executor: PollExecutor) -> str:
    assert_type(executor.submit(count, "four"), Future[Any])
    result: str = executor.submit(count, "four").result()
    return f"{result}"


def limit(executor: MapExecutor) -> TimeoutExecutor:
    return executor.with_timeout(5)


def main() -> None:
    with Executors.sync().with_retry() as handing_on:
        assert run(handing_on) == "4"
    with Executors.sync().with_map(spell).with_retry() as mapped:
        assert run(mapped) == "4"
    with Executors.sync().with_poll(poll) as polled:
        assert wait(polled) == "4"
    with Executors.sync().with_map(lambda text: text.upper()) as shouting:
        shout: str = shouting.submit(spell, 4).result()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        assert shout == "4"
    with limit(Executors.sync().with_map(spell)) as limited:
        assert limited.submit(count, "four").result() == "4"
