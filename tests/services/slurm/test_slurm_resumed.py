"""Jobs that this `Slurm` has not submitted, as after a program is run again: when they were, it does not know."""

from __future__ import annotations

import pickle

import pytest
from fake_slurm import FakeSlurm
from support import PATIENCE

from more_executors import Executors
from more_executors.services.slurm import Slurm, _submissions

WEEK = 7 * 86_400


def state(slurm: Slurm, task: str) -> str | None:
    found = slurm.fetch([task])
    return found[task].state if found else None


def with_an_older_one(fake: FakeSlurm, ended: str = "COMPLETED", status: int = 0) -> str:
    """A job whose number another one had, of which the database has the record; that of this one waits."""
    task = str(fake.submit())
    fake.end(task, ended, status)
    fake.forget(task)
    fake.next_number, fake.now, fake.behind = int(task), fake.now + WEEK, True
    assert str(fake.submit()) == task
    return task


@pytest.mark.parametrize(("ended", "status"), [("COMPLETED", 0), ("FAILED", 256)])
def test_the_row_of_an_older_job_with_its_number_is_not_its_end(
    fake: FakeSlurm, slurm: Slurm, ended: str, status: int
) -> None:
    task = with_an_older_one(fake, ended, status)
    assert state(slurm, task) == "PENDING", "so says the controller"
    fake.run(task)
    assert state(slurm, task) == "RUNNING"
    fake.end(task, ended, status + 512)
    assert state(slurm, task) == "UNRECORDED", "although both say the same"
    fake.catch_up()
    [record] = slurm.fetch([task]).values()
    assert (record.state, record.exit_code, record.submitted) == (ended, status // 256 + 2, fake.now)


def test_after_a_week_the_database_alone_knows(fake: FakeSlurm, slurm: Slurm) -> None:
    good, bad = str(fake.submit()), str(fake.submit())
    for _ in range(2):
        fake.submit(indices=[0, 1])
    fake.end(good)
    fake.end(bad, "FAILED", 512)
    fake.end("102_0")
    fake.end("103_1", "TIMEOUT")
    fake.now += WEEK
    for task in list(fake.controller):
        fake.forget(task)
    assert [state(slurm, task) for task in (good, bad, "102_0", "103_1")] == [
        "COMPLETED",
        "FAILED",
        "COMPLETED",
        "TIMEOUT",
    ]
    assert not [word for call in fake.calls for word in call if word.startswith("--starttime")], "however long ago"


def test_a_job_that_has_completed_is_believed_while_the_controller_is_away(fake: FakeSlurm, slurm: Slurm) -> None:
    task = str(fake.submit())
    fake.end(task)
    fake.controller_away = "Unable to contact slurm controller (connect failure)"
    assert state(slurm, task) == "COMPLETED"


def test_a_job_that_was_submitted_here_needs_no_controller(fake: FakeSlurm, slurm: Slurm) -> None:
    here, elsewhere = slurm.start("a.sh"), str(fake.submit())
    for task, expected in ((here, ["sacct"]), (elsewhere, ["sacct", "squeue"])):
        fake.end(task)
        fake.calls.clear()
        assert state(slurm, task) == "COMPLETED"
        assert [name for name, *_ in fake.calls] == expected


def test_the_last_submissions_are_remembered(fake: FakeSlurm, slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_submissions, "MOST", 2)
    tasks = [slurm.start("a.sh") for _ in range(3)]
    assert slurm._begun.of(None, tasks) == dict.fromkeys(tasks[1:], fake.now)
    assert slurm._begun.of("other", tasks) == {}


def test_a_copy_has_submitted_nothing() -> None:
    slurm = Slurm(cluster="big", interval=7)
    slurm._begun.add("big", "100", 7.0)
    copied = pickle.loads(pickle.dumps(slurm))
    assert (copied.cluster, copied.interval) == ("big", 7)
    assert copied._begun.of("big", ["100"]) == {}


def test_states_are_reported(fake: FakeSlurm) -> None:
    slurm = Slurm(run=fake, interval=0.001)
    with Executors.for_service(slurm) as executor:
        futures = executor.adopt_many([slurm.start("a.sh") for _ in range(3)])
        for task in ("100", "101"):
            fake.run(task)
        for expected in ({"running": 2, "pending": 1}, {"running": 1, "pending": 1}):
            done = len(futures) - sum(expected.values())
            while executor.stats().states != expected:
                assert sum(future.done() for future in futures) <= done
            fake.end("100")
            futures[0].result(PATIENCE)
        executor.leave()
