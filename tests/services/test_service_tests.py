"""The test kit over services that keep its promises, one for each way to be asked; and over services that do not."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import SkipTest

import pytest

from more_executors.services import Service, ServiceAway, TaskFailed, tag_of
from more_executors.services.testing import ServiceTests
from more_executors.status_poll import TaskMissing, TaskUnknown


class Remote:
    """A service somewhere else: what it knows of tasks, and what it is told to do."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.states: dict[str, str] = {}
        self.starts: dict[str, int] = {}  # an id may be used again
        self.tags: dict[str, str] = {}
        self.left_out: set[str] = set()
        self.is_away = False
        self.answers = threading.Event()
        self.answers.set()

    def start(self, tag: str | None = None, task_id: str | None = None) -> str:
        with self.lock:
            task_id = task_id or f"task-{len(self.states)}"
            self.states[task_id] = "queued"
            self.starts[task_id] = self.starts.get(task_id, 0) + 1
            if tag is not None:
                self.tags[tag] = task_id
        return f"{task_id}#{self.starts[task_id]}"

    def statuses(self, ids: list[str]) -> dict[str, tuple[str, int]]:
        if self.is_away:
            raise ServiceAway("the service is away")
        with self.lock:
            known = {one: self.states[one] for one in ids if one in self.states and one not in self.left_out}
            starts = self.starts.copy()
        self.answers.wait(60)
        return {one: (state, starts[one]) for one, state in known.items()}

    def cancel(self, task_id: str) -> bool:
        with self.lock:
            goes_on = self.states.get(task_id) not in (None, "done", "failed", "cancelled")
            if goes_on:
                self.states[task_id] = "cancelled"
        return goes_on


class Jobs(Service[str, "tuple[str, int]", str]):
    """Asked about many at once."""

    interval = 0.005
    missing_after = 0.1

    def __init__(self, remote: Remote) -> None:
        self.remote = remote

    def start(self, tag: str | None = None) -> str:
        return self.remote.start(tag)

    def id_of(self, task: str) -> str:
        return task.partition("#")[0]

    def fetch(self, ids: list[Any]) -> Any:
        return self.remote.statuses(ids)

    def resolve(self, descriptor: Any, status: tuple[str, int]) -> None:
        state, starts = status
        if str(starts) != descriptor.result.partition("#")[2]:
            return
        if state == "done":
            descriptor.yield_result(f"the result of {descriptor.result}")
        elif state in ("failed", "cancelled"):
            descriptor.yield_exception(TaskFailed(descriptor.result, status, state))

    def cancel(self, task: str) -> bool:
        return self.remote.cancel(self.id_of(task))

    def cancel_many(self, tasks: list[str]) -> list[bool]:
        return [self.cancel(task) for task in tasks]

    def find(self, keys: list[Any]) -> dict[Any, str]:
        found = {tag: f"{task_id}#{self.remote.starts[task_id]}" for tag, task_id in self.remote.tags.items()}
        return {key: found[tag_of(key)] for key in keys if tag_of(key) in found}


class OneByOne(Jobs):
    """Asked about one at a time, on threads."""

    max_concurrency = 4
    fetch = Service.fetch

    def fetch_one(self, task_id: str) -> Any:
        found = self.remote.statuses([task_id])
        if not found:
            raise TaskUnknown(task_id)
        return found[task_id]


class Async(Jobs):
    """All of it by coroutines; a question that is held does not hold the loop."""

    async def fetch(self, ids: list[Any]) -> Any:  # type: ignore[override]
        return await self.on_thread(lambda: self.remote.statuses(ids))

    async def cancel(self, task: str) -> bool:  # type: ignore[override]
        return self.remote.cancel(self.id_of(task))

    async def cancel_many(self, tasks: list[str]) -> list[bool]:  # type: ignore[override]
        return [await self.cancel(task) for task in tasks]

    async def on_thread(self, ask: Callable[[], Any]) -> Any:
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(None, ask)


class AsyncOneByOne(Async):
    max_concurrency = 4
    fetch = Service.fetch  # type: ignore[assignment]

    async def fetch_one(self, task_id: str) -> Any:
        found = await self.on_thread(lambda: self.remote.statuses([task_id]))
        if not found:
            raise TaskUnknown(task_id)
        return found[task_id]


class Kept(ServiceTests):
    """What tells the remote side what to do."""

    kind: type[Jobs] = Jobs
    states_that_go_on: Sequence[Any] = ("queued", "running", "odd")
    failure = TaskFailed
    remote: Remote

    def make_service(self) -> Jobs:
        self.remote = Remote()
        return self.kind(self.remote)

    def start(self, service: Service[Any, Any, Any], tag: str | None = None) -> str:
        task: str = service.start(tag)
        return task

    def put(self, task: str, state: str) -> None:
        with self.remote.lock:
            self.remote.states[task.partition("#")[0]] = state

    def finish(self, task: str) -> str:
        self.put(task, "done")
        return f"the result of {task}"

    def fail(self, task: str) -> None:
        self.put(task, "failed")

    def go_on(self, task: str, state: str) -> None:
        self.put(task, state)

    def forget(self, task: str) -> None:
        with self.remote.lock:
            del self.remote.states[task.partition("#")[0]]

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        self.remote.left_out.add(task.partition("#")[0])
        yield
        self.remote.left_out.clear()

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.remote.is_away = True
        yield
        self.remote.is_away = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        self.remote.answers.clear()
        yield
        self.remote.answers.set()

    def is_cancelled(self, task: str) -> bool:
        return self.remote.states[task.partition("#")[0]] == "cancelled"

    def reuse(self, task: str) -> str:
        return self.remote.start(task_id=task.partition("#")[0])


class TestJobs(Kept):
    pass


class TestOneByOne(Kept):
    kind = OneByOne


class TestAsync(Kept):
    kind = Async


class TestAsyncOneByOne(Kept):
    kind = AsyncOneByOne


# -- services that do not keep a promise ---------------------------------------------------------------------------


class FailsWhenAway(Jobs):
    patience = 0.0


class EndsUnknownStates(Jobs):
    def resolve(self, descriptor: Any, status: tuple[str, int]) -> None:
        super().resolve(descriptor, status)
        if status[0] == "odd":
            descriptor.yield_exception(TaskFailed(descriptor.result, status))


class TakesAnOutageForAFault(Jobs):
    outage_errors = (TimeoutError,)


class MissesForEver(Jobs):
    missing_after = None


class TakesWhatIsMissingAsDone(Jobs):
    def resolve(self, descriptor: Any, status: tuple[str, int]) -> None:
        if status[0] == "gone":
            descriptor.yield_result("the result")
        else:
            super().resolve(descriptor, status)

    def fetch(self, ids: list[Any]) -> Any:
        return {**dict.fromkeys(ids, ("gone", 0)), **super().fetch(ids)}


class SaysCancelledAlways(Jobs):
    def cancel(self, task: str) -> bool:
        super().cancel(task)
        return True


class MixesUpIds(Jobs):
    """Remembers what is final, and takes an id for a task."""

    def resolve(self, descriptor: Any, status: tuple[str, int]) -> None:
        task_id = self.id_of(descriptor.result)
        if status[0] == "done":
            vars(self).setdefault("ended", set()).add(task_id)
        state = "done" if task_id in vars(self).get("ended", ()) else status[0]
        super().resolve(descriptor, (state, int(descriptor.result.partition("#")[2])))


class FailsAll(Jobs):
    def resolve(self, descriptor: Any, status: tuple[str, int]) -> None:
        if status[0] == "failed":
            self.has_failed = True
        super().resolve(descriptor, ("failed" if vars(self).get("has_failed") else status[0], status[1]))


class FindsAnything(Jobs):
    def find(self, keys: list[Any]) -> dict[Any, str]:
        return dict.fromkeys(("the first", "never started"), "task-0#1")


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (FailsWhenAway, "test_no_task_fails_in_an_outage"),
        (TakesAnOutageForAFault, "test_no_task_fails_in_an_outage"),
        (EndsUnknownStates, "test_a_state_that_is_not_final_ends_nothing"),
        (MissesForEver, "test_a_task_that_the_service_forgets_fails_alone"),
        (TakesWhatIsMissingAsDone, "test_the_last_task_that_is_outstanding_may_be_forgotten"),
        (TakesWhatIsMissingAsDone, "test_a_reply_that_leaves_out_a_task_concerns_no_other"),
        (SaysCancelledAlways, "test_a_cancel_that_is_too_late_is_not_true"),
        (SaysCancelledAlways, "test_many_are_cancelled_and_one_of_them_is_too_late"),
        (MixesUpIds, "test_an_id_that_is_used_again_is_another_task"),
        (FailsAll, "test_a_task_that_fails_fails_alone"),
        (FindsAnything, "test_a_task_is_found_by_its_key"),
    ],
)
def test_a_promise_that_is_not_kept_is_seen(kind: type[Jobs], test: str) -> None:
    tests = Kept()
    tests.kind = kind
    tests.seconds = 1.0
    with pytest.raises((AssertionError, concurrent.futures.TimeoutError, TaskFailed)):
        getattr(tests, test)()


def test_what_a_stand_in_cannot_do_is_skipped() -> None:
    class Little(Kept):
        hold = ServiceTests.hold  # type: ignore[assignment]

    with pytest.raises(SkipTest, match="hold"):
        Little().test_an_answer_that_is_late_is_not_the_last()


def test_missing_tasks_fail_as_the_service_says() -> None:
    class Forgets(Jobs):
        def missing(self, task_id: Any, since: Any, seconds: float) -> BaseException:
            return LookupError(f"{task_id} was cancelled while it waited, or is unknown")

    kept = Kept()
    kept.kind = Forgets
    service = kept.make_service()
    with kept.executor(service) as executor:
        task = kept.start(service)
        kept.forget(task)
        error = executor.adopt(task).exception(60)
    assert isinstance(error, LookupError)
    assert not isinstance(error, TaskMissing)
    assert "cancelled while it waited" in str(error)
