"""Context variables: whose a poll function sees."""

from __future__ import annotations

import threading
import weakref
from contextvars import ContextVar, copy_context
from math import inf
from typing import Any

import pytest
from support import PATIENCE, Thing, assert_ends, is_gone

from more_executors import PollExecutor, SyncExecutor

variable: ContextVar[Any] = ContextVar("variable", default="not set")


def poll(descriptors: list[Any]) -> float:
    seen = variable.get()
    variable.set("of a call before")
    for descriptor in descriptors:
        descriptor.yield_result(seen)
    return inf


async def poll_async(descriptors: list[Any]) -> float:
    return poll(descriptors)


MODES: dict[str, tuple[Any, dict[str, Any]]] = {
    "whole list": (poll, {}),
    "what is due": (poll, {"batch_size": 1}),
    "on threads": (poll, {"batch_size": 1, "max_concurrency": 3}),
    "async": (poll_async, {"batch_size": 1, "max_concurrency": 3}),
}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


@every_mode
def test_a_poll_function_sees_those_of_who_made_the_executor(mode: Any) -> None:
    def make() -> Any:
        variable.set("of the maker")
        return PollExecutor(SyncExecutor(), mode[0], **mode[1])

    with copy_context().run(make) as executor:
        variable.set("of who submits")
        futures = executor.adopt_many(range(20))
        assert {future.result(PATIENCE) for future in futures} == {"of the maker"}
    variable.set("not set")


@every_mode
def test_what_they_refer_to_keeps_no_thread(mode: Any) -> None:
    before = set(threading.enumerate())

    def make() -> weakref.ref[Any]:
        owner: Any = Thing()
        variable.set(owner)
        owner.executor = PollExecutor(SyncExecutor(), mode[0], **mode[1])
        owner.executor.adopt("task").result(PATIENCE)
        return weakref.ref(owner)

    gone = copy_context().run(make)
    assert is_gone(gone)
    for thread in set(threading.enumerate()) - before:
        assert_ends(thread)
