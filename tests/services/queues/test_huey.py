"""Huey: what futures of tasks give, by a Huey in memory, whose tasks run in the test."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from typing import Any

import pytest
from queue_stand import Store, StoreTests, polled, polling
from support import PATIENCE

from more_executors.journal import StartInDoubt
from more_executors.services import Service
from more_executors.services.queues import HueyTasks, NothingHeard, RemoteTraceback

huey_package = pytest.importorskip("huey", reason="needs the extra `huey`")
Error = pytest.importorskip("huey.utils").Error
TaskException = pytest.importorskip("huey.exceptions").TaskException


class StandIn(Store):
    """A Huey in memory, which can be away, and its tasks."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.huey = huey_package.MemoryHuey(**{"store_none": True, **options})
        storage = self.huey.storage
        peek_many = storage.peek_many

        def answered(keys: list[str]) -> dict[str, Any]:
            self.check_is_there()
            found = {key: value for key, value in peek_many(keys).items() if key not in self.left_out}
            self.wait_to_answer()
            return found

        storage.peek_many = answered
        self.failures = 0

        @self.huey.task()
        def add(first: int, second: int) -> int:
            return first + second

        @self.huey.task()
        def none() -> None:
            return None

        @self.huey.task(retries=1)
        def fail_once() -> str:
            self.failures += 1
            if self.failures == 1:
                raise KeyError("once")
            return "at last"

        @self.huey.task()
        def fail() -> None:
            raise KeyError("the key")

        self.add, self.none, self.fail_once, self.fail = add, none, fail_once, fail

    def work(self, times: int | None = None) -> None:
        """Run what is in the queue."""
        while times != 0 and (task := self.huey.dequeue()) is not None:
            self.huey.execute(task)
            times = None if times is None else times - 1

    def error(self, task: str, retries: int) -> None:
        told = {"error": "ValueError('no')", "retries": retries, "traceback": "Traceback …", "task_id": task}
        self.huey.put_result(task, Error(told))


@pytest.fixture(autouse=True)
def nothing_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pytest keeps of the log has tracebacks, and so what tests have."""
    monkeypatch.setattr(logging.getLogger("huey"), "disabled", True)


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def tasks(stand_in: StandIn) -> HueyTasks:
    made = HueyTasks(stand_in.huey)
    made.interval = 0.01
    return made


class TestTheKit(StoreTests):
    states_that_go_on = ("to be tried again",)
    failure = TaskException
    stand_in: StandIn
    # It says nothing of a task that goes on, so there is nothing to forget: a test below has those it never hears of.
    test_a_task_that_the_service_forgets_fails_alone: Any = None
    test_the_last_task_that_is_outstanding_may_be_forgotten: Any = None
    # Nor of one that was revoked: `test_only_what_is_in_the_queue_is_cancelled`.
    test_many_are_cancelled_and_one_of_them_is_too_late: Any = None

    def make_service(self) -> HueyTasks:
        self.stand_in = StandIn()
        made = HueyTasks(self.stand_in.huey, silent_after=math.inf)  # it says nothing of what goes on
        made.interval = 0.005
        return made

    def start(self, service: Service[Any, Any, Any], tag: str | None = None) -> str:
        task: str = service.start(self.stand_in.add, 1, 2, tag=tag)
        return task

    def finish(self, task: str) -> str:
        self.stand_in.huey.put_result(task, f"the result of {task}")
        return f"the result of {task}"

    def fail(self, task: str) -> None:
        self.stand_in.error(task, 0)

    def go_on(self, task: str, state: str) -> None:
        self.stand_in.error(task, 1)

    def is_cancelled(self, task: str) -> bool:
        return bool(self.stand_in.huey.is_revoked(huey_package.api.Task(id=task)))

    def reuse(self, task: str) -> str:
        self.stand_in.huey.delete(task)
        return task


def test_tasks_that_were_run_end_as_they_ended(tasks: HueyTasks, stand_in: StandIn) -> None:
    ids = [tasks.start(stand_in.add, 1, second=2), tasks.start(stand_in.none), tasks.start(stand_in.fail)]
    stand_in.work()
    with polling(tasks) as executor:
        added, none, failed = executor.adopt_many(ids)
        assert added.result(PATIENCE) == 3
        assert none.result(PATIENCE) is None
        error = failed.exception(PATIENCE)
    assert isinstance(error, TaskException)
    assert "KeyError('the key')" in str(error)
    assert isinstance(error.__cause__, RemoteTraceback)
    assert "raise KeyError" in str(error.__cause__)


def test_the_error_of_a_task_that_is_tried_again_ends_nothing(tasks: HueyTasks, stand_in: StandIn) -> None:
    with polling(tasks) as executor:
        future = executor.submit(tasks.start, stand_in.fail_once)
        stand_in.work(1)
        polled(executor)
        assert not future.done()
        assert [task.state for task in executor.outstanding()] == ["retrying"]
        stand_in.work()
        assert future.result(PATIENCE) == "at last"


def test_results_are_left_for_others_until_they_are_forgotten(tasks: HueyTasks, stand_in: StandIn) -> None:
    result = stand_in.add(1, 2)
    stand_in.work()
    with polling(tasks) as executor:
        assert executor.adopt(result).result(PATIENCE) == 3
        assert executor.adopt(result.id).result(PATIENCE) == 3
    assert stand_in.huey.result(result.id, preserve=True) == 3
    tasks.forget([result])
    assert stand_in.huey.result(result.id, preserve=True) is None


def test_a_task_in_doubt_is_found_by_its_result_or_in_the_queue_and_stays_in_doubt_otherwise(
    tasks: HueyTasks, stand_in: StandIn
) -> None:
    tasks.start(stand_in.add, 1, 2, tag="has-ended")
    stand_in.work()
    tasks.start(stand_in.add, 1, 2, tag="runs")
    assert stand_in.huey.dequeue().id == "runs"
    tasks.start(stand_in.add.s(1, 2).then(stand_in.add, 10), tag="waits")
    found = tasks.find(["has-ended", "runs", "waits"])
    assert isinstance(found.pop("runs"), StartInDoubt)
    assert found == {"has-ended": "has-ended", "waits": "waits"}


def test_a_pipeline_has_the_result_of_its_last_task(tasks: HueyTasks, stand_in: StandIn) -> None:
    with polling(tasks) as executor:
        future = executor.submit(tasks.start, stand_in.add.s(1, 2).then(stand_in.add, 10))
        stand_in.work()
        assert future.result(PATIENCE) == 13


def test_one_that_nothing_is_heard_of_fails_in_time_and_says_what_may_be(stand_in: StandIn) -> None:
    now = [0.0]
    tasks = HueyTasks(stand_in.huey, silent_after=0.05, clock=lambda: now[0])
    tasks.interval = 0.01
    stand_in.error("tried again", 2)
    with polling(tasks) as executor:
        unknown, again = executor.adopt_many(["unknown", "tried again"])
        error = unknown.exception(PATIENCE)
        assert isinstance(error, NothingHeard)
        assert "revoked" in str(error)
        assert not again.done()
        now[0] = 1.0
        assert "tried again" in str(again.exception(PATIENCE))


def test_only_what_is_in_the_queue_is_cancelled(tasks: HueyTasks, stand_in: StandIn) -> None:
    waits, runs, ended, later = (tasks.start(stand_in.add, 1, number) for number in range(4))
    queued = [stand_in.huey.dequeue() for _ in range(4)]
    for task in queued:
        if task.id == waits:
            stand_in.huey.enqueue(task)
        elif task.id == ended:
            stand_in.huey.execute(task)
        elif task.id == later:
            stand_in.huey.add_schedule(task)
    assert tasks.cancel_many([waits, runs, ended, later]) == [True, False, False, True]
    assert [stand_in.huey.is_revoked(huey_package.api.Task(id=one)) for one in (waits, runs, ended, later)] == [
        True,
        False,
        False,
        True,
    ]
    stand_in.work()
    assert stand_in.huey.result(waits, preserve=True) is None
    assert not tasks.cancel(ended)


@pytest.mark.parametrize("options", [{}, {"revoke_once": True}, {"revoke_until": datetime(2099, 1, 1)}])
def test_what_others_have_revoked_stays_as_it_was(tasks: HueyTasks, stand_in: StandIn, options: dict[str, Any]) -> None:
    runs = tasks.start(stand_in.add, 1, 2)
    stand_in.huey.dequeue()
    stand_in.huey.revoke_by_id(runs, **options)
    key = huey_package.api.Task(id=runs).revoke_id
    revoked = stand_in.huey.get(key, peek=True)
    assert not tasks.cancel(runs)
    assert stand_in.huey.get(key, peek=True) == revoked is not None


def test_one_that_waits_and_was_revoked_before_is_cancelled(tasks: HueyTasks, stand_in: StandIn) -> None:
    for_good, for_a_time = (tasks.start(stand_in.add, 1, number) for number in range(2))
    stand_in.huey.revoke_by_id(for_good)
    stand_in.huey.revoke_by_id(for_a_time, revoke_until=datetime(2099, 1, 1))
    assert tasks.cancel_many([for_good, for_a_time]) == [True, True]
    keys = [huey_package.api.Task(id=one).revoke_id for one in (for_good, for_a_time)]
    assert [stand_in.huey.get(key, peek=True) for key in keys] == [(None, False), (None, True)]


def test_one_that_is_to_be_tried_again_is_cancelled(tasks: HueyTasks, stand_in: StandIn) -> None:
    again = tasks.start(stand_in.fail_once)
    stand_in.work(1)
    assert tasks.cancel(again)
    stand_in.work()
    assert stand_in.failures == 1


def test_a_queue_that_is_lost_leaves_a_start_in_doubt(tasks: HueyTasks, stand_in: StandIn) -> None:
    def lost(*_: Any) -> None:
        raise ConnectionResetError("lost")

    stand_in.huey.storage.enqueue = lost
    with pytest.raises(StartInDoubt, match="the-tag"):
        tasks.start(stand_in.add, 1, 2, tag="the-tag")


def test_what_is_no_task_of_it_is_not_sent(tasks: HueyTasks, stand_in: StandIn) -> None:
    for wrong in (print, "add", StandIn().add):
        with pytest.raises(TypeError, match="task"):
            tasks.start(wrong, 1, 2)
    with pytest.raises(TypeError, match="args"):
        tasks.start(stand_in.add.s(1, 2), 3)


@pytest.mark.parametrize("options", [{"store_none": False}, {"results": False}])
def test_none_must_be_stored(options: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="store_none=True"):
        HueyTasks(StandIn(**options).huey)


@pytest.mark.parametrize(("options", "error"), [({"silent_after": -1}, ValueError), ({"clock": 1}, TypeError)])
def test_options_are_checked(stand_in: StandIn, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        HueyTasks(stand_in.huey, **options)
    with pytest.raises(TypeError, match="huey"):
        HueyTasks("huey")
