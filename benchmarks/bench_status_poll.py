"""What `StatusPoll` adds to the service's own reply: ids are gathered, and statuses looked up, of tasks not done yet.

The reference is a poll function that does so by hand, and none of what can go wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from more_executors import StatusPoll

from .measuring import Bench
from .rows import OURS
from .scheduled import Scheduled
from .volume_rows import BY_HAND, STATUS_POLL

PollFn = Callable[[list[Any]], Any]
IDS = 100


class Service:
    """Its reply is made in advance."""

    def __init__(self, ids: range) -> None:
        self._reply = dict.fromkeys(ids, "RUNNING")

    def statuses(self, ids: list[int]) -> dict[int, str]:
        return self._reply


def with_status_poll(service: Service) -> PollFn:
    def resolve(descriptor: Any, status: str) -> None:
        if status == "SUCCEEDED":
            descriptor.yield_result()

    return StatusPoll(service.statuses, None, resolve)


def by_hand(service: Service) -> PollFn:
    def poll(descriptors: list[Any]) -> None:
        statuses = service.statuses([descriptor.result for descriptor in descriptors])
        for descriptor in descriptors:
            if statuses[descriptor.result] == "SUCCEEDED":
                descriptor.yield_result()

    return poll


@pytest.mark.parametrize(("who", "make"), [(OURS, with_status_poll), (BY_HAND, by_hand)])
def test_running_tasks(bench: Bench, who: str, make: Callable[[Service], PollFn]) -> None:
    calls = bench.size(10_000)
    poll = make(Service(range(IDS)))
    scheduled = Scheduled()
    scheduled.adopt(IDS)
    scheduled.keep_due(IDS)

    def run(descriptors: list[Any]) -> None:
        for _ in range(calls):
            poll(descriptors)

    bench.time(STATUS_POLL, who, run, per=calls * IDS, setup=lambda: scheduled.some)
    scheduled.close()
