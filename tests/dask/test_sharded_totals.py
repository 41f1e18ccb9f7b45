"""Figures that only grow, when shards are lost or moved."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import Books, FakeWorkers, sharded_executor, start_task, the_books
from support import PATIENCE

from more_executors import Executors
from more_executors.dask.sharded._link import Link
from more_executors.dask.sharded._stats import stats_of
from more_executors.poll.stats import PollStats

FIGURES = PollStats(*[0] * len(PollStats._fields))._replace(states={})


def make_one_that_may_fail() -> Any:
    books = the_books()

    def poll(descriptors: list[Any]) -> None:
        if any("boom" in descriptor.result for descriptor in descriptors):
            del descriptors  # of which the traceback is kept, as it is logged
            raise OSError("boom")
        books.poll(descriptors)

    return Executors.thread_pool(1).with_poll(poll, books.cancel, default_interval=0.01)


def hear(link: Link, **figures: Any) -> PollStats:
    """What is known of `link` once it has said this."""
    link.take(pickle.dumps((0, 0, 1, [], tuple(FIGURES._replace(**figures)), None)))
    polls = stats_of(link, 0.0, False).polls
    assert polls is not None
    return polls


def test_totals_are_those_of_all_generations() -> None:
    link = Link(0, "name")
    assert link.figures == ()
    assert hear(link, calls=5, errors=1, throttled=1, due=7, lag=2.0) == FIGURES._replace(
        calls=5, errors=1, throttled=1, due=7, lag=2.0
    )
    assert hear(link, calls=10, errors=3, done=4, failed=2, cancelled=1, due=7).calls == 10
    link.begin_again(0.0)
    assert stats_of(link, 0.0, False).polls.calls == 10  # type: ignore[union-attr]
    link.begin_again(0.0)  # one that was never heard
    polls = hear(link, calls=1, errors=1, throttled=1, done=1, failed=1, cancelled=1, due=2, states={"running": 1})
    assert (polls.calls, polls.errors, polls.throttled) == (11, 4, 1)
    assert (polls.done, polls.failed, polls.cancelled) == (5, 3, 2)
    assert (polls.due, polls.lag, polls.states) == (2, 0, {"running": 1})
    assert hear(link, calls=2, errors=1).calls == 12


@pytest.mark.parametrize("way", ["drain", "kill"])
def test_errors_are_not_forgotten_with_a_shard(way: str, workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=1, make=make_one_that_may_fail) as executor:
        assert isinstance(executor.submit(start_task, "boom").exception(PATIENCE), OSError)
        executor.notify()
        wait_until(lambda: executor.stats().errors == 1)
        worker, calls = executor.shards()[0].worker, executor.stats().calls
        if way == "drain":
            assert executor.drain(worker, PATIENCE)
        else:
            workers.kill(worker)
        wait_until(lambda: executor.shards()[0].generation == 2)
        assert executor.submit(start_task, "a").result(PATIENCE).startswith("task-a-")
        executor.notify()  # so it says how it is
        wait_until(lambda: executor.stats().calls > calls)
        assert executor.stats().errors == 1
