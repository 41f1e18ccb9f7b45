"""What is done leaves a very large table many at a time, where there is no GIL: nobody is to notice."""

from __future__ import annotations

import ctypes
import gc
import sys
import tracemalloc
import weakref
from collections.abc import Callable, Sized
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
EVERY = 8  # full collections

HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()

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


@pytest.mark.parametrize("look", [len, FullListTable.futures, FullListTable.take_all])
def test_a_future_that_nobody_has_is_gone_once_somebody_looks(look: Callable[[FullListTable], Sized | int]) -> None:
    table, futures, descriptors = polled()
    resolve(descriptors[:1])
    gone = weakref.ref(futures[0])
    futures.clear()
    descriptors.clear()
    assert (gone() is None) == HAS_GIL
    look(table)
    assert gone() is None
    table.cancel_all()  # or the collector would find them in one of its next eight full collections


def test_an_executor_that_was_dropped_with_tasks_in_boxes_is_collected() -> None:
    executor: Any = Thing()
    gone = weakref.ref(executor)
    table, futures, descriptors = polled(executor)
    executor.table = table
    resolve(descriptors[:3])
    del executor, table, futures, descriptors
    for _ in range(EVERY):
        gc.collect()
    assert gone() is None


def test_what_is_polled_is_in_no_box_before_so_much_was_handed_out() -> None:
    table = new_table(FullListTable)
    assert table.adopt_many(None, [0] * MANY)[0].cancel()
    assert len(table) == MANY - 1
    few = new_table(FullListTable)
    few.adopt_many(None, [0] * FEW)
    resolve(few.take_all())
    assert len(few) == 0
    table.cancel_all()


@pytest.mark.skipif(HAS_GIL, reason="where there is a GIL, there are no boxes")
def test_a_box_is_emptied_when_one_more_is_done_than_has_room_in_it() -> None:
    table, futures, descriptors = polled()
    futures.reverse()
    descriptors.reverse()
    for _ in range(2):  # the next box is like the first
        gone = [weakref.ref(future) for future in futures[-BOX - 1 :]]
        del futures[-BOX - 1 :]
        for done in range(BOX):
            descriptors.pop().yield_result()
            assert gone[BOX - done]() is not None
        assert all(future() for future in gone)  # those in the box, and the one that is outstanding
        descriptors.pop().yield_result()
        assert not any(future() for future in gone)
    table.cancel_all()


@pytest.mark.skipif(HAS_GIL, reason="where there is a GIL, there are no boxes")
def test_a_thread_whose_box_is_full_leaves_those_of_others_alone() -> None:
    table, futures, descriptors = polled()
    gone = weakref.ref(futures[0])
    one, more = descriptors[:1], descriptors[1 : 3 * BOX]
    futures.clear()
    descriptors.clear()
    InThread(resolve, one).outcome()
    InThread(resolve, more).outcome()  # of two threads that begin one after the other, each has a box of its own
    del one, more
    assert gone() is not None
    assert len(table) == MANY - 3 * BOX
    assert gone() is None
    table.cancel_all()


@pytest.mark.skipif(HAS_GIL, reason="where there is a GIL, there are no boxes")
def test_boxes_rest_once_few_are_left() -> None:
    table, futures, descriptors = polled()
    resolve(descriptors[FEW:])
    gone = weakref.ref(futures[0])
    descriptors[0].yield_result()
    futures.clear()
    descriptors.clear()
    assert gone() is None
    table.cancel_all()


@pytest.mark.skipif(HAS_GIL, reason="where there is a GIL, there are no boxes")
def test_boxes_go_with_their_table() -> None:
    table, futures, descriptors = polled()  # makes what is made once
    resolve(descriptors)
    del table, futures, descriptors
    tracemalloc.start()
    try:
        before = sizes_of_blocks()
        small = new_table(FullListTable)
        small.adopt_many(None, [0] * BOX)
        resolve(small.take_all())
        assert sizes_of_blocks() <= before  # it has none
        table, futures, descriptors = polled()
        resolve(descriptors)
        assert sizes_of_blocks() > before
        del table, futures, descriptors
        gc.collect()
        assert sizes_of_blocks() <= before
    finally:
        tracemalloc.stop()


def sizes_of_blocks() -> int:
    """How many bytes there are in blocks that are as large as all the boxes of a table, or larger."""
    return sum(trace.size for trace in tracemalloc.take_snapshot().traces if trace.size >= 8 * BOX * 8)


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


@pytest.mark.skipif(HAS_GIL, reason="where there is a GIL, there are no boxes")
@pytest.mark.parametrize("others", [0, BOX])
def test_what_refers_to_others_is_seen_by_the_collector_although_it_hid_it_when_it_was_done(others: int) -> None:
    # 1. The collector is about to hide tasks, and sees some that are not done. 2. A thread ends them, and puts them in
    # a box. 3. The collector goes on, and hides them. 4. They leave the table, and are to be seen again.
    table = new_table(FullListTable)
    futures = table.adopt_many(None, [Thing(), *[0] * MANY])
    descriptors = table.take_all()
    descriptors[2].yield_result()  # 2
    descriptors[0].yield_result(1)
    descriptors[1].yield_result(Thing())
    for thing in (descriptors[0], descriptors[1], futures[1]):
        assert gc.is_tracked(thing)
        ctypes.pythonapi.PyObject_GC_UnTrack(ctypes.py_object(thing))  # 3
    resolve(descriptors[3 : 3 + others])  # 4, when the box is full, or else when somebody looks
    assert len(table) == MANY - 2 - others
    assert [gc.is_tracked(descriptor) for descriptor in descriptors[:3]] == [True, True, False]
    assert [gc.is_tracked(future) for future in futures[:3]] == [False, True, False]
    table.cancel_all()
