"""`submit_once`: what is done is not done again, what goes on is waited for, what was never started is started."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from keys_support import Program, Service, leave_in_doubt, wait_until
from support import PATIENCE, Parking, SomeError

from more_executors import Executors
from more_executors.journal import Keys, OutcomeNotRecorded, RecordedError, StartInDoubt

Run = Callable[..., Program]


class OddError(Exception):
    """Takes other arguments than it keeps."""

    def __init__(self, name: str, *, code: int) -> None:
        super().__init__(f"{name} has code {code}")


def test_what_was_done_is_not_done_again(run: Run, service: Service) -> None:
    program = run()
    assert program.published("a") == "a is published"
    assert program.states() == {'"a"': "done"}
    future = run().publish("a")
    assert future.done()
    assert future.result() == "a is published"
    assert service.starts == ["a"]


def test_what_goes_on_is_waited_for(run: Run, service: Service) -> None:
    service.is_slow = True
    program = run()
    program.publish("a")
    assert program.states() == {'"a"': "started"}
    future = run().publish("a")
    assert not future.done()
    service.is_slow = False
    assert future.result(PATIENCE) == "a is published"
    assert service.starts == ["a"]


def test_within_one_run_there_is_one_future(run: Run, service: Service) -> None:
    program = run()
    service.is_slow = True
    future = program.publish("a")
    assert program.publish("a") is future
    service.is_slow = False
    future.result(PATIENCE)
    assert program.publish("a") is future
    assert service.starts == ["a"]


def test_nothing_is_kept_of_what_has_ended_but_its_record(run: Run, service: Service) -> None:
    program = run()
    for name in "abcdefgh":
        program.published(name)
    program.states()
    book = program.executor._keyed_submits._book  # type: ignore[union-attr]
    wait_until(lambda: not len(book.futures))
    assert len(book.futures) == len(book._starts) == len(book._unwritten) == len(book._earlier) == 0
    assert [program.published(name) for name in "abcdefgh"] == [f"{name} is published" for name in "abcdefgh"]
    assert service.starts == list("abcdefgh")


def test_what_has_ended_is_known_before_that_is_on_record(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.is_slow = True
    program = run()
    future = program.publish("a")
    program.states()
    writer = program.executor._engine.recorder._writer  # type: ignore[union-attr]
    parking = Parking(returning=False)
    with monkeypatch.context() as patches:
        patches.setattr(writer, "_written", parking)
        service.is_slow = False
        future.result(PATIENCE)
        parking.wait_for_one()  # the journal's thread: it is about to write that it has ended
        del future
        assert program.published("a") == "a is published"
    parking.let_go()
    assert program.states() == {'"a"': "done"}
    assert service.starts == ["a"]


KEYS = ["a", 1, 2.5, None, True, ["a", 1], ("b", ("c", None)), [], "", "\N{SNOWMAN}", "x" * 1000, -(10**30)]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_keys_are_values_of_json(run: Run, key: Any) -> None:
    starts: list[Any] = []
    for _ in range(2):
        program = run()
        assert program.executor.submit_once(key, started, starts).result(PATIENCE) == "it is published"
        assert list(program.states()) == [json.dumps(key, separators=(",", ":"))]
    assert len(starts) == 1


def started(starts: list[Any]) -> dict[str, str]:
    starts.append(None)
    return {"id": "it"}


@pytest.mark.parametrize(
    ("key", "error", "why"),
    [
        (object(), TypeError, "key must be a str, a number, None, or a list of these, not <object"),
        ([b"x"], TypeError, r"key must be .*, not \[b'x'\], which has b'x' in it"),
        ({"a": 1}, TypeError, "key must be a str"),
        (float("nan"), ValueError, "key must not have nan in it, which JSON cannot express"),
        ([float("inf")], ValueError, "key must not have inf in it"),
        ("x" * 20_000, ValueError, "key must have at most 10000 characters as JSON, not 20002"),
    ],
)
def test_other_keys_are_refused(run: Run, service: Service, key: Any, error: type[Exception], why: str) -> None:
    program = run()
    with pytest.raises(error, match=why):
        program.executor.submit_once(key, service.start, "a")
    with pytest.raises(error, match=why):
        program.executor.submit_many_once(service.start, ["a", key])
    assert not service.starts
    assert not program.states()


def test_a_key_that_contains_itself_is_refused(run: Run, service: Service) -> None:
    key: list[Any] = []
    key.append(key)
    with pytest.raises(ValueError, match="key must not have lists within lists more than 20 deep"):
        run().executor.submit_once(key, service.start, "a")


def test_what_is_no_function_is_refused(run: Run) -> None:
    program = run()
    with pytest.raises(TypeError, match="fn must be callable, not 'publish'"):
        program.executor.submit_once("a", "publish")  # type: ignore[arg-type]
    assert not program.states()


def test_without_a_journal_that_keeps_keys_it_is_refused() -> None:
    with Executors.sync().with_poll(lambda descriptors: None) as executor:
        with pytest.raises(ValueError, match=r"submit_once: <PollExecutor .*> has no journal that keeps keys"):
            executor.submit_once("a", str)
        with pytest.raises(ValueError, match=r"submit_many_once: <PollExecutor .*> has no journal that keeps keys"):
            executor.submit_many_once(str, ["a"])
    with pytest.raises(ValueError, match="keys must be given with a Journal, which keeps them, not with None"):
        Executors.sync().with_poll(lambda descriptors: None, keys=Keys())


def test_namespaces_are_apart(run: Run, service: Service) -> None:
    run(keys=Keys("one")).published("a")
    run(keys=Keys("two")).published("a")
    run(keys=Keys("one")).published("a")
    assert service.starts == ["a", "a"]


def test_many_at_once(run: Run, service: Service) -> None:
    names = [f"object-{number}" for number in range(300)]
    first = run()
    assert first.executor.submit_many_once(service.start, names[:200])[150].result(PATIENCE)
    assert set(first.states().values()) <= {"done", "started"}
    second = run()
    futures = second.executor.submit_many_once(service.start, names)
    assert [future.result(PATIENCE) for future in futures] == [f"{name} is published" for name in names]
    assert set(service.counts.values()) == {1}
    twice = second.executor.submit_many_once(service.start, ["new", "new"])
    assert twice[0] is twice[1]


def test_many_are_read_at_once(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"object-{number}" for number in range(1000)]
    first = run()
    for future in first.executor.submit_many_once(service.start, names):
        future.result(PATIENCE)
    first.states()
    second = run()
    selects: list[str] = []
    select = second.journal._file.select
    monkeypatch.setattr(
        second.journal._file, "select", lambda statement, _: (selects.append(statement), select(statement, _))[1]
    )
    assert all(future.done() for future in second.executor.submit_many_once(service.start, names))
    assert len(selects) == 1
    del selects[:]
    third = [second.publish(name) for name in names]
    assert all(future.done() for future in third)
    assert len(selects) <= 2 * len(names) / 200


# -- failures ---------------------------------------------------------------------------------------------------------


def test_a_failed_task_is_started_again_by_the_next_run(run: Run, service: Service) -> None:
    service.failing["a"] = SomeError("disk full")
    program = run()
    for _ in range(2):
        with pytest.raises(SomeError, match="disk full"):
            program.published("a")
    assert program.states() == {'"a"': "failed"}
    assert service.starts == ["a"]
    service.failing.clear()
    assert run().published("a") == "a is published"
    assert service.starts == ["a", "a"]


def test_or_is_kept_failed(run: Run, service: Service) -> None:
    keys = Keys(retry_failed=False)
    service.failing["a"] = SomeError("disk full", 3)
    with pytest.raises(SomeError):
        run(keys=keys).published("a")
    service.failing.clear()
    with pytest.raises(SomeError) as caught:
        run(keys=keys).published("a")
    assert caught.value.args == ("disk full", 3)
    assert service.starts == ["a"]


def test_an_error_that_cannot_be_made_again_is_described(run: Run, service: Service) -> None:
    keys = Keys(retry_failed=False)
    service.failing["a"] = OddError("disk", code=5)
    service.failing["b"] = SomeError(b"bytes")
    program = run(keys=keys)
    for name in "ab":
        with pytest.raises((OddError, SomeError)):
            program.published(name)
    program = run(keys=keys)
    with pytest.raises(RecordedError, match=r"OddError: disk has code 5$") as caught:
        program.published("a")
    assert caught.value.type_name == f"{__name__}.OddError"
    with pytest.raises(RecordedError, match=r"SomeError: b'bytes'"):
        program.published("b")


def test_a_function_that_raises_has_started_nothing(run: Run, service: Service) -> None:
    service.refusing["a"] = SomeError("no room")
    with pytest.raises(SomeError, match="no room"):
        run().published("a")
    service.refusing.clear()
    assert run().published("a") == "a is published"
    assert service.starts == ["a"]


def test_an_outcome_that_cannot_be_encoded_has_been_all_the_same(run: Run, service: Service) -> None:
    service.results["a"] = object()
    program = run()
    assert program.published("a") is service.results["a"]
    assert program.states() == {'"a"': "done, result cannot be encoded"}
    with pytest.raises(OutcomeNotRecorded, match=r"key 'a' has ended, .* could not be recorded: .*TypeError"):
        run().published("a")
    assert service.starts == ["a"]


def test_results_need_not_be_kept(run: Run, service: Service) -> None:
    keys = Keys(keep_results=False)
    program = run(keys=keys)
    assert program.published("a") == "a is published"
    assert program.states() == {'"a"': "done, result not kept"}
    assert run(keys=keys).published("a") is None
    assert service.starts == ["a"]


def test_a_value_that_cannot_be_encoded_leaves_the_start_in_doubt(run: Run, service: Service) -> None:
    service.is_slow = True
    program = run()
    program.executor.submit_once("a", lambda: {"id": object()})
    assert not program.executor.flush_journal(PATIENCE)
    with pytest.raises(StartInDoubt):
        run().published("a")


def test_what_submit_raises_is_raised_and_nothing_is_left(run: Run, service: Service) -> None:
    pool = ThreadPoolExecutor(1)
    program = run(delegate=pool)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        program.publish("a")
    assert not program.states()
    assert run().published("a") == "a is published"


# -- cancelling -------------------------------------------------------------------------------------------------------


def test_a_task_that_was_cancelled_is_forgotten(run: Run, service: Service) -> None:
    service.is_slow = True
    program = run(cancel_fn=service.cancel)
    future = program.publish("a")
    assert future.cancel()
    assert service.cancelled == ["a"]
    assert not program.states()
    service.is_slow = False
    assert run().published("a") == "a is published"
    assert service.starts == ["a", "a"]


def test_without_a_function_that_cancels_the_task_goes_on(run: Run, service: Service) -> None:
    service.is_slow = True
    program = run()
    assert program.publish("a").cancel()
    assert program.states() == {'"a"': "started"}
    service.is_slow = False
    assert program.published("a") == "a is published"  # the future that was cancelled is gone
    assert run().published("a") == "a is published"
    assert service.starts == ["a"]


def test_what_is_cancelled_before_it_was_called_was_never_started(run: Run, service: Service) -> None:
    pool = Executors.thread_pool(1)
    program = run(delegate=pool)
    go_on = threading.Event()
    pool.submit(go_on.wait)
    future = program.publish("a")
    assert future.cancel()
    go_on.set()
    with pytest.raises(CancelledError):
        future.result()
    assert not program.states()
    assert not service.starts


# -- in doubt ---------------------------------------------------------------------------------------------------------


def test_a_start_in_doubt_fails(run: Run, path: Path, service: Service) -> None:
    leave_in_doubt(path, "a")
    program = run()
    for _ in range(2):
        with pytest.raises(StartInDoubt, match="not known whether a task was started for the key 'a'") as caught:
            program.published("a")
        assert caught.value.key == "a"
    assert program.states() == {'"a"': "in doubt"}
    assert not service.starts


def test_a_function_may_say_that_it_does_not_know(run: Run, service: Service) -> None:
    service.refusing["a"] = StartInDoubt("a")
    program = run()
    with pytest.raises(StartInDoubt):
        program.published("a")
    assert program.states() == {'"a"': "meant"}
    service.refusing.clear()
    with pytest.raises(StartInDoubt):
        program.published("a")
    with pytest.raises(StartInDoubt):
        run().published("a")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_interrupts_a_start_leaves_it_in_doubt(run: Run, service: Service, error: type[BaseException]) -> None:
    service.refusing["a"] = error()
    program = run(delegate=ThreadPoolExecutor(1))
    with pytest.raises(error):
        program.published("a")
    assert program.states() == {'"a"': "meant"}


def test_it_can_be_started_again_with_the_same_token(run: Run, service: Service) -> None:
    tokens: list[str] = []

    def start(name: str, *, token: str) -> dict[str, str]:
        tokens.append(token)
        return service.start(name)

    service.refusing["a"] = StartInDoubt()
    for _ in range(3):
        program = run(keys=Keys(in_doubt="start"))
        with pytest.raises(StartInDoubt):
            program.executor.submit_once("a", start, "a").result(PATIENCE)
        program.states()
    service.refusing.clear()
    assert run(keys=Keys(in_doubt="start")).executor.submit_once("a", start, "a").result(PATIENCE)
    assert run(keys=Keys(in_doubt="start")).executor.submit_once("b", start, "b").result(PATIENCE)
    assert len(set(tokens[:4])) == 1
    assert tokens[4] != tokens[0]
    assert service.starts == ["a", "b"]


def test_a_function_has_to_take_the_token(run: Run, service: Service) -> None:
    program = run(keys=Keys(in_doubt="start"))
    with pytest.raises(TypeError, match="fn must have a parameter called token, as in_doubt is 'start'"):
        program.publish("a")
    assert not service.starts


@pytest.mark.parametrize("batch_size", [None, 2])
def test_the_service_can_be_asked(run: Run, path: Path, service: Service, batch_size: int | None) -> None:
    leave_in_doubt(path, *"abcde", ["f", 1])
    asked: list[list[Any]] = []

    def find(keys: list[Any]) -> dict[Any, Any]:
        asked.append(keys)
        return {key: {"id": key if isinstance(key, str) else "f"} for key in keys if key in ("a", "c", ("f", 1))}

    program = run(keys=Keys(find_fn=find), batch_size=batch_size)
    assert [program.published(name) for name in "abcde"] == [f"{name} is published" for name in "abcde"]
    assert program.executor.submit_once(["f", 1], service.start, "f").result(PATIENCE) == "f is published"
    assert sorted(service.starts) == ["b", "d", "e"]
    assert [key for keys in asked for key in keys] == ["a", "b", "c", "d", "e", ("f", 1)]
    assert len(asked) == (1 if batch_size is None else 3)
    assert set(program.states().values()) == {"done"}


def test_who_does_not_know_has_the_service_asked(run: Run, service: Service) -> None:
    found: dict[str, Any] = {}
    service.refusing["a"] = StartInDoubt("a")
    program = run(keys=Keys(find_fn=lambda keys: found))
    found["a"] = {"id": "a"}
    assert program.published("a") == "a is published"
    assert not service.starts


def test_the_service_may_say_that_it_cannot_know(run: Run, path: Path, service: Service) -> None:
    leave_in_doubt(path, *"abc")
    asked: list[Any] = []

    def find(keys: list[Any]) -> dict[Any, Any]:
        asked.extend(keys)
        return {key: {"a": {"id": "a"}, "b": StartInDoubt("b")}[key] for key in keys if key != "c"}

    program = run(keys=Keys(find_fn=find))
    assert program.published("a") == "a is published"
    with pytest.raises(StartInDoubt, match="'b'"):
        program.published("b")
    assert program.published("c") == "c is published"
    assert service.starts == ["c"]
    assert asked == ["a", "b", "c", "b"]  # at first nobody wanted to know that
    assert program.states() == {'"a"': "done", '"b"': "in doubt", '"c"': "done"}


def test_a_service_that_cannot_be_asked_leaves_it_in_doubt(run: Run, path: Path, service: Service) -> None:
    leave_in_doubt(path, "a")

    def find(keys: list[Any]) -> dict[Any, Any]:
        raise SomeError("no answer")

    program = run(keys=Keys(find_fn=find))
    with pytest.raises(StartInDoubt) as caught:
        program.published("a")
    assert isinstance(caught.value.__cause__, SomeError)
    assert program.states() == {'"a"': "in doubt"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [(["a"], "find_fn must return a mapping of keys to what was started, not"), ({"b": 1}, 'not "b"')],
)
def test_an_answer_that_makes_no_sense_leaves_it_in_doubt(run: Run, path: Path, answer: Any, why: str) -> None:
    leave_in_doubt(path, "a")
    program = run(keys=Keys(find_fn=lambda keys: answer))
    with pytest.raises(StartInDoubt) as caught:
        program.published("a")
    assert why in str(caught.value.__cause__)


def test_the_options_of_keys_are_checked() -> None:
    with pytest.raises(ValueError, match="in_doubt must be 'fail' or 'start', not 'ask'"):
        Keys(in_doubt="ask")
    with pytest.raises(TypeError, match="namespace must be a str, not 1"):
        Keys(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="find_fn must be callable"):
        Keys(find_fn="find")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="in_doubt must not be 'start' with a find_fn"):
        Keys(in_doubt="start", find_fn=dict)
