"""The parts of the publish demo that deal with faults: what is in store for a task, retries, and the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from more_executors import RecordedError, StartInDoubt, TaskMissing, Throttled

for package in ("aiohttp", "requests"):
    pytest.importorskip(package)

from publish_support import modules_of_the_demo  # noqa: E402


@pytest.fixture
def example() -> Iterator[Callable[[str], ModuleType]]:
    with modules_of_the_demo() as imported:
        yield imported


def test_a_task_is_hidden_for_a_while_and_vanishes_before_its_end(example: Any) -> None:
    task = example("task")
    faults = example("faults").Faults(hide_rate=1.0, hidden_for=3.0, vanish_rate=0.5)
    settings = task.Settings(duration=10, failure_rate=0.5, faults=faults)
    seen = set()
    for number in range(100):
        fate = task.Fate.of(f"object-{number}", settings)
        assert fate == task.Fate.of(f"object-{number}", settings)
        one = task.Task("id", "object", 1000.0, fate)
        hidden = [one.hidden(1000 + second) for second in range(30)]
        assert hidden.count(True) == 3
        states = [one.state(1000 + second / 10) for second in range(300)]
        assert states == sorted(states, key=lambda state: state != "running")
        seen |= {states[0], states[-1]}
    assert seen == {"running", "finished", "error", "vanished"}


def failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def test_patience_is_for_what_may_pass_and_ends_with_hope(example: Any) -> None:
    patience = example("patience")
    trouble = patience.UnavailableError("no answer")
    hopeless = False
    policy = patience.Patience(3, lambda: hopeless)
    assert [policy.should_retry(attempt, failed(trouble)) for attempt in (1, 2, 3)] == [True, True, False]
    assert not policy.should_retry(1, failed(ValueError("no")))
    assert 5 < policy.sleep_time(1, failed(Throttled(5))) < 6
    assert policy.sleep_time(1, failed(trouble)) < policy.sleep_time(6, failed(trouble)) < 3
    hopeless = True
    assert not policy.should_retry(1, failed(trouble))

    hopeless = False
    attempts = []

    def attempt() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise Throttled(0)
        return "done"

    assert policy.call(attempt) == "done"
    with pytest.raises(ZeroDivisionError):
        policy.call(lambda: 1 / 0)


def test_the_audit_finds_whatever_does_not_agree(example: Any) -> None:
    audit = example("audit").audit
    task_error = example("client").TaskError
    finished: Future[Any] = Future()
    finished.set_result({"task_id": "t"})
    cancelled: Future[Any] = Future()
    cancelled.cancel()
    missing = failed(TaskMissing("t", datetime.now(timezone.utc), 1.0))
    broken, refused = failed(task_error("disk full")), failed(task_error("the object is locked"))
    gave_up = failed(example("patience").UnavailableError("no answer"))
    gave_up_earlier = failed(RecordedError("patience.UnavailableError", "no answer"))
    missing_earlier = failed(RecordedError("more_executors.status_poll.TaskMissing", "task 't' has been in no reply"))
    pending: Future[Any] = Future()

    def problems(future: Future[Any], *tasks: dict[str, Any], in_doubt: tuple[str, ...] = ()) -> int:
        books = {"objects": {"one": list(tasks)} if tasks else {}, "faults": {}}
        found = audit({"one": future}, books, in_doubt)
        assert found.balanced == (not found.twice and not found.disagreements)
        return len(found.twice) + len(found.disagreements)

    def task(state: str, **more: Any) -> dict[str, Any]:
        return {"task_id": "t", "state": state, "ended": 0.0, **more}

    doubtful = failed(StartInDoubt("one"))
    right = [
        (finished, task("finished")),
        (finished, task("cancelled", task_id="earlier"), task("vanished", task_id="another"), task("finished")),
        (cancelled,),
        (cancelled, task("cancelled")),
        (missing, task("vanished")),
        (missing_earlier, task("vanished")),
        (broken, task("error", error="disk full")),
        (refused,),
        (gave_up,),
        (gave_up, task("cancelled")),
        (gave_up_earlier,),
        (doubtful,),
    ]
    wrong = [
        (pending,),
        (pending, task("running")),
        (finished,),
        (finished, task("finished", task_id="another")),
        (finished, task("running")),
        (cancelled, task("finished")),
        (cancelled, task("running")),
        (missing, task("finished")),
        (missing, task("vanished", task_id="another")),
        (missing_earlier, task("running")),
        (broken, task("error", error="another")),
        (broken, task("finished")),
        (gave_up, task("running")),
        (gave_up_earlier, task("finished")),
        (doubtful, task("running")),
        (failed(ValueError("no")),),
        (finished, task("finished"), task("finished")),
        (cancelled, task("finished"), task("cancelled")),
    ]
    assert [problems(*case) for case in right] == [0] * len(right)
    assert all(problems(*case) > 0 for case in wrong)
    for future in (cancelled, doubtful):
        assert problems(future, task("finished"), in_doubt=("one",)) == 0
        assert problems(future, task("finished"), task("running"), in_doubt=("one",)) > 0
    nobodys = audit({}, {"objects": {"two": [task("finished")]}, "faults": {"500": [[1.0, 2]]}}, ())
    assert not nobodys.balanced
    assert nobodys.faults == {"500": [(1.0, 2)]}


def test_a_bucket_lets_the_rate_through_and_a_few_more_after_a_pause(example: Any) -> None:
    bucket = example("trouble").Bucket(10.0)
    passed = [bucket.take(1000 + second / 100) for second in range(1000)]
    assert 100 <= passed.count(True) <= 103
    assert [bucket.take(2000.0) for _ in range(4)] == [True, True, False, False]
    assert all(example("trouble").Bucket(float("inf")).take(0.0) for _ in range(100))


def test_what_is_written_by_each_variant_has_names_of_its_own(
    example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # it must be possible to write there
    parse = example("options").parse
    all_of_them = parse([]), parse(["--faults"]), parse(["--cluster=2"])
    written = [(options.output.name, options.log.name, options.state.name) for options in all_of_them]
    assert written == [
        ("publish.png", "publish.log", "publish.state"),
        ("faults.png", "faults.log", "faults.state"),
        ("cluster.png", "cluster.log", "cluster.state"),
    ]
    Path("a").mkdir()
    mine = parse(["--faults", "--output=a/mine.svg"])
    assert (mine.output, mine.state) == (Path("a/mine.svg"), Path("a/mine.state"))
