"""Cancelling: only what was cancelled counts, and scancel does not say what that is."""

from __future__ import annotations

import logging

import pytest
from fake_slurm import FakeSlurm

from more_executors import Executors
from more_executors.services.slurm import CommandResult, Slurm, SlurmUnavailable
from more_executors.services.testing import ServiceTests


def cancelled(slurm: Slurm, *tasks: str) -> dict[str, bool]:
    return dict(zip(tasks, slurm.cancel_many(list(tasks)), strict=True))


def scancels(fake: FakeSlurm) -> list[list[str]]:
    return [call[1:] for call in fake.calls if call[0] == "scancel"]


def test_jobs_that_wait_run_have_ended_and_never_were(fake: FakeSlurm, slurm: Slurm) -> None:
    waiting, running, done, purged = (slurm.start("a.sh") for _ in range(4))
    fake.run(running)
    fake.end(done)
    fake.purge(purged)
    tasks = waiting, running, done, purged, "999"
    assert cancelled(slurm, *tasks) == {waiting: True, running: True, done: False, purged: False, "999": False}
    assert scancels(fake) == [[waiting, running]], "what is not there any more is not told to end"
    assert cancelled(slurm, done) == {done: False}
    assert len(scancels(fake)) == 1


def test_one_malformed_id_does_not_save_the_others(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = [slurm.start("a.sh"), "bad", "4;one;two", slurm.start("a.sh")]
    assert slurm.cancel_many(tasks) == [True, False, False, True]
    assert slurm.cancel_many([7, None, "bad"]) == [False] * 3  # type: ignore[list-item]


def test_ids_with_a_cluster(fake: FakeSlurm) -> None:
    slurm = Slurm(cluster="one", run=fake)
    tasks = [slurm.start("a.sh"), slurm.start("a.sh")]
    assert cancelled(slurm, *tasks) == dict.fromkeys(tasks, True)
    assert scancels(fake) == [["--clusters=one", "100", "101"]]


def test_a_job_of_somebody_else(fake: FakeSlurm, slurm: Slurm, caplog: pytest.LogCaptureFixture) -> None:
    theirs, mine = str(fake.submit(owner=1002)), slurm.start("a.sh")
    with caplog.at_level(logging.WARNING, "Slurm"):
        assert cancelled(slurm, theirs, mine) == {theirs: False, mine: True}
    assert "scancel ended with 210 and said: scancel: error: Kill job error on job id 100" in caplog.messages[0]


def test_elements_of_an_array_take_few_words(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-4999%10")
    fake.run(tasks[0])
    fake.end(tasks[1])
    assert slurm.cancel_many(tasks) == [True, False, *[True] * 4998]
    assert scancels(fake) == [["100_[0,2-4999]"]]


def test_an_element_that_waits_leaves_no_trace_and_was_cancelled(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-4%2")
    assert cancelled(slurm, tasks[3]) == {tasks[3]: True}
    assert tasks[3] not in slurm.fetch(tasks)
    assert cancelled(slurm, tasks[3]) == {tasks[3]: False}, "but whoever comes later is told nothing"


def test_a_job_that_ends_just_before_was_not_cancelled(fake: FakeSlurm, slurm: Slurm) -> None:
    task, other = slurm.start("a.sh"), slurm.start("a.sh")
    fake.run(task)
    fake.finishes_at_scancel = task
    assert cancelled(slurm, task, other) == {task: False, other: True}


def test_an_element_that_has_ended_and_is_forgotten_was_not_cancelled(fake: FakeSlurm, slurm: Slurm) -> None:
    [task] = slurm.start_array("a.sh", "0-0")
    fake.run(task)
    scancel = fake.scancel

    def too_late(words: list[str]) -> CommandResult:
        fake.end(task)
        fake.forget(task)
        return scancel(words)

    fake.scancel = too_late  # type: ignore[method-assign]
    assert cancelled(slurm, task) == {task: False}


def test_a_poll_that_sees_what_a_cancel_has_done_does_not_make_it_fail(fake: FakeSlurm) -> None:
    slurm = Slurm(run=fake, interval=0.001)
    polled = ServiceTests().polled
    with Executors.for_service(slurm) as executor:
        future = executor.adopt(slurm.start("a.sh"))
        polled(executor)
        scancel = fake.scancel

        def slow(words: list[str]) -> CommandResult:
            result = scancel(words)
            fake.lock.release()
            try:
                polled(executor, 2)
            finally:
                fake.lock.acquire()
            return result

        fake.scancel = slow  # type: ignore[method-assign]
        assert future.cancel()
        del fake.scancel  # which has the executor
    assert not slurm.cancelling


def test_a_job_that_is_just_ending_by_itself_was_not_cancelled(fake: FakeSlurm, slurm: Slurm) -> None:
    # 1. It runs. 2. It ends as scancel is on its way. 3. The controller says COMPLETING, and the database how it ended.
    task = slurm.start("a.sh")
    fake.run(task)
    scancel = fake.scancel

    def too_late(words: list[str]) -> CommandResult:
        fake.end(task)
        result = scancel(words)
        fake.controller[task].state = "COMPLETING"
        return result

    fake.scancel = too_late  # type: ignore[method-assign]
    assert cancelled(slurm, task) == {task: False}


def test_while_processes_run_on_the_database_says_why(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.run(task)
    assert cancelled(slurm, task) == {task: True}
    assert fake.controller[task].state == "COMPLETING"


def test_while_the_database_is_behind_it_is_asked_again(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.run(task)
    fake.behind = True
    slept: list[float] = []

    def catch_up(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            fake.catch_up()

    fake.slept = catch_up
    assert cancelled(slurm, task) == {task: True}
    assert slept == [0.2, 0.5]


def test_what_is_not_on_record_in_time_does_not_count(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.run(task)
    fake.behind = True
    assert cancelled(slurm, task) == {task: False}
    fake.catch_up()
    fake.settle(task)
    assert slurm.fetch([task])[task].state == "CANCELLED", "which its future fails with"


def test_a_heterogeneous_job_is_cancelled_as_a_whole(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.submit_het(2)
    assert cancelled(slurm, "100") == {"100": True}
    assert {job.state for job in fake.controller.values()} == {"CANCELLED"}


def test_a_whole_array_of_which_some_have_ended(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-3")
    fake.end(tasks[0])
    assert cancelled(slurm, "100") == {"100": True}
    assert scancels(fake) == [["100"]]


def test_an_outage_is_one(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.controller_away = "Unable to contact slurm controller (connect failure)"
    with pytest.raises(SlurmUnavailable):
        slurm.cancel_many([task])
    assert not scancels(fake)


def test_nothing_to_cancel_asks_nobody(fake: FakeSlurm, slurm: Slurm) -> None:
    assert slurm.cancel_many([]) == []
    assert not fake.calls
