"""One PollExecutor against a model of it: whatever happens, in whatever order, every future is as the model says.

The poll thread is parked in the poll function whenever the machine takes a step, so that each step is over when the
machine looks.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import gc
import itertools
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from functools import partial
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
from support import PATIENCE, DuckFuture, HeardLogger, SteppedPoll, assert_ends, is_gone, listening_to

from more_executors import PollDescriptor, PollExecutor, _core

CANCELLED = ("cancelled", None)
Outcome = tuple[str, Any]


class BoomError(Exception):
    """What scripted functions raise: no two are alike."""

    def __init__(self) -> None:
        super().__init__(next(self.serials))

    serials = itertools.count()


ERRORS = st.sampled_from([None, None, BoomError, SystemExit])


class Duck(DuckFuture):
    """A future of no class we know; `on_cancel` decides, and it may call back as often as it likes."""

    on_cancel: Callable[[], bool]
    was_cancelled = False
    is_running = False

    def cancel(self) -> bool:
        return self.on_cancel()

    def cancelled(self) -> bool:
        return self.was_cancelled

    def running(self) -> bool:
        return self.is_running


KINDS: dict[str, Callable[[], Any]] = {"plain": Future, "ours": _core.Future, "duck": Duck}


class Delegate:
    """Gives what it is told to give, and keeps nothing."""

    def __init__(self) -> None:
        self.giving: list[Any] = []
        self.shutdowns: list[dict[str, Any]] = []

    def submit(self, fn: Callable[..., Any]) -> Any:
        given = self.giving.pop()
        if isinstance(given, BaseException):
            raise given
        return given

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.shutdowns.append({"wait": wait, "cancel_futures": cancel_futures})


class Task:
    """What the model knows of one task."""

    def __init__(self, serial: int, kind: str, delegate_future: Any) -> None:
        self.serial = serial  # the result of the delegate, too
        self.kind = kind
        self.delegate_future = delegate_future  # None once the delegate has lost it
        self.future: Any = None  # None once the user has dropped it
        self.polled = False
        self.outcome: Outcome | None = None
        self.reported: tuple[str | None, float | None] = (None, None)  # state and progress
        self.callbacks: list[int] = []  # in the order in which they are to run
        self.heard: list[tuple[int, Any, bool]] = []

    def __repr__(self) -> str:
        return f"<{self.kind} {self.serial}>"

    @property
    def with_delegate(self) -> bool:
        return self.outcome is None and not self.polled

    @property
    def delegate_pending(self) -> bool:
        f = self.delegate_future
        return f is not None and (f._end is None and not f.was_cancelled if self.kind == "duck" else not f.done())


def outcome_of(future: Any) -> Outcome | None:
    if not future.done():
        with pytest.raises(concurrent.futures.TimeoutError):
            future.result(timeout=0)
        return None
    if future.cancelled():
        return CANCELLED
    error = future.exception(timeout=0)
    return ("error", error) if error is not None else ("result", future.result(timeout=0))


def alike(outcome: Outcome | None) -> Any:
    """What all futures have in common that end so: if it is with one failure, not the same exception."""
    if outcome is None or outcome[0] != "error":
        return outcome
    return type(outcome[1]), outcome[1].args


class PollMachine(RuleBasedStateMachine):
    """Numbers stand for results, so that no two are the same."""

    def __init__(self) -> None:
        super().__init__()
        self.exits = contextlib.ExitStack()
        self.callbacks_logger = self.exits.enter_context(listening_to("concurrent.futures"))
        self.logger, self.delegate, self.stepped = HeardLogger(), Delegate(), SteppedPoll()
        self.serials = itertools.count(1)
        self.tasks: list[Task] = []
        self.polled: list[Task] = []  # in order of arrival, those that are done left out
        self.handed_out: list[Task] = []  # in the list of the current call
        self.descriptors: dict[int, PollDescriptor[Any, Any]] = {}  # of lists old and new, by serial
        self.woken = self.closed = self.thread_over = False
        self.raising_callbacks = self.cancel_errors = 0
        self.asked_to_cancel: list[int] = []
        self.decide: Callable[[int], object] = lambda serial: True
        self.executor = PollExecutor(
            self.delegate, self.poll, self.cancel_fn, default_interval=inf, logger=self.logger, name="model"
        )
        self.call = self.stepped.next()
        assert self.call.descriptors == []

    def poll(self, descriptors: list[PollDescriptor[Any, Any]]) -> Any:
        step: Any = self.stepped(descriptors)
        return step()

    def cancel_fn(self, serial: int) -> object:
        self.asked_to_cancel.append(serial)
        return self.decide(serial)

    # -- what the model makes of it ------------------------------------------------------------------------------

    def ends(self, task: Task, outcome: Outcome) -> None:
        """Something tries to end `task`; it is too late if that is done."""
        if task.outcome is None:
            task.outcome = outcome
            if task.polled:
                self.polled.remove(task)

    def delegate_ends(self, task: Task, outcome: Outcome) -> None:
        if task.with_delegate and outcome[0] == "result":
            task.polled = self.woken = True
            self.polled.append(task)
        elif task.with_delegate:
            self.ends(task, outcome)

    def pending(self) -> list[Task]:
        return [task for task in self.tasks if task.outcome is None]

    def held(self) -> list[Task]:
        return [task for task in self.tasks if task.future is not None]

    def callback(self, task: Task, kind: str) -> Callable[[Any], object]:
        """A new callback for `task`, which notes what it saw; then it raises, or adds another one, or neither."""
        number, inner, reference = next(self.serials), next(self.serials), weakref.ref(task.future)
        task.callbacks += [number, inner] if kind == "adds" else [number]
        self.raising_callbacks += kind == "raises"

        def called(number: int, future: Any) -> None:
            task.heard.append((number, alike(outcome_of(future)), future is reference()))
            if number == inner:
                return
            if kind == "adds":
                future.add_done_callback(partial(called, inner))
            if kind == "raises":
                raise BoomError

        return partial(called, number)

    # -- steps: the delegate -------------------------------------------------------------------------------------

    ending = "see through"

    @initialize(ending=st.sampled_from(["see through", "cancel", "abandon"]))
    def choose_ending(self, ending: str) -> None:
        self.ending = ending

    @rule(
        kind=st.sampled_from([*KINDS, *KINDS, *KINDS, "raises", "no future"]),
        count=st.sampled_from([1, 2, 3, 25]),
        callbacks=st.integers(0, 2),
        done=st.booleans(),
    )
    def submit(self, kind: str, count: int, callbacks: int, done: bool) -> None:
        error = BoomError()
        given = error if kind == "raises" else "no future"
        self.delegate.giving = [given]
        if self.closed or kind not in KINDS:
            with pytest.raises((BoomError, TypeError, RuntimeError)) as raised:
                self.executor.submit(int)
            assert raised.value is error or (self.closed or kind != "raises")
            assert self.delegate.giving == ([given] if self.closed else [])
            return
        for _ in range(count):
            task = Task(next(self.serials), kind, KINDS[kind]())
            self.tasks.append(task)
            if done:
                self.end_delegate_future(task, ("result", task.serial))
            self.delegate.giving = [task.delegate_future]
            task.future = self.executor.submit(int)
            for _ in range(callbacks):
                task.future.add_done_callback(self.callback(task, "plain"))

    def end_delegate_future(self, task: Task, outcome: Outcome) -> None:
        how, value = outcome
        future = task.delegate_future
        if how == "cancelled":
            if task.kind == "duck":
                future.was_cancelled = True
                future.end()
            elif not future.cancel():
                return
        elif task.kind == "duck":
            future.end(value, None) if how == "result" else future.end(None, value)
        else:
            future.set_result(value) if how == "result" else future.set_exception(value)
        self.delegate_ends(task, outcome)

    @precondition(lambda self: any(task.delegate_pending for task in self.tasks))
    @rule(data=st.data(), how=st.sampled_from(["run", "result", "result", "result", "error", "cancelled"]))
    def delegate_goes_on(self, data: Any, how: str) -> None:
        pending = [task for task in self.tasks if task.delegate_pending]
        for task in data.draw(st.lists(st.sampled_from(pending), min_size=1, max_size=12, unique=True)):
            if how != "run":
                value = {"result": task.serial, "error": BoomError(), "cancelled": None}[how]
                self.end_delegate_future(task, (how, value))
            elif task.kind == "duck":
                task.delegate_future.is_running = True
            elif not task.delegate_future.running():
                assert task.delegate_future.set_running_or_notify_cancel()

    def losable(self) -> list[Task]:
        """Only a future of the standard library is not kept: whoever is to complete it has to."""
        return [task for task in self.tasks if task.kind == "plain" and task.delegate_pending]

    @precondition(lambda self: self.losable())
    @rule(data=st.data())
    def delegate_loses(self, data: Any) -> None:
        task = data.draw(st.sampled_from(self.losable()))
        task.delegate_future = None
        gc.collect()
        self.delegate_ends(task, CANCELLED)

    @precondition(lambda self: any(task.kind == "duck" and not task.delegate_pending for task in self.tasks))
    @rule(data=st.data(), again=st.booleans())
    def duck_calls_back_once_more(self, data: Any, again: bool) -> None:
        ducks = [task for task in self.tasks if task.kind == "duck" and not task.delegate_pending]
        duck = data.draw(st.sampled_from(ducks)).delegate_future
        duck.end(None, BoomError()) if again else duck.call_back()

    # -- steps: polling ------------------------------------------------------------------------------------------

    @precondition(lambda self: self.woken)
    @rule()
    def poll_once_more(self) -> None:
        self.end_call([])

    @precondition(lambda self: self.polled)
    @rule(data=st.data(), raising=ERRORS)
    def poll_yields(self, data: Any, raising: type[BaseException] | None) -> None:
        self.end_call(self.yields(data), raising and raising())

    @precondition(lambda self: self.descriptors)
    @rule(data=st.data())
    def another_thread_yields(self, data: Any) -> None:
        for yielding in self.yields(data):
            yielding()

    def yields(self, data: Any) -> list[Callable[[], None]]:
        """Descriptors of any list, old ones too, are to be resolved, some of them twice."""
        yields: list[Callable[[], None]] = []
        seen = sorted(self.descriptors)
        for serial in data.draw(st.lists(st.sampled_from(seen), max_size=12)) if seen else []:
            (task,) = (task for task in self.tasks if task.serial == serial)
            fails, value = data.draw(st.booleans()), next(self.serials)
            descriptor = self.descriptors[serial]
            outcome: Outcome = ("error", BoomError()) if fails else ("result", value)
            yields.append(partial(descriptor.yield_exception if fails else descriptor.yield_result, outcome[1]))
            self.ends(task, outcome)
        return yields

    @precondition(lambda self: self.descriptors)
    @rule(
        data=st.data(),
        state=st.sampled_from([None, "queued", "running", "stopping"]),
        progress=st.sampled_from([None, 0, 0.1, 0.4, 1]),
    )
    def another_thread_reports(self, data: Any, state: str | None, progress: float | None) -> None:
        serial = data.draw(st.sampled_from(sorted(self.descriptors)))
        (task,) = (task for task in self.tasks if task.serial == serial)
        self.descriptors[serial].report(state, progress)
        if task.outcome is None:
            before = task.reported
            task.reported = (before[0] if state is None else state, before[1] if progress is None else progress)

    def end_call(self, yields: list[Callable[[], None]], error: BaseException | None = None) -> None:
        """Have the poll function end so, and look at the next call, if there should be one."""
        if self.thread_over:
            return

        def step() -> float:
            for yielding in yields:
                yielding()
            if error is not None:
                raise error
            return inf

        if not self.woken:
            self.executor.notify()
        self.call.end(returning=step)
        if error is not None:
            for task in self.handed_out:
                self.ends(task, ("error", error))
        if self.closed and not self.pending():
            assert_ends(self.call.thread)
            self.thread_over = True
            return
        self.call = self.stepped.next()
        self.woken = False
        self.handed_out = self.polled.copy()
        assert [descriptor.result for descriptor in self.call.descriptors] == [task.serial for task in self.polled]
        self.descriptors.update({descriptor.result: descriptor for descriptor in self.call.descriptors})

    # -- steps: users --------------------------------------------------------------------------------------------

    def deciding(self, task: Task, decision: str) -> Callable[..., bool]:
        """What is asked whether to cancel `task`, and decides so; it may do other things first."""
        task_future, descriptor, value = task.future, self.descriptors.get(task.serial), next(self.serials)

        def decide(*_: Any) -> bool:
            if decision == "raise":
                raise BoomError
            if decision == "yield" and task.polled and descriptor is not None:
                self.ends(task, ("result", value))
                descriptor.yield_result(value)
            if decision == "ask again" and task.polled:
                assert task_future.cancel() is False
            return decision != "refuse"

        return decide

    @precondition(lambda self: self.held())
    @rule(data=st.data(), decision=st.sampled_from(["agree", "refuse", "raise", "yield", "ask again"]))
    def cancel(self, data: Any, decision: str) -> None:
        task = data.draw(st.sampled_from(self.held()))
        was_pending, was_polled = task.outcome is None, task.outcome is None and task.polled
        asked = was_polled or (task.with_delegate and task.kind == "duck")
        refused = task.with_delegate and task.kind != "duck" and task.delegate_future.running()
        self.decide = self.deciding(task, decision)
        if task.kind == "duck":
            task.delegate_future.on_cancel = self.decide
        self.asked_to_cancel.clear()
        agreed = task.future.cancel()
        assert self.asked_to_cancel == ([task.serial] if was_polled else [])
        self.cancel_errors += asked and decision == "raise"
        if was_pending and not refused and not (asked and decision in ("refuse", "raise")):
            self.ends(task, CANCELLED)
        assert agreed is (task.outcome == CANCELLED)

    @precondition(lambda self: self.held())
    @rule(data=st.data(), kind=st.sampled_from(["plain", "raises", "adds"]))
    def add_callback(self, data: Any, kind: str) -> None:
        task = data.draw(st.sampled_from(self.held()))
        task.future.add_done_callback(self.callback(task, kind))

    @precondition(lambda self: self.held())
    @rule(data=st.data(), fails=st.booleans())
    def end_by_hand(self, data: Any, fails: bool) -> None:
        task = data.draw(st.sampled_from(self.held()))
        outcome: Outcome = ("error", BoomError()) if fails else ("result", next(self.serials))
        end = task.future.set_exception if fails else task.future.set_result
        with contextlib.nullcontext() if task.outcome is None else pytest.raises(InvalidStateError):
            end(outcome[1])
        self.ends(task, outcome)

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def look_with_wait(self, data: Any) -> None:
        """From then on the future has a condition, and ends another way."""
        task = data.draw(st.sampled_from(self.held()))
        done, _ = concurrent.futures.wait([task.future], timeout=0)
        assert bool(done) is (task.outcome is not None)

    @precondition(lambda self: self.held())
    @rule(data=st.data(), old_descriptors=st.booleans())
    def drop_references(self, data: Any, old_descriptors: bool) -> None:
        task = data.draw(st.sampled_from(self.held()))
        reference = weakref.ref(task.future)
        task.future = None
        if old_descriptors:
            self.descriptors = {d.result: d for d in self.call.descriptors}
        assert task.outcome is not None or reference() is not None

    @precondition(lambda self: len(self.tasks) >= 10)  # the earlier, the less there is to see
    @rule(cancel_futures=st.booleans(), decision=st.sampled_from(["agree", "refuse", "raise"]))
    def shut_down(self, cancel_futures: bool, decision: str) -> None:
        polled, rest = self.polled.copy(), [task for task in self.pending() if task.with_delegate]
        ducks = [task for task in rest if task.kind == "duck"]
        self.decide = self.deciding(Task(0, "", None), decision)
        for task in ducks:
            task.delegate_future.on_cancel = self.decide
        self.asked_to_cancel.clear()
        running = [task for task in rest if task.kind != "duck" and task.delegate_future.running()]
        self.executor.shutdown(wait=False, cancel_futures=cancel_futures)
        if self.closed or not cancel_futures:
            assert self.asked_to_cancel == []
        else:
            assert self.asked_to_cancel == [task.serial for task in polled]
            self.cancel_errors += (decision == "raise") * (len(polled) + len(ducks))
            for task in polled + rest:
                asked = task in polled or task in ducks
                if decision == "agree" if asked else task not in running:
                    self.ends(task, CANCELLED)
        if self.pending():
            assert self.delegate.shutdowns == []
        self.closed = True

    # -- what must hold after every step -------------------------------------------------------------------------

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        for task in self.tasks:
            if task.future is not None:
                assert alike(outcome_of(task.future)) == alike(task.outcome)
                assert task.future.running() is self.runs(task)
                assert ("running" in repr(task.future)) is self.runs(task)
            ran = task.callbacks if task.outcome is not None else []
            assert task.heard == [(number, alike(task.outcome), True) for number in ran]

    def runs(self, task: Task) -> bool:
        return task.with_delegate and (
            task.delegate_future.is_running if task.kind == "duck" else task.delegate_future.running()
        )

    @invariant()
    def everything_is_counted(self) -> None:
        ended = Counter(task.outcome[0] for task in self.tasks if task.outcome is not None)
        counters = self.executor._table.counters
        assert (counters.started, counters.finished, counters.failed, counters.cancelled) == (
            len(self.tasks),
            ended["result"],
            ended["error"],
            ended["cancelled"],
        )
        assert len(self.executor._table) == len(self.pending())
        assert self.executor._poll_table.polling == len(self.polled)
        assert f"{len(self.pending())} outstanding" in repr(self.executor)
        states = Counter(task.reported[0] for task in self.polled if task.reported[0] is not None)
        assert self.executor.stats().states == states
        reported = [(task.state, task.progress) for task in self.executor.outstanding()]
        assert reported == [task.reported for task in self.polled]
        complaints = [line for line in self.logger.of_level("ERROR") if line.startswith("Exception during cancel on")]
        assert len(complaints) == self.cancel_errors
        done = [task for task in self.tasks if task.outcome is not None]
        raised = [line for line in self.callbacks_logger.of_level("ERROR") if "exception calling callback" in line]
        if len(done) == len(self.tasks):
            assert len(raised) == self.raising_callbacks

    # -- and at the end ------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        with self.exits:
            if self.ending == "abandon" and not self.closed and sys.exc_info()[1] is None:
                self.nobody_refers_to_it()
                return
            try:
                if sys.exc_info()[1] is None:  # no step failed
                    self.everything_ends()
            finally:
                self.executor.shutdown(wait=False)
                self.executor._table.cancel_all()
                if not self.thread_over:
                    self.call.end(returning=lambda: inf)
                    assert_ends(self.call.thread)

    def everything_ends(self) -> None:
        if not self.closed:
            self.shut_down(self.ending == "cancel", "agree")
        for task in self.tasks:
            if task.delegate_pending:
                self.end_delegate_future(task, ("result", task.serial))
        while not self.thread_over:
            yields = [partial(descriptor.yield_result, 0) for descriptor in self.call.descriptors]
            for task in self.handed_out:
                self.ends(task, ("result", 0))
            self.end_call(yields)
        assert not self.pending()
        self.everything_is_as_the_model_says()
        self.everything_is_counted()

    def nobody_refers_to_it(self) -> None:
        self.end_call([])  # no wake-up is left
        executor, thread = weakref.ref(self.executor), self.call.thread
        self.call.end(returning=lambda: inf)
        del self.executor, self.call
        self.decide = bool
        for task in self.tasks:  # Hypothesis may keep what it has drawn
            task.future = task.delegate_future = task.outcome = None
            task.heard.clear()
        kept: list[Any] = [self.tasks, self.polled, self.handed_out, self.descriptors]
        kept += [self.logger.lines, self.callbacks_logger.lines]  # errors, which keep frames
        for everything in kept:
            everything.clear()
        deadline = time.monotonic() + PATIENCE
        while thread.is_alive() and time.monotonic() < deadline:
            gc.collect()
            thread.join(0.01)
        assert_ends(thread)
        assert is_gone(executor)


@pytest.mark.keeps_objects  # Hypothesis keeps the examples it ran
@pytest.mark.parametrize("examples", [30, pytest.param(100, marks=[pytest.mark.long, pytest.mark.soak])])
def test_every_future_of_a_poll_executor_is_as_the_model_says(examples: int) -> None:
    run_state_machine_as_test(
        PollMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # what fails may wait for long, and shrinking fails very often
            suppress_health_check=list(HealthCheck),
        ),
    )
