"""What is done leaves a very large table many at a time, where there is no GIL: nobody is to notice."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from paced_support import new_table
from support import InThread, Thing, all_at_once

from more_executors._core import FullListTable, PollDescriptor

MANY = 20_500  # enough for boxes
FEW = 9_000  # too few
BOX = 64
THREADS = 16  # two to a box

Descriptors = list[PollDescriptor[Any, Any]]


def polled(executor: object = None) -> tuple[FullListTable, list[Future[Any]], Descriptors]:
    """A table from which very many tasks have been handed out."""
    table = new_table(FullListTable)
    futures = table.adopt_many(executor, [0] * MANY)
    return table, futures, table.take_all()


def resolve(descriptors: Descriptors) -> None:
    for descriptor in descriptors:
        descriptor.yield_result()


@pytest.mark.parametrize(
    "look",
    [
        len,
        lambda table: table.polling,
        lambda table: len(table.futures()),
        lambda table: len(table.take_all()),
        lambda table: len(table.polled_tasks()),
    ],
    ids=["len", "polling", "futures", "take_all", "polled_tasks"],
)
@pytest.mark.parametrize("done", [1, BOX, BOX + 1, 3 * BOX])
def test_what_is_done_is_not_counted_and_not_listed(look: Callable[[FullListTable], int], done: int) -> None:
    table, _, descriptors = polled()
    resolve(descriptors[:done])
    assert look(table) == MANY - done
    resolve(descriptors)
    assert look(table) == 0


def test_two_threads_that_resolve_all_leave_nothing_behind() -> None:
    executor = Thing()
    table, futures, descriptors = polled(executor)
    gone = weakref.ref(executor)
    del executor
    assert gone() is not None  # while anything is outstanding
    halves = [InThread(resolve, descriptors[start::2]) for start in range(2)]
    for half in halves:
        half.outcome()
    assert gone() is None  # nothing is outstanding: the table let go of it, and nobody had to look
    assert all(future.done() for future in futures)
    assert table.counters.finished == MANY
    assert len(table) == 0


def test_the_box_of_each_thread_is_emptied() -> None:
    table, _, descriptors = polled()
    for number in range(THREADS):
        InThread(resolve, descriptors[number : number + 1]).outcome()
    assert len(table) == MANY - THREADS
    resolve(descriptors)
    assert len(table) == 0


def test_threads_that_share_a_box_lose_nothing() -> None:
    table, _, descriptors = polled()
    all_at_once(*[partial(resolve, descriptors[start::THREADS]) for start in range(THREADS)])
    assert (table.counters.finished, len(table)) == (MANY, 0)


def test_threads_that_resolve_the_same_tasks() -> None:
    table, _, descriptors = polled()
    for thread in [InThread(resolve, order) for order in (descriptors, descriptors[::-1], descriptors)]:
        thread.outcome()
    assert (table.counters.finished, len(table)) == (MANY, 0)


def test_a_table_grows_again_after_few_were_left() -> None:
    table, _, descriptors = polled()
    resolve(descriptors[FEW:])
    assert len(table) == FEW
    table.adopt_many(None, [0] * MANY)
    descriptors = table.take_all()
    assert len(descriptors) == FEW + MANY
    resolve(descriptors[:-1])
    assert len(table) == 1
    resolve(descriptors)
    assert len(table) == 0


def test_a_closed_table_says_when_the_last_has_left() -> None:
    table, _, descriptors = polled()
    table.close("over")
    resolve(descriptors[:-1])
    table.waker.wait(0.0)  # forgets what joined
    assert not table.waker.wait(0.0)
    resolve(descriptors[-1:])
    assert table.waker.wait(0.0)


def test_a_future_that_nobody_has_is_gone_once_somebody_looks() -> None:
    table, futures, descriptors = polled()
    resolve(descriptors[:1])
    gone = weakref.ref(futures[0])
    futures.clear()
    descriptors.clear()
    assert len(table) == MANY - 1
    assert gone() is None
    table.cancel_all()  # or the collector would find them in one of its next eight full collections


@pytest.mark.parametrize("others", [0, BOX - 1, BOX])
def test_a_cycle_through_a_future_that_is_done_is_collected(others: int) -> None:
    table, futures, descriptors = polled()
    thing: Any = Thing()
    gone = weakref.ref(thing)
    thing.future = futures[0]
    descriptors[0].yield_result(thing)
    resolve(descriptors[1 : 1 + others])
    del thing, descriptors[0], futures[0]
    assert len(table) == MANY - 1 - others
    gc.collect()
    assert gone() is None
    table.cancel_all()
