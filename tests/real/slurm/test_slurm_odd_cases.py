"""What cannot happen by itself within a day of a real Slurm, made to happen, a case each."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from cluster import Cluster

from more_executors import Executors, Journal
from more_executors.services import TaskFailed, tag_of
from more_executors.services.slurm import JobForgotten, JobRefused, Slurm, SlurmUnavailable, SubmissionInDoubt


@contextmanager
def hanging(cluster: Cluster, seconds: float) -> Iterator[None]:
    """The controller hangs for so long: its clients give up after 10 s."""
    cluster.hold("slurmctld")

    def release() -> None:
        time.sleep(seconds)
        cluster.release("slurmctld")

    thread = Thread(target=release)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_a_job_is_found_that_was_accepted_although_sbatch_says_it_failed(cluster: Cluster, slurm: Slurm) -> None:
    with hanging(cluster, 12):
        task = slurm.start(wrap="exit 3", tag="accepted")
    with Executors.for_service(slurm) as executor:
        error = executor.adopt(task).exception(60)
    assert isinstance(error, TaskFailed)
    assert error.status.exit_code == 3
    listed = cluster.user("squeue", "-h", "-t", "all", "--name=accepted", "-o", "%i").stdout.split()
    assert listed == [task], "and it was submitted once"


def test_a_job_without_a_tag_is_in_doubt(cluster: Cluster, slurm: Slurm) -> None:
    with hanging(cluster, 12):
        with pytest.raises(SubmissionInDoubt, match="Socket timed out on send/recv operation"):
            slurm.start(wrap="true")


def test_a_controller_that_is_down_starts_nothing(cluster: Cluster, slurm: Slurm) -> None:
    cluster.stop("slurmctld")
    try:
        with pytest.raises(SlurmUnavailable, match=r"\(connect failure\)"):
            slurm.start(wrap="true", tag="not-started")
    finally:
        cluster.start("slurmctld")
    assert slurm.find(["not-started"]) == {}


def test_what_slurm_refuses_says_why(slurm: Slurm) -> None:
    with pytest.raises(JobRefused, match="Requested node configuration is not available"):
        slurm.start(wrap="true", mem="900G")
    with pytest.raises(JobRefused, match="invalid partition specified"):
        slurm.start(wrap="true", partition="none")
    with pytest.raises(JobRefused, match=r"Unable to open file|No such file"):
        slurm.start("no-such-script.sh")


def test_jobs_are_found_whatever_others_are_called(cluster: Cluster, slurm: Slurm) -> None:
    keys = ["waits", ("a pair", 1), "ended"]
    tasks = [slurm.start(wrap="true", tag=tag_of(key), hold=key != "ended") for key in keys]
    for name in ("waits|", "x\nwaits", "WAITS", "waits ", "9|waits", '"waits"'):
        slurm.start(wrap="true", job_name=name)
    with Executors.for_service(slurm) as executor:
        assert executor.adopt(tasks[2]).result(60).state == "COMPLETED"
    assert slurm.find([*keys, "never"]) == dict(zip(keys, tasks, strict=True))
    assert slurm.cancel_many(tasks) == [True, True, False]


def test_a_program_that_is_run_again_starts_nothing_twice(cluster: Cluster, slurm: Slurm, tmp_path: Any) -> None:
    for _ in range(2):
        with Journal(tmp_path / "tasks.db") as journal, Executors.for_service(slurm, journal=journal) as executor:
            future = executor.submit_once("night", slurm.start, wrap="exit 0", tag="night")
            assert list(future.result(60))[3] == "COMPLETED"
    assert len(cluster.user("squeue", "-h", "-t", "all", "--name=night", "-o", "%i").stdout.split()) == 1


def test_an_array_of_odd_indices_waits(cluster: Cluster, slurm: Slurm) -> None:
    """Without SLURM_BITSTR_LEN, sacct ends such a list with "..."."""
    array = ",".join(map(str, [*range(0, 300, 3), *range(400, 420)]))
    tasks = slurm.start_array(None, array, wrap="true", hold=True)
    deadline = time.monotonic() + 60
    while len(slurm.fetch(tasks)) < len(tasks):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert {record.state for record in slurm.fetch(tasks).values()} == {"PENDING"}
    assert slurm.cancel_many(tasks) == [True] * len(tasks)


def test_the_last_job_that_is_outstanding_is_unknown(slurm: Slurm) -> None:
    slurm.missing_after = 3
    with Executors.for_service(slurm) as executor:
        assert isinstance(executor.adopt("4000000").exception(60), JobForgotten)


@pytest.mark.timeout(300)
def test_a_job_that_has_the_number_of_an_older_one(cluster: Cluster, slurm: Slurm) -> None:
    """The controller loses its state, so that numbers begin anew; the database knows the jobs of before."""
    older = slurm.start(wrap="exit 7")
    with Executors.for_service(slurm) as executor:
        assert isinstance(executor.adopt(older).exception(60), TaskFailed)
    cluster.stop("slurmctld")
    state = cluster.folder / "state"
    shutil.rmtree(state)
    state.mkdir()
    configuration = cluster.folder / "etc/slurm.conf"
    text = configuration.read_text()
    configuration.write_text(f"{text}FirstJobId={older}\n")
    time.sleep(2)
    try:
        cluster.start("slurmctld")
        began = time.time()
        cluster.hold("slurmdbd")  # records of new jobs wait
        task = slurm.start(wrap="sleep 5")
        assert task == older
        with Executors.for_service(slurm) as executor:
            future = executor.adopt(task)
            time.sleep(3)
            cluster.release("slurmdbd")
            record = future.result(100)
        assert record.state == "COMPLETED"
        assert record.submitted is not None
        assert record.submitted >= int(began)
    finally:
        configuration.write_text(text)
