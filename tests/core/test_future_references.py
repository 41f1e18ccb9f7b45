"""What a future keeps alive: its outcome and nothing else once it is done, and before that what it needs.

Each test runs over the standard library's futures as well, where those are not more generous.
"""

from __future__ import annotations

import logging
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    OUR_KINDS,
    FutureKind,
    MadeByHand,
    ScriptedDelegate,
    SomeError,
    Thing,
    every_end,
    is_gone,
    kind_fixture,
    said,
    without_collector,
)

from more_executors import Executors, PollDescriptor, PollExecutor, SyncExecutor, _core

kind = kind_fixture(EVERY_KIND)
our_kind = kind_fixture(OUR_KINDS)

every_type = pytest.mark.parametrize("future_type", [Future, _core.Future], ids=["standard library", "ours"])


def test_a_future_can_be_weakly_referenced(kind: FutureKind) -> None:
    gone: list[Any] = []
    future = kind.pending()
    reference = weakref.ref(future, gone.append)
    assert reference() is future
    kind.finish(future, None)
    del future
    assert is_gone(reference)
    assert gone == [reference]


class Callback(Thing):
    def __call__(self, future: Future[Any]) -> None:
        pass


@every_end
@pytest.mark.parametrize("count", [1, 3])
def test_a_done_future_keeps_no_callback(our_kind: FutureKind, how: str, count: int) -> None:
    references = []
    future = our_kind.pending()
    for _ in range(count):
        callback = Callback()
        future.add_done_callback(callback)
        references.append(weakref.ref(callback))
    del callback
    assert all(reference() for reference in references)
    our_kind.end(future, how)
    assert all(is_gone(reference) for reference in references)


def test_a_future_in_a_cycle_can_be_collected(kind: FutureKind) -> None:
    """Through its result, its exception, a callback, an attribute, and the condition."""
    finished, failed, called, waited = (kind.pending() for _ in range(4))
    error = SomeError(failed)
    kind.finish(finished, [finished])
    kind.fail(failed, error)
    called.add_done_callback(lambda _, itself=called: None)
    waited.itself = waited  # type: ignore[attr-defined]
    with waited._condition:
        waited._condition.wait(0)
    kind.finish(waited, None)
    if not isinstance(kind, MadeByHand):
        kind.finish(called, None)  # until then it is in the table of its executor
    references = [weakref.ref(future) for future in (finished, failed, called, waited)]
    del finished, failed, called, waited, error
    assert all(is_gone(reference) for reference in references)


def returning(argument: Thing) -> Thing:
    """A callable that returns what nobody else refers to."""
    return Thing()


def failing(argument: Thing) -> None:
    del argument
    raise SomeError


def resolve(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result("result")


def resolve_with_error(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_exception(SomeError())


def raise_error(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    if descriptors:
        raise SomeError


# A logger that logs nothing: log records keep what they tell of.
DEAF = logging.Logger("deaf", logging.CRITICAL + 1)

EXECUTORS = {
    "sync": Executors.sync,
    "thread_pool": lambda: Executors.thread_pool(max_workers=1),
    "poll": lambda: Executors.sync().with_poll(resolve),
    "poll with an error": lambda: Executors.sync().with_poll(resolve_with_error),
    "poll that raises": lambda: Executors.sync().with_poll(raise_error, logger=DEAF),
    "poll on a thread_pool": lambda: Executors.thread_pool(max_workers=1).with_poll(resolve),
}


@pytest.mark.parametrize("make_executor", EXECUTORS.values(), ids=EXECUTORS)
@pytest.mark.parametrize("function", [returning, failing])
def test_a_done_future_keeps_neither_executor_nor_arguments(
    make_executor: Callable[[], Executor], function: Callable[[Thing], Any]
) -> None:
    pools = ["thread_pool"] if sys.version_info < (3, 14) else ["thread_pool", "poll on a thread_pool"]
    if function is failing and make_executor in [EXECUTORS[pool] for pool in pools]:
        pytest.skip("the standard library's pool is kept by the frame of its worker thread")
    executor, argument = make_executor(), Thing()
    references = [weakref.ref(executor), weakref.ref(argument)]
    future = executor.submit(function, argument)
    del argument
    said(future)
    executor.shutdown()
    del executor
    assert all(is_gone(reference) for reference in references)
    assert future.done()


def test_a_future_that_is_polled_keeps_its_argument_no_more() -> None:
    executor: PollExecutor[Any, Any] = SyncExecutor().with_poll(lambda descriptors: None)
    argument = Thing()
    reference = weakref.ref(argument)
    future = executor.submit(returning, argument)
    del argument
    assert is_gone(reference)
    assert not future.done()
    executor.shutdown(cancel_futures=True)


@every_end
@every_type
def test_a_done_future_keeps_neither_its_delegate_s_nor_what_that_returned(
    future_type: type[Future[Any]], how: str
) -> None:
    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        for descriptor in descriptors:
            if how == "finish":
                descriptor.yield_result("result")
            elif how == "fail":
                descriptor.yield_exception(SomeError())

    delegate = ScriptedDelegate(future_type)
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, poll)
    future = executor.submit(print)
    token = Thing()
    references = [weakref.ref(delegate.given[0]), weakref.ref(token)]
    delegate.given.pop().set_result(token)
    del token
    if how == "cancel":
        assert future.cancel()
    said(future)
    executor.shutdown()
    assert all(is_gone(reference) for reference in references)
    assert future.done()


@every_end
@every_type
def test_a_future_whose_delegate_never_succeeded_keeps_nothing_of_it(future_type: type[Future[Any]], how: str) -> None:
    """What is left goes by itself: the two do not hold each other in a cycle."""
    delegate = ScriptedDelegate(future_type)
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, resolve)
    future = executor.submit(print)
    reference = weakref.ref(delegate.given[0])
    with without_collector():
        if how == "finish":
            future.set_result("from outside")
        elif how == "fail":
            delegate.given[0].set_exception(SomeError())
        else:
            assert future.cancel()
        delegate.given.clear()
        assert reference() is None
    assert future.done()
    executor.shutdown()
