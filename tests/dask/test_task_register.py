"""The register of tasks that a client has on its shards."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from typing import Any

import pytest

from more_executors import Executors
from more_executors._core import Future, RemoteCall, ShardTask, TaskRegister

PLAIN = frozenset({int, str, type(None)})


def task_of(result: Any, number: int = 1) -> ShardTask:
    task = ShardTask(number, None, result)
    task.result = result
    return task


class Polled:
    """Futures and descriptors of tasks that nobody has resolved."""

    def __init__(self) -> None:
        self._descriptors: dict[int, Any] = {}
        self.executor = Executors.sync().with_poll(self._poll, default_interval=60.0)

    def _poll(self, descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            self._descriptors[id(descriptor.result)] = descriptor

    def descriptor(self, result: Any) -> tuple[Any, Any]:
        from dask_support import wait_until

        future = self.executor.submit(lambda: result)
        wait_until(lambda: id(result) in self._descriptors)
        return future, self._descriptors.pop(id(result))


@pytest.fixture
def polled() -> Iterator[Polled]:
    pytest.importorskip("distributed")
    polled = Polled()
    yield polled
    polled.executor.leave()
    del polled.executor, polled._descriptors  # pytest keeps the fixture for a while


@pytest.mark.parametrize("seed", range(5))
def test_each_task_is_found_as_long_as_it_is_there(seed: int) -> None:
    chance = random.Random(seed)
    register = TaskRegister()
    there: dict[int, ShardTask] = {}
    for number in range(6000):
        if there and chance.random() < (0.2 if number < 3000 else 0.8):
            task = there.pop(chance.choice(list(there)))
            register.remove(task)
            assert register.of(task.result) is None
            register.remove(task)  # which is not there
        else:
            task = task_of(object(), number)
            register.add_all([task])
            there[number] = task
        if number % 97 == 0:
            assert len(register) == len(there)
            assert all(register.of(task.result) is task for task in there.values())
            assert register.of(object()) is None


def test_tasks_that_are_known_as_the_same_are_all_found() -> None:
    register = TaskRegister()
    tasks = [task_of("a", number) for number in range(50)]
    register.add_all([*tasks, *(task_of(object()) for _ in range(100))])
    random.Random(1).shuffle(tasks)
    for left in range(50, 0, -1):
        assert len(register) == 100 + left
        found = register.of("a")
        assert found in tasks
        register.remove(tasks.pop())
    assert register.of("a") is None


def test_each_descriptor_claims_a_task_of_its_own(polled: Polled) -> None:
    register = TaskRegister()
    result = object()
    descriptors = [polled.descriptor(result)[1] for _ in range(3)]
    register.add_all([task_of(result, 1), task_of(result, 2)])
    claimed = register.claim_all(descriptors)
    assert {task and task.number for task in claimed} == {1, 2, None}
    assert [task.descriptor for task in claimed if task is not None] == descriptors[:2]
    with pytest.raises(TypeError):
        register.claim_all([object()])


def test_what_ends_as_it_was_sent_is_ended(polled: Polled) -> None:
    register = TaskRegister(PLAIN)
    ids = [object(), object(), object()]
    tasks = [task_of(ident, number) for number, ident in enumerate(ids)]
    register.add_all(tasks)
    ends = [polled.descriptor(ident) for ident in ids[:2]]
    register.claim_all([descriptor for _, descriptor in ends])
    assert register.end_all([*tasks, None], ["done", b"", "later", "nobody's"]) == [(tasks[1], b"")]
    assert ends[0][0].result(0) == "done"
    assert not ends[1][0].done()
    assert tasks[2].outcome == ["later"]
    assert register.of(ids[0]) is None
    assert [register.of(ident) for ident in ids[1:]] == tasks[1:]


def test_what_is_known_as_it_was_sent_is_created() -> None:
    register = TaskRegister(PLAIN)
    calls = [RemoteCall(Future(), abs, (), {}) for _ in range(3)]
    calls[2] = RemoteCall(Future(), abs, (), {}, object())
    tasks = [ShardTask(number, None, sent) for number, sent in enumerate(("a", b"", "c", "nobody's"))]
    assert register.create_all([*calls, None], tasks) == [(calls[1], tasks[1]), (calls[2], tasks[2])]
    assert calls[0].future.result(0) == "a"
    assert register.of("a") is tasks[0]
    assert len(register) == 1


def test_what_was_created_already_is_no_error() -> None:
    register = TaskRegister(PLAIN)
    call = RemoteCall(Future(), abs, (), {})
    call.future.set_result("before")
    assert register.create_all([call], [ShardTask(1, None, "a")]) == []
    assert call.future.result(0) == "before"


def test_the_future_of_a_call_is_seen_by_the_collector_only_once_it_needs_to_be() -> None:
    futures = [Future(), Future()]
    calls = [RemoteCall(future, abs, (), {}) for future in futures]
    assert not any(map(gc.is_tracked, futures))
    calls[0].future.set_result([])
    calls[1].future.set_result(1)
    assert [gc.is_tracked(future) for future in futures] == [True, False]
    with pytest.raises(TypeError):
        RemoteCall(5, abs, (), {})  # type: ignore[arg-type]
