"""Answers about cancelling that come when nobody waits for them any more."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import Books, FakeWorkers, sharded_executor, start_task
from support import PATIENCE

from more_executors._core import ShardTask


def test_a_task_that_is_cancelled_too_late_to_be_told_ends_all_the_same(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    may_cancel = threading.Event()

    def cancel(ident: str) -> bool:
        may_cancel.wait(PATIENCE)
        return True

    books.cancel = cancel  # type: ignore[method-assign]
    with sharded_executor(shards=1) as executor:
        service: Any = executor._service
        service._longest_cancel = 0.0
        future = executor.submit(start_task, "a")
        wait_until(lambda: executor.stats().polled == 1)
        assert not future.cancel()
        assert not future.done()
        may_cancel.set()
        assert isinstance(future.exception(PATIENCE), CancelledError)
        wait_until(lambda: executor.shards()[0].tasks == 0)


def test_who_waits_hears_the_answers_that_came_in_time() -> None:
    from more_executors.dask.sharded._link import CancelRequest

    first, second, third = tasks = [ShardTask(number, None, number) for number in range(3)]
    request = CancelRequest(tasks)
    assert request.answer(first, True)
    assert request.answer(second, False)
    assert request.wait(0) == {first}
    assert not request.answer(third, True)
    assert not request.answer(first, False)  # of a shard that was lost: it has been answered


def test_an_answer_is_not_heard_by_who_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    from more_executors.dask.sharded._link import CancelRequest

    def interrupted(_: float) -> bool:
        raise KeyboardInterrupt

    task = ShardTask(1, None, "a")
    request = CancelRequest([task])
    monkeypatch.setattr(request._is_answered, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        request.wait(1)
    assert not request.answer(task, True)
