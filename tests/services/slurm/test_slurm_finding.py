"""Finding the jobs of keys: by their names, whatever other jobs are called."""

from __future__ import annotations

import pytest
from fake_slurm import FakeSlurm

from more_executors.services import tag_of
from more_executors.services.slurm import Slurm, SlurmUnavailable


def test_jobs_that_wait_run_or_have_ended_are_found(fake: FakeSlurm, slurm: Slurm) -> None:
    keys = ["waiting", "running", "ended", "forgotten", ("pair", 1), "never"]
    tasks = {key: slurm.start("a.sh", tag=tag_of(key)) for key in keys[:-1]}
    fake.run(tasks["running"])
    fake.end(tasks["ended"])
    fake.end(tasks["forgotten"])
    fake.forget(tasks["forgotten"])
    assert slurm.find(keys) == tasks


@pytest.mark.parametrize(("days", "found"), [(29, {"key": "100"}), (31, {})])
def test_a_job_is_found_for_thirty_days(fake: FakeSlurm, slurm: Slurm, days: int, found: dict[str, str]) -> None:
    task = slurm.start("a.sh", tag="key")
    fake.end(task)
    fake.forget(task)
    fake.now += days * 86_400
    assert slurm.find(["key"]) == found


def test_of_several_the_newest_is_found(fake: FakeSlurm, slurm: Slurm) -> None:
    for _ in range(3):
        task = slurm.start("a.sh", tag="key")
        fake.end(task)
        fake.now += 1
    fake.forget("102")
    assert slurm.find(["key"]) == {"key": "102"}


def test_a_number_that_is_used_again_is_found_if_the_name_is(fake: FakeSlurm, slurm: Slurm) -> None:
    slurm.start("a.sh", tag="key")
    fake.end("100")
    fake.next_number, fake.now = 100, fake.now + 1000
    slurm.start("a.sh", tag="other")
    assert slurm.find(["other"]) == {"other": "100"}


@pytest.mark.parametrize("name", ["KEY", "key ", "a|key", "key\n100|1|key", "1\n2|3|key", "", "|||||", "%j", "key|7"])
def test_names_of_others_are_not_taken_for_it(fake: FakeSlurm, slurm: Slurm, name: str) -> None:
    for running in (False, True):
        fake.submit(name)
        fake.submit("k2")
        for task in list(fake.controller):
            if running:
                fake.run(task)
    assert slurm.find(["key", "k2"]) == {"k2": "103"}
    for task in list(fake.controller):
        fake.end(task)
        fake.forget(task)
    assert slurm.find(["key", "k2"]) == {"k2": "103"}


def test_jobs_of_other_users_are_not_found(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.submit("key", owner=1002)
    assert slurm.find(["key"]) == {}


def test_an_array_is_found_by_its_number(fake: FakeSlurm, slurm: Slurm) -> None:
    tasks = slurm.start_array("a.sh", "0-3", tag="key")
    assert slurm.find(["key"]) == {"key": "100"}
    for task in tasks:
        fake.end(task)
        fake.forget(task)
    assert slurm.find(["key"]) == {"key": "100"}


def test_a_heterogeneous_job_is_found_by_the_number_of_the_whole(fake: FakeSlurm, slurm: Slurm) -> None:
    fake.submit_het(2)
    assert slurm.find(["het"]) == {"het": "100"}


def test_nobody_is_said_not_to_exist_while_records_wait(fake: FakeSlurm, slurm: Slurm) -> None:
    task = slurm.start("a.sh", tag="key")
    fake.behind = True
    fake.end(task)
    fake.forget(task)
    fake.database.clear()
    with pytest.raises(SlurmUnavailable, match="records wait for the database, maybe of 1 jobs"):
        slurm.find(["key"])
    fake.slept = lambda _: fake.catch_up()
    assert slurm.find(["key"]) == {"key": task}


def test_an_outage_is_no_answer(fake: FakeSlurm, slurm: Slurm) -> None:
    slurm.start("a.sh", tag="key")
    fake.controller_away = "Unable to contact slurm controller (connect failure)"
    with pytest.raises(SlurmUnavailable):
        slurm.find(["key"])
    fake.controller_away, fake.database_away = None, "sacct: error: Problem talking to the database"
    with pytest.raises(SlurmUnavailable):
        slurm.find(["key"])


def test_a_job_of_another_cluster_is_found_there(fake: FakeSlurm) -> None:
    slurm = Slurm(cluster="one", run=fake)
    task = slurm.start("a.sh", tag="key")
    assert slurm.find(["key"]) == {"key": task} == {"key": "100;one"}


def test_thousands_of_keys_take_few_calls(fake: FakeSlurm, slurm: Slurm) -> None:
    keys = [f"sample-{number:050}" for number in range(5_000)]
    assert slurm.find(keys) == {}
    assert max(len(word) for call in fake.calls for word in call) < 131_072
    assert len(fake.calls) == 10
