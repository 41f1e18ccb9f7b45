"""A PollExecutor that polls what is due against a model of it: tasks are polled in their time, and end exactly once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from paced_support import NotedPolicy, PacedClock
from support import DuckDelegate, HeardLogger, SomeError

from more_executors import PollExecutor
from more_executors.rate_limit import Throttled

BATCH = 4
MOST_FAILURES = 3


class Task:
    """What the model knows of one task."""

    future: Future[Any]

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.given: Any = None  # the delegate's future, while that has the task
        self.due = inf
        self.failures = 0
        self.outcome: str | None = None
        self.heard: list[str] = []

    def hear(self, future: Future[Any]) -> None:
        self.future = future
        future.add_done_callback(lambda future: self.heard.append(ended_how(future)))


def ended_how(future: Future[Any]) -> str:
    if future.cancelled():
        return "cancelled"
    return "failed" if future.exception(0) else "finished"


class DueMachine(RuleBasedStateMachine):
    """Time passes in `run` only; what calls do is chosen beforehand."""

    @initialize(grouped=st.booleans(), aside=st.booleans())
    def begin(self, grouped: bool, aside: bool) -> None:
        self.patches = pytest.MonkeyPatch()
        self.clock = PacedClock(self.patches)
        self.grouped = grouped
        self.delegate = DuckDelegate()
        self.executor: PollExecutor[Any, Any] = PollExecutor(
            self.delegate,
            self.poll,
            lambda serial: serial % 5 != 0,
            logger=HeardLogger(),
            min_interval=0.0,
            batch_size=BATCH,
            group_by=(lambda serial: serial % 2) if grouped else None,
            retry_policy=NotedPolicy(most=MOST_FAILURES, seconds=2.0),
        )
        self.executor._engine.table.sets_aside = aside  # as without a `min_interval`; but nothing waits there
        self.tasks: dict[int, Task] = {}
        self.descriptors: dict[int, Any] = {}
        self.plans: list[str] = []
        self.faults: list[str] = []
        self.paused_until = 0.0

    # -- the calls -----------------------------------------------------------------------------------------------

    def poll(self, descriptors: list[Any]) -> Any:
        now, tasks = self.clock.now, [self.tasks[descriptor.result] for descriptor in descriptors]
        for task, descriptor in zip(tasks, descriptors, strict=True):
            self.expect(task.outcome is None and task.given is None, f"{task.serial} is not polled")
            self.expect(task.due <= now, f"{task.serial} is due at {task.due}, not at {now}")
            self.descriptors[task.serial] = descriptor
        self.expect(1 <= len(tasks) <= BATCH, f"a batch of {len(tasks)}")
        self.expect(not self.grouped or len({task.serial % 2 for task in tasks}) == 1, "two groups")
        self.expect(now >= self.paused_until, "a call in a pause")
        return self.carry_out(self.plans.pop() if self.plans else "wait", tasks, now)

    def expect(self, fact: bool, otherwise: str) -> None:
        if not fact:
            self.faults.append(otherwise)

    def carry_out(self, plan: str, tasks: list[Task], now: float) -> Any:
        if plan == "finish":
            for task in tasks[::2]:
                self.ends(task, "finished")
                self.descriptors[task.serial].yield_result()
        pending = [task for task in tasks if task.outcome is None]
        if plan == "fail":
            for task in pending:
                task.failures += 1
                task.due = now + 2.0
                if task.failures >= MOST_FAILURES:
                    self.ends(task, "failed")
            raise SomeError
        if plan == "throttle":
            self.paused_until = now + 3.0
            for task in pending:
                task.due = now
            raise Throttled(3.0)
        delay = {"soon": 0.5, "late": 20.0}.get(plan)
        for task in pending:
            task.failures = 0
            task.due = now + (5.0 if delay is None else delay)
        return delay

    def ends(self, task: Task, outcome: str) -> None:
        if task.outcome is None:
            task.outcome = outcome

    def polled(self) -> list[Task]:
        return [task for task in self.tasks.values() if task.outcome is None and task.given is None]

    def pending(self) -> list[Task]:
        return [task for task in self.tasks.values() if task.outcome is None]

    # -- the steps -----------------------------------------------------------------------------------------------

    def settled(self, step: Callable[[], Any]) -> None:
        step()
        self.clock.run()

    @rule(plans=st.lists(st.sampled_from(["finish", "finish", "fail", "throttle", "soon", "late", "wait"]), max_size=6))
    def plan(self, plans: list[str]) -> None:
        self.plans = plans

    @rule(count=st.sampled_from([1, 2, 9]))
    def adopt(self, count: int) -> None:
        self.clock.settle()
        first = len(self.tasks)
        tasks = [Task(serial) for serial in range(first, first + count)]
        for task in tasks:  # before the executor's thread looks for them
            task.due = self.clock.now
            self.tasks[task.serial] = task
        if count == 1:
            tasks[0].hear(self.executor.adopt(first))
        else:  # all at once: it may begin a call as soon as there is one
            futures = self.executor.adopt_many(range(first, first + count))
            for task, future in zip(tasks, futures, strict=True):
                task.hear(future)
        self.clock.run()

    @rule(count=st.sampled_from([1, 3]))
    def submit(self, count: int) -> None:
        for _ in range(count):
            serial = len(self.tasks)
            task = self.tasks[serial] = Task(serial)
            task.hear(self.executor.submit(print))
            task.given = self.delegate.given[-1]

    @precondition(lambda self: any(task.given for task in self.pending()))
    @rule(data=st.data(), error=st.sampled_from([None, None, SomeError]))
    def delegate_ends(self, data: Any, error: type[Exception] | None) -> None:
        task = data.draw(st.sampled_from([task for task in self.pending() if task.given]))
        given, task.given = task.given, None
        if error is None:
            task.due = self.clock.now
        else:
            self.ends(task, "failed")
        self.settled(lambda: given.end(task.serial, error and error()))

    @precondition(lambda self: self.pending())
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        self.end_pause()
        if not (pending := self.pending()):
            return
        task = data.draw(st.sampled_from(pending))
        agreed = task.given is None and task.serial % 5 != 0
        if agreed:
            self.ends(task, "cancelled")
        assert task.future.cancel() is agreed

    def end_pause(self) -> None:
        """Have time pass until nothing is held back: a cancel would wait for that, in a time that stands still."""
        while (seconds := self.paused_until - self.clock.now) > 0:
            self.clock.run(seconds)

    @precondition(lambda self: self.descriptors)
    @rule(data=st.data(), fails=st.booleans())
    def another_thread_yields(self, data: Any, fails: bool) -> None:
        serial = data.draw(st.sampled_from(sorted(self.descriptors)))
        self.ends(self.tasks[serial], "failed" if fails else "finished")
        descriptor = self.descriptors[serial]
        descriptor.yield_exception(SomeError()) if fails else descriptor.yield_result()

    @precondition(lambda self: self.descriptors)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 1.0, 30.0, inf]))
    def poll_after(self, data: Any, seconds: float) -> None:
        serial = data.draw(st.sampled_from(sorted(self.descriptors)))
        self.tasks[serial].due = self.clock.now + seconds
        self.settled(lambda: self.descriptors[serial].poll_after(seconds))

    @rule()
    def notify(self) -> None:
        for task in self.polled():
            task.due = min(task.due, self.clock.now)
        self.settled(self.executor.notify)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 10.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.run(seconds)

    # -- what is always so ---------------------------------------------------------------------------------------

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        if not hasattr(self, "clock"):
            return
        self.clock.settle()
        assert self.faults == []
        now, stats = self.clock.now, self.executor.stats()
        if now >= self.paused_until:
            assert [task.serial for task in self.polled() if task.due <= now] == []
        assert (stats.outstanding, stats.polled, stats.in_calls) == (len(self.pending()), len(self.polled()), 0)
        assert {row.result: row.failures for row in self.executor.outstanding()} == {
            task.serial: task.failures for task in self.polled()
        }
        for task in self.tasks.values():
            assert task.heard == ([] if task.outcome is None else [task.outcome])
            assert task.future.done() is (task.outcome is not None)

    def teardown(self) -> None:
        if not hasattr(self, "clock"):
            return
        for task in self.pending():
            if task.given:
                self.ends(task, "failed")
                task.given.end(error=SomeError())
        for serial, descriptor in self.descriptors.items():
            self.ends(self.tasks[serial], "finished")
            descriptor.yield_result()
        self.end_pause()
        for future in [task.future for task in self.pending()]:
            future.cancel() or future.set_result(None)
        self.executor.shutdown()
        assert all(len(task.heard) == 1 for task in self.tasks.values())
        self.patches.undo()


PHASES = [phase for phase in Phase if phase is not Phase.explain]


def test_the_executor_does_as_its_model() -> None:
    run_state_machine_as_test(
        DueMachine,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            phases=PHASES,
            suppress_health_check=[HealthCheck.too_slow],  # the machine may be busy
        ),
    )
