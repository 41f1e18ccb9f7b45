"""What becomes of jobs, where what the database says is not the end, or not of this job."""

from __future__ import annotations

import logging

import pytest
from fake_slurm import DOWN, FakeSlurm

from more_executors.services.slurm import Slurm, SlurmError, SlurmUnavailable
from more_executors.services.slurm._statuses import RUN_AGAIN


def states(slurm: Slurm, *tasks: str) -> dict[str, str]:
    return {task: record.state for task, record in slurm.fetch(list(tasks)).items()}


def commands(fake: FakeSlurm) -> list[str]:
    return [name for name, *_ in fake.calls]


def test_a_plain_job(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh", tag="one")
    assert states(slurm, task) == {task: "PENDING"}
    fake.run(task)
    assert states(slurm, task) == {task: "RUNNING"}
    fake.now += 7
    fake.end(task)
    [record] = slurm.fetch([task]).values()
    assert (record.state, record.elapsed, record.nodes, record.exit_code) == ("COMPLETED", 7, "n1", 0)
    assert commands(fake)[1:] == ["sacct"] * 3, "the controller is not asked about what is certain"


def test_elements_that_wait_are_asked_for_by_the_number_of_their_array(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-4%2")
    fake.run(tasks[0])
    fake.end(tasks[1])
    assert states(slurm, *tasks) == dict(
        zip(tasks, ["RUNNING", "COMPLETED", "PENDING", "PENDING", "PENDING"], strict=True)
    )
    assert [word for word in fake.calls[-1] if word.startswith("--jobs")] == ["--jobs=100"]


def test_an_element_that_is_cancelled_alone_while_it_waits_is_known_to_nobody(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-4%2")
    fake.scancel([tasks[3]])
    assert sorted(states(slurm, *tasks)) == [task for task in tasks if task != tasks[3]]


def test_an_array_that_is_cancelled_while_it_waits(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-4%2")
    fake.scancel(["100"])
    for _ in range(2):
        records = slurm.fetch(tasks)
        assert [record.state for record in records.values()] == ["CANCELLED"] * 5
        assert {record.cancelled_by for record in records.values()} == {1001}
        for task in tasks:
            fake.forget(task)


@pytest.mark.parametrize("state", sorted(RUN_AGAIN))
def test_a_job_that_is_queued_again_has_not_ended(fake: FakeSlurm, slurm: Slurm, state: str) -> None:
    task = slurm.start("a.sh")
    fake.run(task)
    fake.requeue(task, state)
    assert fake.sacct([*ask(), f"--jobs={task}"]).stdout.split("|")[1] == state, "so says the database"
    assert states(slurm, task) == {task: "PENDING"}
    fake.tell_of_requeue(task)
    fake.run(task)
    assert states(slurm, task) == {task: "RUNNING"}
    fake.end(task)
    assert states(slurm, task) == {task: "COMPLETED"}


def ask() -> list[str]:
    return ["--allocations", "--noheader", "--parsable2", "--format=JobID,State,End"]


@pytest.mark.parametrize("state", sorted(RUN_AGAIN))
def test_a_job_that_is_not_queued_again_has_ended(fake: FakeSlurm, slurm: Slurm, state: str) -> None:
    task = slurm.start("a.sh")
    fake.end(task, state)
    assert states(slurm, task) == {task: state}
    fake.forget(task)
    assert states(slurm, task) == {task: state}


def test_a_job_that_has_run_again_and_is_forgotten_before_the_database_hears_of_it(
    fake: FakeSlurm, slurm: Slurm
) -> None:
    task = slurm.start("a.sh")
    fake.run(task)
    fake.requeue(task, "NODE_FAIL")
    fake.behind = True
    fake.run(task)
    fake.end(task)
    assert states(slurm, task) == {task: "UNRECORDED"}, "the controller says COMPLETED, which is not of that row"
    fake.forget(task)
    assert states(slurm, task) == {task: "UNCONFIRMED"}, "records wait, maybe of this one"
    fake.catch_up()
    assert states(slurm, task) == {task: "COMPLETED"}


def test_records_that_arrive_between_the_questions(
    fake: FakeSlurm, slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 1. The database says NODE_FAIL. 2. It gets the records of the second run. 3. None wait: it is asked again.
    task = slurm.start("a.sh")
    fake.requeue(task, "NODE_FAIL")
    fake.behind = True
    fake.end(task)
    fake.forget(task)
    squeue = FakeSlurm.squeue

    def catching_up(self, words):
        fake.catch_up()
        return squeue(self, words)

    monkeypatch.setattr(FakeSlurm, "squeue", catching_up)
    assert states(slurm, task) == {task: "COMPLETED"}
    assert commands(fake)[1:] == ["sacct", "squeue", "sdiag", "sacct"]


def test_a_row_without_an_end_has_not_ended(fake: FakeSlurm, slurm: Slurm) -> None:
    for state, status in (("FAILED", 3 << 8), ("COMPLETED", 0), ("CANCELLED", 0)):
        task = slurm.start("a.sh")
        fake.behind = True
        fake.end(task, state, status)
        fake.record_early(task)
        assert states(slurm, task) == {task: "COMPLETING"}
        fake.catch_up()
        [record] = slurm.fetch([task]).values()
        assert (record.state, record.exit_code) == (state, status >> 8)


def test_a_job_that_the_database_has_not_heard_of_yet(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.behind = True
    task, *elements = [slurm.start("a.sh"), *slurm.start_array("a.sh", "0-1")]
    assert set(states(slurm, task, *elements).values()) == {"PENDING"}
    fake.end(task, "FAILED", 256)
    assert states(slurm, task) == {task: "UNRECORDED"}, "the controller forgets, so the database has the last word"
    fake.catch_up()
    assert states(slurm, task) == {task: "FAILED"}


def test_a_job_with_a_number_that_another_one_had(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.submit()
    fake.end("100", "FAILED", 256)
    fake.forget("100")
    fake.next_number, fake.now, fake.behind = 100, fake.now + 90 * 86_400, True
    task = slurm.start("a.sh")
    assert task == "100"
    assert states(slurm, task) == {task: "PENDING"}, "so says the controller"
    fake.end(task)
    assert states(slurm, task) == {task: "UNRECORDED"}
    fake.forget(task)
    assert states(slurm, task) == {}
    fake.catch_up()
    assert states(slurm, task) == {task: "COMPLETED"}


def test_the_clock_of_the_controller_may_be_behind(
    fake: FakeSlurm, slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("more_executors.services.slurm._slurm.time", lambda: fake.now + 299)
    task = slurm.start("a.sh")
    fake.end(task)
    assert states(slurm, task) == {task: "COMPLETED"}


@pytest.mark.parametrize(("code", "shown"), [(1, 1), (127, 127), (128, 0), (137, 9), (255, 127)])
def test_exit_codes_that_the_database_cuts(fake: FakeSlurm, slurm: Slurm, code: int, shown: int) -> None:
    task = slurm.start("a.sh")
    fake.end(task, "FAILED", code << 8)
    [record] = slurm.fetch([task]).values()
    assert (record.exit_code, record.exit_code_certain) == (code, True)
    fake.forget(task)
    [record] = slurm.fetch([task]).values()
    assert (record.exit_code, record.exit_code_certain) == (shown, False)


def test_a_signal_is_certain_whoever_says_so(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.end(task, "FAILED", 9)
    for _ in range(2):
        [record] = slurm.fetch([task]).values()
        assert (record.exit_code, record.signal, record.exit_code_certain) == (0, 9, True)
        fake.forget(task)


def test_while_the_processes_of_a_job_run_on_it_goes_on(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.run(task)
    fake.scancel([task])
    assert states(slurm, task) == {task: "COMPLETING"}
    fake.settle(task)
    assert states(slurm, task) == {task: "CANCELLED"}


def test_the_controller_is_away(fake: FakeSlurm, slurm: Slurm, caplog: pytest.LogCaptureFixture) -> None:
    good, bad, running, new = (slurm.start("a.sh") for _ in range(4))
    fake.end(good)
    fake.end(bad, "FAILED", 256)
    fake.run(running)
    fake.database = {key: row for key, row in fake.database.items() if key[0] != new}
    fake.controller_away = "Unable to contact slurm controller (connect failure)"
    with caplog.at_level(logging.WARNING, "Slurm"):
        assert states(slurm, good, bad, running, new) == {
            good: "COMPLETED",
            bad: "UNCONFIRMED",
            running: "RUNNING",
            new: "UNCONFIRMED",
        }
    [message] = caplog.messages
    assert "2 jobs may have ended, but the controller does not say: squeue ended with 1" in message
    assert "connect failure" in message
    fake.controller_away = None
    assert states(slurm, bad) == {bad: "FAILED"}


def test_the_database_is_away(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.database_away = "sacct: error: Problem talking to the database: Connection refused"
    with pytest.raises(SlurmUnavailable, match="sacct ended with 1 and said: sacct: error: Problem talking"):
        slurm.fetch([task])
    fake.database_away = "Slurm accounting storage is disabled"
    with pytest.raises(SlurmError, match="storage is disabled") as caught:
        slurm.fetch([task])
    assert not isinstance(caught.value, slurm.outage_errors), "which no patience helps with"


def test_a_whole_array_ends_when_all_its_elements_have(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-2")
    assert states(slurm, "100") == {"100": "PENDING"}
    fake.end(tasks[0])
    fake.end(tasks[1], "FAILED", 137 << 8)
    assert states(slurm, "100") == {"100": "PENDING"}
    fake.run(tasks[2])
    assert states(slurm, "100") == {"100": "RUNNING"}
    fake.now += 50
    fake.end(tasks[2])
    [record] = slurm.fetch(["100"]).values()
    assert (record.element, record.state, record.exit_code, record.elapsed) == (None, "FAILED", 137, 50)


def test_a_whole_array_goes_on_while_the_controller_has_an_element(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-1")
    fake.end(tasks[0])
    fake.end(tasks[1])
    del fake.database[tasks[1], fake.now]
    fake.controller[tasks[1]].state = "RUNNING"
    assert states(slurm, "100") == {"100": "RUNNING"}


def test_a_whole_array_goes_on_while_the_database_has_rows_of_some_elements_only(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-2")
    fake.end(tasks[2], "FAILED", 768)
    fake.behind = True
    fake.end(tasks[0])
    fake.end(tasks[1], "FAILED", 256)
    for task in tasks[:2]:
        del fake.database[task, fake.now]
    assert states(slurm, "100") == {"100": "UNRECORDED"}
    fake.catch_up()
    [record] = slurm.fetch(["100"]).values()
    assert (record.state, record.exit_code) == ("FAILED", 1), "as the first element that failed"


def test_the_last_element_may_have_the_row_of_those_that_wait(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-0")
    fake.end(tasks[0], "FAILED", 137 << 8)
    fake.database[tasks[0], fake.now].started = None
    for task in (tasks[0], "100"):
        [record] = slurm.fetch([task]).values()
        assert (record.state, record.exit_code, record.exit_code_certain) == ("FAILED", 137, True)


def test_a_heterogeneous_job_ends_when_all_its_parts_have(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.submit_het(2)
    fake.run("100+1")
    fake.end("100+0")
    assert states(slurm, "100", "100+0", "100+1") == {"100": "RUNNING", "100+0": "COMPLETED", "100+1": "RUNNING"}
    fake.end("100+1", "FAILED", 512)
    [record] = slurm.fetch(["100"]).values()
    assert (record.state, record.exit_code) == ("FAILED", 2)
    for part in ("100+0", "100+1"):
        fake.forget(part)
    assert states(slurm, "100") == {"100": "FAILED"}


def test_nine_thousand_jobs_take_one_call_of_each_command(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = [str(fake.submit()) for _ in range(9_000)]
    for task in tasks[:200]:
        fake.end(task, "FAILED", 256)
    assert len(states(slurm, *tasks)) == 9_000
    assert commands(fake) == ["sacct", "squeue"]
    assert not [word for word in fake.calls[1] if word.startswith("--jobs")], "with ids it would take ten times as long"
    assert max(map(len, fake.calls[0])) < 131_072


def test_more_ids_than_a_command_line_takes(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.next_number = 60_000_000
    tasks = [str(fake.submit()) for _ in range(20_000)]
    assert len(states(slurm, *tasks)) == 20_000
    assert commands(fake) == ["sacct", "sacct"]
    assert max(len(word) for call in fake.calls for word in call) < 131_072


def test_one_unknown_job_is_asked_for_twice_since_squeue_fails_with_one(fake: FakeSlurm, slurm: Slurm) -> None:
    assert fake.squeue(["--noheader", "--all", "--states=all", "--jobs=7"]).returncode == 1
    assert states(slurm, "7") == {}


def test_clusters_are_asked_each(fake: FakeSlurm) -> None:
    slurm = Slurm(cluster="big", run=fake)
    task = slurm.start("a.sh")
    assert task == "100;big"
    assert fake.calls[-1][1] == "--clusters=big"
    assert (slurm.group_of(task), slurm.group_of("7"), slurm.group_of("7;small")) == ("big", "big", "small")
    [record] = slurm.fetch([task]).values()
    assert record.cluster == "big"
    slurm.fetch(["7;small"])
    assert [call[1] for call in fake.calls[1:]] == ["--clusters=big", "--clusters=small", "--clusters=small"]
    assert slurm.start_array("a.sh", "1-2") == ["101_1;big", "101_2;big"]


def test_what_is_no_id_is_an_error(slurm: Slurm) -> None:
    with pytest.raises(ValueError, match="a job of Slurm must be called like"):
        slurm.group_of("align.sh")


def test_the_controller_says_that_it_is_down_in_the_error(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh")
    fake.controller_away = "Unable to contact slurm controller (connect failure)"
    with pytest.raises(SlurmUnavailable) as caught:
        slurm.cancel_many([task])
    assert DOWN in str(caught.value)
