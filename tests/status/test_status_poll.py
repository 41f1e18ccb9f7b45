"""StatusPoll: whom it asks about, what it does with statuses, and what concerns one task only."""

from __future__ import annotations

import functools
import sys
import threading
import traceback
import weakref
from typing import Any

import pytest
from status_poll_support import Clock, FakeDescriptor, Service, key, outcomes, outstanding, resolve, status
from support import PATIENCE, HeardLogger, SomeError, Thing, all_at_once, is_gone

from more_executors import Executors, PollExecutor, SyncExecutor
from more_executors.rate_limit import Throttled
from more_executors.status_poll import StatusPoll, TaskMissing
from more_executors.status_poll._missing_tasks import MANY_MISSING


def test_it_asks_about_all_tasks_at_once_and_resolves_those_whose_statuses_say_so() -> None:
    service = Service([status("c"), status("b", "running"), status("a")])
    tasks = outstanding("a", "b", "c")
    assert StatusPoll(service.fetch, key, resolve)(tasks) is None
    assert service.asked == [["a", "b", "c"]]
    assert outcomes(tasks) == [("result", "a"), None, ("result", "c")]


def test_with_nobody_to_ask_about_it_does_not_ask() -> None:
    service = Service()
    StatusPoll(service.fetch, key, resolve)([])
    assert service.asked == []


def test_a_reply_may_be_a_mapping_of_ids_and_then_needs_no_key() -> None:
    def unasked(_: object) -> Any:
        raise AssertionError("asked for an id")

    for no_key in (None, unasked):
        tasks = outstanding(1, 2, 3)
        service = Service({3: status(3), 1: status(1)})
        StatusPoll(service.fetch, no_key, resolve)(tasks)
        assert outcomes(tasks) == [("result", 1), None, ("result", 3)]


def test_a_reply_may_be_any_iterable() -> None:
    tasks = outstanding(1, 2)
    StatusPoll(lambda ids: (status(each) for each in ids), key, resolve)(tasks)
    assert outcomes(tasks) == [("result", 1), ("result", 2)]


def test_what_has_come_is_resolved_when_a_reply_breaks_off() -> None:
    def fetch(ids: list[int]) -> Any:
        yield status(ids[0])
        raise SomeError

    tasks = outstanding(1, 2)
    with pytest.raises(SomeError):
        StatusPoll(fetch, key, resolve, missing_after=0)(tasks)
    assert outcomes(tasks) == [("result", 1), None]


def test_an_id_can_be_a_part_of_what_the_callable_returned() -> None:
    service = Service([status(1), status(2)])
    tasks = outstanding({"number": 1}, {"number": 2})
    StatusPoll(service.fetch, key, resolve, id=lambda result: result["number"])(tasks)
    assert service.asked == [[1, 2]]
    assert outcomes(tasks) == [("result", 1), ("result", 2)]


def test_tasks_of_the_same_id_are_asked_about_once_and_each_is_resolved() -> None:
    service = Service([status(1), status(2)])
    tasks = outstanding(1, 2, 1, 1.0)
    StatusPoll(service.fetch, key, resolve)(tasks)
    assert service.asked == [[1, 2]]
    assert outcomes(tasks) == [("result", 1), ("result", 2), ("result", 1), ("result", 1)]


def test_a_task_that_is_in_the_list_twice_is_resolved_once() -> None:
    (task,) = outstanding(1)
    seen: list[Any] = []
    StatusPoll(Service([status(1)]).fetch, key, lambda descriptor, _: seen.append(descriptor))([task, task])
    assert seen == [task]


def test_fetch_may_do_with_the_list_of_ids_what_it_likes() -> None:
    def fetch(ids: list[int]) -> list[Any]:
        reply = [status(each) for each in ids]
        ids.clear()
        return [*reply, *reply]

    logger = HeardLogger()
    tasks = outstanding(1, 2)
    StatusPoll(fetch, key, resolve, logger=logger)(tasks)
    assert outcomes(tasks) == [("result", 1), ("result", 2)]
    (warning,) = logger.of_level("WARNING")
    assert "two statuses of 1," in warning


# -- what goes wrong with one ----------------------------------------------------------------------------------------


def test_a_task_whose_resolve_raises_fails_with_that_and_others_are_resolved() -> None:
    tasks = outstanding(1, 2, 2, 3)
    StatusPoll(Service([status(1), status(2, "exploded"), status(3)]).fetch, key, resolve)(tasks)
    assert outcomes([tasks[0], tasks[3]]) == [("result", 1), ("result", 3)]
    for task in tasks[1:3]:
        assert isinstance(task.error, ValueError)
        assert task.error.args == ("exploded",)


def test_an_error_of_resolve_after_it_resolved_changes_nothing() -> None:
    def resolve(descriptor: Any, _: object) -> None:
        descriptor.yield_result("early")
        raise SomeError

    tasks = outstanding(1)
    StatusPoll(Service([status(1)]).fetch, key, resolve)(tasks)
    assert outcomes(tasks) == [("result", "early")]


def test_the_traceback_of_a_failed_task_begins_in_the_function_of_the_user() -> None:
    def id_of(result: int) -> int:
        return 1 // result

    tasks = outstanding(1, 0)
    StatusPoll(Service([status(1, "exploded")]).fetch, key, resolve, id=id_of)(tasks)
    begins = [traceback.extract_tb(task.error.__traceback__)[0].name for task in tasks]
    assert begins == ["resolve", "id_of"]


def test_a_task_without_a_usable_id_fails_and_others_are_resolved() -> None:
    service = Service([status(1)])
    tasks = outstanding([], 1)
    StatusPoll(service.fetch, key, resolve)(tasks)
    assert isinstance(tasks[0].error, TypeError)
    assert "unhashable" in str(tasks[0].error)
    assert tasks[1].outcome == ("result", 1)
    assert service.asked == [[1]]


def test_it_does_not_ask_when_no_task_has_an_id() -> None:
    def id_of(_: object) -> Any:
        raise SomeError

    service = Service()
    tasks = outstanding(1, 2)
    StatusPoll(service.fetch, key, resolve, id=id_of)(tasks)
    assert [type(task.error) for task in tasks] == [SomeError, SomeError]
    assert service.asked == []


@pytest.mark.parametrize("error", [SomeError(), SystemExit(), KeyboardInterrupt(), Throttled(3)])
def test_what_fetch_raises_goes_out_of_the_call_and_concerns_no_task(error: BaseException) -> None:
    tasks = outstanding(1)
    with pytest.raises(type(error)) as raised:
        StatusPoll(Service(error).fetch, key, resolve, missing_after=0)(tasks)
    assert raised.value is error
    assert outcomes(tasks) == [None]


@pytest.mark.parametrize("error", [Throttled(), SystemExit(), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["key", "resolve", "id"])
def test_throttled_and_what_is_to_end_the_program_goes_out_of_the_call_from_anywhere(
    error: BaseException, where: str
) -> None:
    def raising(*_: object) -> Any:
        raise error

    functions: dict[str, Any] = {"key": key, "resolve": resolve, "id": None, where: raising}
    tasks = outstanding(1, 2)
    with pytest.raises(type(error)):
        StatusPoll(Service([status(1), status(2)]).fetch, missing_after=0, **functions)(tasks)
    assert outcomes(tasks) == [None, None]


# -- as an executor's poll function ----------------------------------------------------------------------------------


def test_it_polls_for_an_executor() -> None:
    states: dict[int, str] = {}

    def start(number: int) -> int:
        states[number] = "running"
        return number

    def fetch(ids: list[int]) -> list[Any]:
        reply = [status(each, states[each]) for each in ids]
        states.update((each, "exploded" if each == 7 else "finished") for each in ids)
        return reply

    poll = StatusPoll(fetch, key, resolve)
    with Executors.sync().with_poll(poll, default_interval=0.001) as executor:
        futures = [executor.submit(start, number) for number in range(10)]
        errors = [future.exception(PATIENCE) for future in futures]
    assert str(errors.pop(7)) == "exploded"
    assert errors == [None] * 9
    assert futures[9].result() == 9


def test_an_error_of_fetch_fails_the_tasks_as_that_of_any_poll_function_does() -> None:
    poll = StatusPoll(Service(SomeError()).fetch, key, resolve)
    with PollExecutor(SyncExecutor(), poll, logger=HeardLogger()) as executor:
        assert isinstance(executor.submit(str).exception(PATIENCE), SomeError)


def test_a_failed_task_keeps_no_other_alive() -> None:
    def fetch(ids: list[Thing]) -> dict[Thing, str]:
        return dict.fromkeys(ids[:1], "failed") | dict.fromkeys(ids[1:], "finished")

    def resolve(descriptor: Any, state: str) -> None:
        if state == "failed":
            raise SomeError
        descriptor.yield_result()

    things = [Thing() for _ in range(3)]
    tasks = outstanding(*things)
    StatusPoll(fetch, None, resolve)(tasks)
    error = tasks[0].error
    others = [weakref.ref(thing) for thing in things[1:]]
    del tasks, things
    assert all(map(is_gone, others))
    assert isinstance(error, SomeError)


def test_nothing_of_a_call_is_kept_when_it_is_over() -> None:
    service = Service()
    poll = StatusPoll(service.fetch, key, resolve)
    thing = Thing()
    poll(outstanding(thing))
    reference = weakref.ref(thing)
    service.asked.clear()
    del thing
    assert is_gone(reference)


def test_several_calls_at_once_do_not_disturb_each_other() -> None:
    threads = 4
    together = threading.Barrier(threads)

    def fetch(ids: list[int]) -> list[Any]:
        together.wait(PATIENCE)
        return [status(each, "running" if each % 3 == 2 else "finished") for each in ids if each % 3] + [status(-1)]

    logger = HeardLogger()
    poll = StatusPoll(fetch, key, resolve, missing_after=0, logger=logger)
    tasks = outstanding(*range(300 * threads))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        all_at_once(*(functools.partial(poll, tasks[n::threads]) for n in range(threads)))
    finally:
        sys.setswitchinterval(interval)
    assert {task.result % 3 for task in tasks if not task.done} == {2}
    assert all(task.outcome == ("result", task.result) for task in tasks if task.result % 3 == 1)
    assert all(isinstance(task.error, TaskMissing) for task in tasks if task.result % 3 == 0)
    assert len(logger.of_level("WARNING")) == 1
    assert poll._missing.since == {}


def test_calls_at_once_forget_who_is_gone_together() -> None:
    poll = StatusPoll(Service().fetch, key, resolve, missing_after=60)
    alive = outstanding("alive")
    poll(alive)

    def call_often() -> None:
        for _ in range(20):
            tasks = outstanding(*range(100))
            poll(tasks)
            for task in tasks:
                task.cancel()

    all_at_once(*[call_often] * 4)
    assert alive[0] in poll._missing.since
    # Each of the four adds its hundred before it looks whether there are too many.
    assert len(poll._missing.since) <= 2 * (MANY_MISSING + 4 * 100) + 4 * 100


def test_a_few_that_somebody_else_ended_are_forgotten_after_a_while() -> None:
    clock, service = Clock(), Service([])
    poll: Any = StatusPoll(service.fetch, key, resolve, missing_after=10, clock=clock)
    gone, there = outstanding(1, 2)
    poll([gone, there])
    gone.cancel()
    clock.now += 5
    poll([there])
    assert len(poll._missing.since) == 2
    clock.now += 4
    poll([there])
    clock.now += 1
    poll([other := FakeDescriptor(3)])
    assert gone not in poll._missing.since
    assert other in poll._missing.since


def test_throttled_for_the_second_of_two_of_the_same_id_goes_out_of_the_call() -> None:
    def throttles(descriptor: Any, status: Any) -> None:
        asked.append(descriptor)
        if len(asked) == 2:
            raise Throttled(5)

    asked: list[Any] = []
    twins = outstanding(1, 1)
    with pytest.raises(Throttled):
        StatusPoll(Service([status(1)]).fetch, key, throttles)(twins)
    assert asked == twins
    assert outcomes(twins) == [None, None]
