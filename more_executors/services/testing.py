"""Tests for a `Service`: whether it keeps what executors, and their users, rely on.

Subclass `ServiceTests` in a test module, and pytest or unittest runs them. What a service or its stand-in cannot do is
skipped, and the reason is the name of the method that is not there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import SkipTest

from .._callables import is_async
from ..executors import Executors
from ..journal._codec import JsonCodec
from ..journal._key_errors import StartInDoubt
from ..poll import PollExecutor
from ._outages import OTHER_ERRORS
from ._service import Service
from ._tags import tag_of

__all__ = ["ServiceTests"]


class ServiceTests:
    """Tests of one kind of service, against the real one or a stand-in that you can tell what to do.

        class TestBuilds(ServiceTests):
            def make_service(self): ...
            def start(self, service): ...
            def finish(self, task): ...

    The methods up to `reuse` are what you give. A stand-in is best made in `make_service`, which is called once by each
    test, before all others.

    Attributes:
        seconds: how long a test waits for something to happen, at the most.
        states_that_go_on: what `go_on` can be called with.
        failure: what futures of tasks fail with that the service says have failed: an exception class.
    """

    seconds: float = 60.0
    states_that_go_on: Sequence[Any] = ()
    failure: type[BaseException] = Exception

    # -- what you give ---------------------------------------------------------------------------------------------

    def make_service(self) -> Service[Any, Any, Any]:
        """A service that polls often, and has a `missing_after` of a second at most."""
        raise NotImplementedError

    def start(self, service: Service[Any, Any, Any], tag: str | None = None) -> Any:
        """Start a task that goes on until it is told to end, by the `start` of the service; returns it."""
        raise NotImplementedError

    def finish(self, task: Any) -> Any:
        """Have a task end well at the service; returns what its future is to give."""
        raise NotImplementedError

    def fail(self, task: Any) -> None:
        """Have a task fail at the service."""
        raise SkipTest("fail")

    def forget(self, task: Any) -> None:
        """Have the service know nothing of a task any more."""
        raise SkipTest("forget")

    def leave_out(self, task: Any) -> AbstractContextManager[Any]:
        """While this lasts, replies leave out a task that goes on."""
        raise SkipTest("leave_out")

    def outage(self) -> AbstractContextManager[Any]:
        """While this lasts, the service does not answer, or with errors only."""
        raise SkipTest("outage")

    def hold(self) -> AbstractContextManager[Any]:
        """While this lasts, the service gets questions, and answers them when it is over, with what it knew before."""
        raise SkipTest("hold")

    def go_on(self, task: Any, state: Any) -> None:
        """Have the service say a state of a task that is not final, one of `states_that_go_on`."""
        raise SkipTest("go_on")

    def is_cancelled(self, task: Any) -> bool:
        """Whether the service has been told to cancel a task."""
        raise SkipTest("is_cancelled")

    def reuse(self, task: Any) -> Any:
        """Have the service give the id of a task that has ended to a new one, which goes on; returns that."""
        raise SkipTest("reuse")

    # -- the tests -------------------------------------------------------------------------------------------------

    def test_a_task_ends_with_its_result(self) -> None:
        service = self.make_service()
        with service, self.executor(service) as executor:
            task = self.start(service)
            future = executor.adopt(task)
            self.polled(executor)
            assert not future.done()
            expected = self.finish(task)
            assert future.result(self.seconds) == expected

    def test_a_task_that_fails_fails_alone(self) -> None:
        service = self.make_service()
        with service, self.executor(service) as executor:
            tasks = [self.start(service) for _ in range(3)]
            futures = executor.adopt_many(tasks)
            self.fail(tasks[1])
            assert isinstance(futures[1].exception(self.seconds), self.failure)
            assert not futures[0].done()
            assert not futures[2].done()
            for task, future in ((tasks[0], futures[0]), (tasks[2], futures[2])):
                expected = self.finish(task)
                assert future.result(self.seconds) == expected

    def test_a_task_that_the_service_forgets_fails_alone(self) -> None:
        service = self.make_service()
        with service, self.executor(service) as executor:
            tasks = [self.start(service) for _ in range(2)]
            futures = executor.adopt_many(tasks)
            self.polled(executor)
            self.forget(tasks[0])
            assert futures[0].exception(self.seconds) is not None
            expected = self.finish(tasks[1])
            assert futures[1].result(self.seconds) == expected

    def test_the_last_task_that_is_outstanding_may_be_forgotten(self) -> None:
        service = self.make_service()
        with service, self.executor(service) as executor:
            task = self.start(service)
            future = executor.adopt(task)
            self.polled(executor)
            self.forget(task)
            assert future.exception(self.seconds) is not None

    def test_a_reply_that_leaves_out_a_task_concerns_no_other(self) -> None:
        service = self.make_service()
        service.missing_after = None
        with service, self.executor(service) as executor:
            tasks = [self.start(service) for _ in range(2)]
            futures = executor.adopt_many(tasks)
            with self.leave_out(tasks[0]):
                expected = self.finish(tasks[1])
                assert futures[1].result(self.seconds) == expected
                self.polled(executor)
                assert not futures[0].done()
            expected = self.finish(tasks[0])
            assert futures[0].result(self.seconds) == expected

    def test_no_task_fails_in_an_outage(self) -> None:
        service = self.make_service()
        with service, self.executor(service) as executor:
            tasks = [self.start(service) for _ in range(3)]
            futures = executor.adopt_many(tasks)
            self.polled(executor)
            with self.outage():
                self.until(lambda: all(one.failures > OTHER_ERRORS for one in executor.outstanding()))
                assert not any(future.done() for future in futures)
            expected = [self.finish(task) for task in tasks]
            assert [future.result(self.seconds) for future in futures] == expected

    def test_an_answer_that_is_late_is_not_the_last(self) -> None:
        service = self.make_service()
        with service, self.executor(service) as executor:
            task = self.start(service)
            future = executor.adopt(task)
            with self.hold():
                self.until(lambda: executor.stats().in_calls > 0)
                expected = self.finish(task)
            assert future.result(self.seconds) == expected

    def test_a_state_that_is_not_final_ends_nothing(self) -> None:
        if not self.states_that_go_on:
            raise SkipTest("states_that_go_on")
        service = self.make_service()
        with service, self.executor(service) as executor:
            for state in self.states_that_go_on:
                task = self.start(service)
                future = executor.adopt(task)
                self.go_on(task, state)
                self.polled(executor, 2)
                assert not future.done(), state
                expected = self.finish(task)
                assert future.result(self.seconds) == expected, state

    def test_cancel_tells_the_service(self) -> None:
        service = self.make_service()
        if service.overridden("cancel") is None:
            raise SkipTest("cancel")
        with service, self.executor(service) as executor:
            task = self.start(service)
            future = executor.adopt(task)
            cancelled = future.cancel()
            assert self.is_cancelled(task)
            assert cancelled or isinstance(future.exception(self.seconds), self.failure)

    def test_a_cancel_that_is_too_late_is_not_true(self) -> None:
        service = self.make_service()
        if service.overridden("cancel") is None:
            raise SkipTest("cancel")
        with service:
            task = self.start(service)
            expected = self.finish(task)
            assert not self.called(service, service.cancel, task)
            with self.executor(service) as executor:
                assert executor.adopt(task).result(self.seconds) == expected

    def test_many_are_cancelled_and_one_of_them_is_too_late(self) -> None:
        service = self.make_service()
        if service.overridden("cancel_many") is None:
            raise SkipTest("cancel_many")
        with service:
            tasks = [self.start(service) for _ in range(3)]
            expected = self.finish(tasks[1])
            answers = list(self.called(service, service.cancel_many, tasks))
            assert len(answers) == 3
            assert not answers[1]
            assert self.is_cancelled(tasks[0])
            assert self.is_cancelled(tasks[2])
            with self.executor(service) as executor:
                futures = executor.adopt_many(tasks)
                assert futures[1].result(self.seconds) == expected
                for answer, future in ((answers[0], futures[0]), (answers[2], futures[2])):
                    assert isinstance(future.exception(self.seconds), self.failure) or not answer

    def test_an_id_that_is_used_again_is_another_task(self) -> None:
        service = self.make_service()
        with service, self.executor(service) as executor:
            task = self.start(service)
            future = executor.adopt(task)
            expected = self.finish(task)
            assert future.result(self.seconds) == expected
            again = self.reuse(task)
            future = executor.adopt(again)
            self.polled(executor, 2)
            assert not future.done()
            expected = self.finish(again)
            assert future.result(self.seconds) == expected

    def test_a_task_survives_a_journal(self) -> None:
        service = self.make_service()
        with service:
            task = self.start(service)
            codec = JsonCodec()
            kept = codec.decode(codec.encode(task))
            assert service.id_of(kept) == service.id_of(task)
            self.finish(task)

    def test_a_task_is_found_by_its_key(self) -> None:
        service = self.make_service()
        if service.overridden("find") is None:
            raise SkipTest("find")
        with service:
            keys = ["the first", "never started", ("a list", 2)]
            first, second = (self.start(service, tag_of(key)) for key in (keys[0], keys[2]))
            found = service.find(keys)
            doubtful = [key for key, task in found.items() if isinstance(task, StartInDoubt)]
            assert {tag_of(key): task for key, task in found.items() if key not in doubtful} == {
                tag_of(keys[0]): first,
                tag_of(keys[2]): second,
            }
            self.finish(first)
            self.finish(second)

    # -- how they wait ---------------------------------------------------------------------------------------------

    @contextmanager
    def executor(self, service: Service[Any, Any, Any], **options: Any) -> Generator[PollExecutor[Any, Any, Any]]:
        """A poll executor for `service`; what is outstanding at the end is left alone."""
        made = Executors.sync().with_poll(service, **options)
        try:
            yield made
        finally:
            made.leave()
            made.shutdown()

    def polled(self, executor: PollExecutor[Any, Any, Any], times: int = 1) -> None:
        """Wait until everything has been asked about so often since now, at least."""
        calls = executor.stats().calls + executor._options.max_concurrency + times  # first, those that go on now end

        def are_over() -> bool:
            executor.notify()
            return executor.stats().calls >= calls

        self.until(are_over)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()`; fails after `seconds`."""
        deadline = time.monotonic() + self.seconds
        while not holds():
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.002)

    def called(self, service: Service[Any, Any, Any], method: Callable[[Any], Any], argument: Any) -> Any:
        """What a method of the service returns, on a loop of its own if it is an `async def`."""
        if not is_async(method):
            return method(argument)

        opens, closes = service.overridden("aopen"), service.overridden("aclose")

        async def main() -> Any:
            if opens is not None:
                await opens()
            try:
                return await method(argument)
            finally:
                if closes is not None:
                    await closes()

        return asyncio.run(main())
