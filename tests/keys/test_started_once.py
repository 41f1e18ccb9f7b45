"""A task is started once, whatever fails around it: what was started, or may have been, is not started again."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keys_support import Program, Service, leave_in_doubt
from support import PATIENCE, DuckDelegate, HeardLogger, InThread, Parking, SomeError, is_gone, listening_to

from more_executors import Executors
from more_executors.journal import Keys, StartInDoubt
from more_executors.retry import ExceptionRetryPolicy

Run = Callable[..., Program]
TOKENS = Keys(in_doubt="start")


# -- calls that come more than once -----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StartInDoubt, KeyboardInterrupt])
def test_what_retries_does_not_start_again_what_may_have_started(
    run: Run, service: Service, error: type[BaseException]
) -> None:
    calls: list[str] = []

    def start() -> Any:
        calls.append("a")
        raise error()

    delegate = Executors.thread_pool(1).with_retry(ExceptionRetryPolicy(max_attempts=3, max_sleep=0.0))
    program = run(delegate=delegate)
    with pytest.raises((StartInDoubt, KeyboardInterrupt)):
        program.executor.submit_once("a", start).result(PATIENCE)
    assert calls == ["a"]
    assert program.states() == {'"a"': "meant"}


def test_what_retries_starts_again_what_was_refused(run: Run, service: Service) -> None:
    errors = [SomeError("busy"), SomeError("busy")]

    def start() -> Any:
        if errors:
            raise errors.pop()
        return service.start("a")

    delegate = Executors.thread_pool(1).with_retry(ExceptionRetryPolicy(max_attempts=3, max_sleep=0.0))
    assert run(delegate=delegate).executor.submit_once("a", start).result(PATIENCE) == "a is published"


def test_with_a_token_what_retries_does_start_again(run: Run, service: Service) -> None:
    tokens: list[str] = []

    def start(*, token: str) -> Any:
        tokens.append(token)
        if len(tokens) < 3:
            raise StartInDoubt("a")
        return service.start("a")

    delegate = Executors.thread_pool(1).with_retry(ExceptionRetryPolicy(max_attempts=3, max_sleep=0.0))
    assert run(delegate=delegate, keys=TOKENS).executor.submit_once("a", start).result(PATIENCE) == "a is published"
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


def test_what_calls_it_twice_starts_it_once(run: Run, service: Service) -> None:
    # 1. The delegate calls what was submitted, and that is held up. 2. It calls it again, on another thread. 3. The
    # first call goes on, and a third comes. 4. The delegate's future ends with the result.
    parking = Parking({"id": "a"})
    delegate = DuckDelegate()
    program = run(delegate=delegate)
    future = program.executor.submit_once("a", parking)
    call = delegate.submitted[0][0]
    first = InThread(call)
    parking.wait_for_one()  # 1
    with pytest.raises(StartInDoubt):
        InThread(call).outcome()  # 2
    parking.let_go()
    result = first.outcome()  # 3
    with pytest.raises(StartInDoubt):
        call()
    delegate.given[0].end(result)  # 4
    assert future.result(PATIENCE) == "a is published"
    assert len(parking.calls) == 1
    delegate.submitted.clear()


# -- what was in doubt before ------------------------------------------------------------------------------------------


def test_a_refusal_says_nothing_about_the_start_before(run: Run, path: Path, service: Service) -> None:
    # The program was killed after the service had accepted the first request. The second is refused, as it is busy.
    leave_in_doubt(path, "a", token="0123")
    tokens: list[str] = []

    def start(*, token: str) -> Any:
        tokens.append(token)
        if len(tokens) == 1:
            raise SomeError("busy")
        return service.start("a")

    program = run(keys=TOKENS)
    with pytest.raises(SomeError):
        program.executor.submit_once("a", start).result(PATIENCE)
    assert program.states() == {'"a"': "in doubt"}
    assert run(keys=TOKENS).executor.submit_once("a", start).result(PATIENCE) == "a is published"
    assert tokens == ["0123", "0123"]


def test_what_the_service_does_not_know_may_be_refused(run: Run, path: Path, service: Service) -> None:
    leave_in_doubt(path, "a")
    service.refusing["a"] = SomeError("no room")
    program = run(keys=Keys(find_fn=lambda keys: {}))
    with pytest.raises(SomeError):
        program.published("a")
    assert program.states() == {'"a"': "failed"}


def test_a_task_that_was_found_but_cannot_be_polled_is_not_started_again(
    run: Run, path: Path, service: Service
) -> None:
    leave_in_doubt(path, "a")

    def group(result: Any) -> Any:
        raise SomeError("no such group")

    keys = Keys(find_fn=lambda keys: {key: {"id": key} for key in keys})
    program = run(keys=keys, group_by=group)
    with pytest.raises(SomeError):
        program.published("a")
    assert program.states() == {'"a"': "in doubt"}
    assert run(keys=keys).published("a") == "a is published"
    assert not service.starts


def test_the_service_is_not_asked_about_a_call_that_goes_on(run: Run, path: Path, service: Service) -> None:
    # 1. A function is called, and has not sent its request yet. 2. Its future is cancelled: the start is in doubt.
    # 3. The service is asked about another key, and does not know this one. 4. The request arrives. 5. The key again.
    leave_in_doubt(path, "b")
    delegate = DuckDelegate()
    asked: list[Any] = []

    def find(keys: list[Any]) -> dict[Any, Any]:
        asked.append(keys)
        return {key: {"id": key} for key in keys if key in service.starts}

    parking = Parking()

    def start(name: str) -> Any:
        parking()
        return service.start(name)

    program = run(keys=Keys(find_fn=find), delegate=delegate)
    future = program.executor.submit_once("a", start, "a")
    starting = InThread(delegate.submitted.pop()[0])
    parking.wait_for_one()  # 1
    delegate.given[0].agrees_to_cancel = True
    assert future.cancel()  # 2
    other = program.publish("b")
    while not delegate.submitted:  # the service does not know it
        threading.Event().wait(0.001)  # 3
    parking.let_go()
    starting.outcome()  # 4
    delegate.given[0] = None
    del starting, future
    gc.collect()
    again = program.executor.submit_once("a", start, "a")
    assert again.result(PATIENCE) == "a is published"  # 5
    assert service.starts == ["a"]
    assert asked == [["b"], ["a"]]
    other.cancel()
    delegate.given[1].end(None, SomeError())
    delegate.submitted.clear()


def test_keys_that_are_equal_in_python_are_asked_for_apart(run: Run, path: Path, service: Service) -> None:
    leave_in_doubt(path, 1, True, 1.0, ["a", 0], ["a", False])
    program = run(keys=Keys(find_fn=lambda keys: {key: {"id": repr(key)} for key in keys}))
    results = [program.published(key) for key in (1, True, 1.0, ["a", 0], ["a", False])]
    assert results == [f"{key!r} is published" for key in (1, True, 1.0, ("a", 0), ("a", False))]
    assert not service.starts


# -- what was started --------------------------------------------------------------------------------------------------


def test_a_poll_that_fails_does_not_have_its_tasks_started_again(run: Run, service: Service) -> None:
    errors = [ConnectionError("the network is down")]

    def poll(descriptors: Any) -> None:
        if errors and descriptors:
            raise errors[0]
        service.poll(descriptors)

    program = run(poll_fn=poll, logger=HeardLogger())
    with pytest.raises(ConnectionError):
        program.published("a")
    assert program.states() == {'"a"': "started"}
    errors.clear()
    assert run().published("a") == "a is published"
    assert service.starts == ["a"]


@pytest.mark.parametrize("options", [{}, {"batch_size": 1}, {"max_concurrency": 2}], ids=str)
def test_a_task_that_is_late_goes_on_unless_it_is_cancelled(
    run: Run, service: Service, options: dict[str, Any]
) -> None:
    service.is_slow = True
    program = run(timeout=0.05, **options)
    with pytest.raises(TimeoutError):
        program.published("a")
    assert program.states() == {'"a"': "started"}
    program = run(timeout=0.05, cancel_fn=service.cancel, **options)
    with pytest.raises(TimeoutError):
        program.published("a")
    assert program.states() == {'"a"': "failed"}
    assert service.starts == ["a"]


def test_a_task_of_before_that_cannot_be_polled_is_not_started_again(run: Run, service: Service) -> None:
    def group(result: Any) -> Any:
        raise SomeError("no such group")

    service.is_slow = True
    program = run()
    program.publish("a")
    program.states()
    program = run(group_by=group)
    with pytest.raises(SomeError):
        program.published("a")
    assert program.states() == {'"a"': "started"}
    service.is_slow = False
    assert run().published("a") == "a is published"
    assert service.starts == ["a"]


def test_an_interrupt_after_the_start_leaves_the_task_alone(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A Ctrl-C comes in `submit_once`, when the task has been started.
    service.is_slow = True
    program = run()
    submits: Any = program.executor._keyed_submits
    begin = submits._begin

    def begin_and_interrupt(*args: Any) -> None:
        begin(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        patches.setattr(submits, "_begin", begin_and_interrupt)
        with pytest.raises(KeyboardInterrupt):
            program.publish("a")
    assert program.states() == {'"a"': "started"}
    service.is_slow = False
    assert program.published("a") == "a is published"
    assert service.starts == ["a"]


# -- what was never called ---------------------------------------------------------------------------------------------


def test_what_was_never_called_has_not_failed(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    # That a start is meant is on disk, and the thread that waited for that is interrupted.
    keys = Keys(retry_failed=False)
    program = run(keys=keys)
    book: Any = program.executor._keyed_submits._book  # type: ignore[union-attr]
    check = book._check

    def interrupted(event: Any) -> None:
        check(event)
        raise SomeError("interrupted")

    with monkeypatch.context() as patches:
        patches.setattr(book, "_check", interrupted)
        with pytest.raises(SomeError):
            program.published("a")
    assert program.states() == {}
    assert run(keys=keys).published("a") == "a is published"


def test_who_ends_a_future_by_hand_says_how_the_task_ended(run: Run, service: Service) -> None:
    delegate = DuckDelegate()
    program = run(delegate=delegate)
    future = program.publish("a")
    delegate.submitted[0][0]()
    future.set_result("by hand")
    assert program.states() == {'"a"': "done"}
    assert run().published("a") == "by hand"
    delegate.submitted.clear()


def test_an_error_that_cannot_be_looked_at_is_an_outcome_all_the_same(run: Run, service: Service) -> None:
    class OddError(Exception):
        args = property(lambda self: 1 / 0)  # type: ignore[assignment]

    service.failing["a"] = OddError()
    program = run(keys=Keys(retry_failed=False))
    with pytest.raises(OddError):
        program.published("a")
    assert program.states() == {'"a"': "failed"}
    service.failing.clear()


# -- asking the service, and its end -----------------------------------------------------------------------------------


def test_shutdown_does_not_wait_for_answers_that_nobody_needs(run: Run, path: Path) -> None:
    leave_in_doubt(path, "a")
    calls = threading.Semaphore(0)

    def find(keys: list[Any]) -> Any:
        calls.release()
        raise SomeError("no answer")

    program = run(keys=Keys(find_fn=find), retry_policy=ExceptionRetryPolicy(max_attempts=10**9, max_sleep=3600.0))
    future = program.publish("a")
    assert calls.acquire(timeout=PATIENCE)
    InThread(lambda: program.executor.shutdown(cancel_futures=True)).outcome()
    assert future.cancelled()


def test_what_one_start_raises_does_not_keep_others_from_their_answers(run: Run, path: Path, service: Service) -> None:
    leave_in_doubt(path, *"abc")
    service.refusing["a"] = KeyboardInterrupt()
    program = run(keys=Keys(find_fn=lambda keys: {}))
    futures = [program.publish(name) for name in "abc"]
    with pytest.raises(KeyboardInterrupt):
        futures[0].result(PATIENCE)
    assert [future.result(PATIENCE) for future in futures[1:]] == ["b is published", "c is published"]


def test_nothing_of_an_answer_is_logged(run: Run, path: Path) -> None:
    leave_in_doubt(path, "a")
    with listening_to("PollExecutor") as heard:
        program = run(keys=Keys(find_fn=lambda keys: ["secret"]))
        with pytest.raises(StartInDoubt):
            program.published("a")
    said = [repr(line) for line in heard.lines if line[0] != "DEBUG"]
    assert said
    assert not any("secret" in line for line in said)


# -- the journal's thread ----------------------------------------------------------------------------------------------


def test_a_destructor_on_the_thread_of_the_journal_may_submit(run: Run, service: Service) -> None:
    outcomes: list[Any] = []
    program = run()
    programs = [program]  # a free-threaded 3.13 keeps classes that are made while there are threads

    class Argument:
        def __del__(self) -> None:
            try:
                outcomes.append(programs[0].publish("b").result(PATIENCE))
            except BaseException as error:
                outcomes.append(error)

    def start(argument: Any) -> Any:
        return service.start("a")

    future = program.executor.submit_once("a", start, Argument())
    assert future.result(PATIENCE) == "a is published"
    del future
    assert program.executor.flush_journal(PATIENCE)
    until = time.monotonic() + PATIENCE
    while not outcomes and time.monotonic() < until:  # a thread of the pool may still have the argument in hand
        threading.Event().wait(0.001)
    assert len(outcomes) == 1
    assert InThread(program.published, "c").outcome() == "c is published"
    outcomes.clear()
    programs.clear()


def test_an_executor_that_nobody_can_reach_is_collected(path: Path, service: Service) -> None:
    service.is_slow = True
    program = Program(path, service)
    program.publish("a")
    assert program.executor.flush_journal(PATIENCE)
    reference = weakref.ref(program.executor)
    journal = program.journal
    del program
    assert is_gone(reference)
    while journal._users:
        threading.Event().wait(0.001)
    journal.close()


def test_a_start_that_is_lost_each_time_is_not_begun_for_ever(run: Run) -> None:
    calls: list[list[Any]] = []
    starts: list[str] = []

    def find(keys: list[Any]) -> dict[Any, Any]:
        calls.append(keys)
        return {}

    def start() -> Any:
        starts.append("a")
        raise StartInDoubt("a")

    program = run(keys=Keys(find_fn=find))
    with pytest.raises(StartInDoubt):
        program.executor.submit_once("a", start).result(PATIENCE)
    assert (len(starts), len(calls)) == (2, 2)
    assert program.states() == {'"a"': "meant"}
