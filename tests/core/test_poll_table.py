"""The table of what is due, without an executor: its heaps against a model of them."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from paced_support import new_table
from support import Thing

from more_executors import _core

GROUPS = 3


class Waiting:
    """What the model knows of a task that is not done."""

    def __init__(self, serial: int, when: float) -> None:
        self.serial = serial
        self.when = when
        self.future: Any = None
        self.descriptor: Any = None
        self.call: list[Any] | None = None  # the list it was handed out in, while that call goes on
        self.asked = False  # for now, while it is in a call
        self.by_hand: float | None = None  # asked for in a call
        self.polls = 0


class TableMachine(RuleBasedStateMachine):
    """Numbers stand for results; those that leave the same remainder are a group."""

    group_by: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.patches = pytest.MonkeyPatch()
        self.patches.setattr(_core, "monotonic", lambda: self.now)
        self.table = new_table(group_by=self.group_by)
        self.owner = Thing()
        self.serial = 0
        self.tasks: list[Waiting] = []
        self.calls: list[list[Any]] = []

    def waiting(self) -> list[Waiting]:
        return [task for task in self.tasks if task.call is None]

    def of(self, descriptor: Any) -> Waiting | None:
        return next((task for task in self.tasks if task.serial == descriptor.result), None)

    @rule(count=st.sampled_from([1, 2, 3, 30]))
    def join(self, count: int) -> None:
        results = range(self.serial, self.serial + count)
        self.serial += count
        joined = [Waiting(i, self.now) for i in results]
        for task, future in zip(joined, self.table.adopt_many(self.owner, list(results)), strict=True):
            task.future = future
        self.tasks += joined

    @rule(seconds=st.sampled_from([0.25, 1.0, 5.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(at_most=st.sampled_from([1, 2, 5, 10**9]), early=st.sampled_from([0.0, 0.0, 1.0, 3.0]))
    def take_all(self, at_most: int, early: float) -> None:
        until = self.now - early
        tasks, late = self.table.take_due(until, at_most, self.now)
        handed_out = [self.of(descriptor) for descriptor in tasks]
        assert None not in handed_out
        due = [task for task in self.waiting() if task.when <= until]
        if not due:
            assert (tasks, late) == ([], -1.0)
            return
        groups = {task.serial % GROUPS if self.group_by else 0 for task in handed_out}
        assert len(groups) == 1
        (group,) = groups
        times = sorted(task.when for task in due if not self.group_by or task.serial % GROUPS == group)
        assert [task.when for task in handed_out] == times[:at_most]
        assert late == self.now - times[0]
        for task, descriptor in zip(handed_out, tasks, strict=True):
            assert task.call is None
            task.descriptor = descriptor
            task.call, task.asked, task.by_hand = tasks, False, None
            task.polls += 1
            assert task.descriptor.polls == task.polls
        self.calls.append(tasks)

    def comes_back(self, data: Any) -> tuple[list[Any], list[Waiting]]:
        tasks = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        return tasks, [task for task in self.tasks if task.call is tasks]

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), seconds=st.sampled_from([-1.0, 0.0, 2.0, 7.0, inf]), took=st.sampled_from([0.0, 1.0, 6.0]))
    def reschedule(self, data: Any, seconds: float, took: float) -> None:
        tasks, back = self.comes_back(data)
        self.table.reschedule(tasks, self.now - took, seconds, 4.0)
        delay = 4.0 if seconds < 0 else seconds
        for task in back:
            task.when = max(self.now - took + delay, self.now + delay / 2)
            if task.asked:
                task.when = self.now
            elif task.by_hand is not None:
                task.when = task.by_hand
            task.call = None

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 2.0, 50.0, inf]))
    def postpone(self, data: Any, seconds: float) -> None:
        tasks, back = self.comes_back(data)
        self.table.postpone(tasks, seconds)
        for task in back:
            task.when = max(self.now + seconds, task.by_hand or 0.0)
            if task.asked:
                task.when = self.now
            task.call = None

    def known(self) -> list[Waiting]:
        return [task for task in self.tasks if task.descriptor]

    @precondition(lambda self: self.known())
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 0.5, 3.0, 60.0, inf]))
    def poll_after(self, data: Any, seconds: float) -> None:
        task = data.draw(st.sampled_from(self.known()))
        task.descriptor.poll_after(seconds)
        if task.call is None:
            task.when = self.now + seconds
        else:
            task.by_hand = self.now + seconds

    @rule()
    def make_all_due(self) -> None:
        self.table.make_all_due()
        for task in self.tasks:
            task.when = min(task.when, self.now)
            task.asked = True

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), how=st.sampled_from(["yield", "fail", "cancel"]), most=st.sampled_from([1, 3, 100]))
    def end(self, data: Any, how: str, most: int) -> None:
        for _ in range(min(most, len(self.tasks))):
            task = self.tasks.pop(data.draw(st.integers(0, len(self.tasks) - 1)))
            if how == "cancel" or not task.descriptor:
                assert task.future.cancel()
            elif how == "yield":
                task.descriptor.yield_result()
            else:
                task.descriptor.yield_exception(ValueError)

    @rule()
    def drop_empty_groups(self) -> None:
        self.table.drop_empty_groups()

    @invariant()
    def counts_agree(self) -> None:
        waiting = self.waiting()
        assert len(self.table) == self.table.polling == len(self.tasks)
        assert self.table.in_calls == len(self.tasks) - len(waiting)
        assert self.table.next_due() == min((task.when for task in waiting), default=inf)
        for when in (self.now, self.now + 3.0, 1e12):
            assert self.table.due(when) == sum(task.when <= when for task in waiting)
            assert self.table.has_due(when) is any(task.when <= when for task in waiting)
        assert [row[0] for row in self.table.polled_tasks()] == [task.serial for task in self.tasks_in_order()]

    def tasks_in_order(self) -> list[Waiting]:
        return sorted(self.tasks, key=lambda task: task.serial)

    def teardown(self) -> None:
        self.table.cancel_all()
        assert len(self.table) == self.table.in_calls == self.table.polling == 0
        self.patches.undo()


class GroupedTableMachine(TableMachine):
    group_by = staticmethod(lambda result: result % GROUPS)


PHASES = [phase for phase in Phase if phase is not Phase.explain]


@pytest.mark.parametrize("machine", [TableMachine, GroupedTableMachine])
def test_the_table_does_as_its_model(machine: Any) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            phases=PHASES,
            suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
        ),
    )


def test_a_heap_of_thousands_stays_in_order() -> None:
    table, owner = new_table(), Thing()
    futures = table.adopt_many(owner, list(range(5000)))
    tasks, _ = table.take_due(1e12, 10_000, 0.0)
    table.reschedule(tasks, _core.monotonic(), 0.0, 0.0)
    begin = table.next_due()
    for i, task in enumerate(tasks):
        task.poll_after((i * 7919) % 5003)
    for future in futures[::3]:
        future.cancel()
    for task in tasks[1::3]:
        task.poll_after((task.result * 104729) % 9973)
    times = []
    while True:
        first = table.next_due()
        some, _ = table.take_due(first, 1, first)
        if not some:
            break
        times.append(first)
    assert len(times) == len(table) == table.in_calls == 3333
    assert times == sorted(times)
    assert times[-1] - begin > 9000
    table.cancel_all()


@pytest.mark.parametrize("kind", [_core.FullListTable, _core.DueTable])
def test_an_option_that_is_misspelt_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="cancel_fm"):
        new_table(kind, cancel_fm=print)
