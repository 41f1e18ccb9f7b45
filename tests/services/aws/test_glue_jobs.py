"""`GlueJobs` against a server of moto, whose runs go on until they are told to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("boto3")
pytest.importorskip("moto")
pytest.importorskip("flask")

import boto3
from aws_stand import ACCOUNT, Ended, Wire, WireTests, error, reply, served, wire_of
from moto.glue import glue_backends
from moto.glue.models import FakeJobRun
from support import PATIENCE

from more_executors import Executors, StartInDoubt, Throttled
from more_executors.services import TaskFailed
from more_executors.services.aws import GlueJobs
from more_executors.services.aws._glue import RunForgotten

REGION = "eu-west-1"


def runs() -> list[Any]:
    found: list[Any] = glue_backends[ACCOUNT][REGION].jobs["nightly"].job_runs
    return found


def run_of(task: str) -> Any:
    return next(run for run in runs() if run.job_run_id == task.rpartition("/")[2])


def put(task: str, state: str, error: str | None = None) -> None:
    run = run_of(task)
    run.told = state
    run.error_message = error


@pytest.fixture(scope="module")
def glue_server() -> Iterator[dict[str, Any]]:
    patch = pytest.MonkeyPatch()
    patch.setattr(FakeJobRun, "status", property(lambda run: vars(run).get("told", "RUNNING")))
    with served() as where:
        client = boto3.client("glue", REGION, **where)
        client.create_job(
            Name="nightly", Role="glue", Command={"Name": "glueetl"}, ExecutionProperty={"MaxConcurrentRuns": 1000}
        )
        client.close()
        yield where
    patch.undo()


@pytest.fixture
def where(glue_server: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield glue_server
    runs().clear()


def made(where: dict[str, Any]) -> GlueJobs:
    service = GlueJobs("nightly", region=REGION, calls_per_second=1e6, **where)
    service.interval = 0.01
    service.missing_after = 0.2
    wire = Wire(service)
    service.wire = wire  # type: ignore[attr-defined]

    def stop(request: Any) -> Any:
        """moto has no BatchStopJobRun."""
        (run,) = json.loads(request.body)["JobRunIds"]
        if run_of(f"/{run}").status not in ("STARTING", "RUNNING", "WAITING"):
            return reply(request, 200, {"SuccessfulSubmissions": [], "Errors": [{"JobRunId": run}]})
        put(f"/{run}", "STOPPING")
        return reply(request, 200, {"SuccessfulSubmissions": [{"JobRunId": run}], "Errors": []})

    wire.answers["BatchStopJobRun"] = stop
    return service


@pytest.fixture
def glue(where: dict[str, Any]) -> Iterator[GlueJobs]:
    with made(where) as service:
        yield service


class TestGlueJobs(WireTests):
    states_that_go_on = ("STARTING", "RUNNING", "STOPPING", "WAITING", "A_STATE_TO_COME")
    failure = TaskFailed
    refusal = (500, "InternalServiceException")

    @pytest.fixture(autouse=True)
    def stand(self, where: dict[str, Any]) -> None:
        self.where = where

    def make_service(self) -> GlueJobs:
        self.service = made(self.where)
        return self.service

    def start(self, service: Any, tag: str | None = None) -> str:
        task: str = service.start(tag=tag)
        return task

    def finish(self, task: str) -> Any:
        put(task, "SUCCEEDED")
        return Ended(task.rpartition("/")[2], "id")

    def fail(self, task: str) -> None:
        put(task, "FAILED")

    def forget(self, task: str) -> None:
        runs().remove(run_of(task))

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        wire = wire_of(self.service)
        run = task.rpartition("/")[2]

        def described(request: Any) -> Any:
            is_it = json.loads(request.body)["RunId"] == run
            return error(request, 400, "EntityNotFoundException") if is_it else None

        wire.left_out.add(run)
        wire.answers["GetJobRun"] = described
        yield
        wire.left_out.clear()
        del wire.answers["GetJobRun"]

    def go_on(self, task: str, state: str) -> None:
        put(task, state)

    def is_cancelled(self, task: str) -> bool:
        return bool(run_of(task).status == "STOPPING")

    def test_an_id_that_is_used_again_is_another_task(self) -> None:
        pytest.skip("Glue gives an id once")


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "ERROR", "STOPPED", "EXPIRED"])
def test_a_run_that_fails_says_why(glue: GlueJobs, state: str) -> None:
    task = glue.start()
    run = {"Id": task.rpartition("/")[2], "JobName": "nightly", "JobRunState": state, "ErrorMessage": "no such day"}
    wire_of(glue).answers["GetJobRun"] = lambda request: reply(request, 200, {"JobRun": {**run, "Attempt": 0}})
    with Executors.sync().with_poll(glue) as executor:
        failed = executor.adopt(task).exception(PATIENCE)
    assert isinstance(failed, TaskFailed)
    assert failed.why == f"{state}: no such day"
    assert failed.status["error"] == "no such day"


def test_many_runs_are_one_request(glue: GlueJobs) -> None:
    tasks = [glue.start() for _ in range(30)]
    for task in tasks:
        put(task, "SUCCEEDED")
    found = glue.fetch([glue.id_of(task) for task in tasks])
    assert [run["JobRunState"] for run in found.values()] == ["SUCCEEDED"] * 30
    assert wire_of(glue).count("GetJobRuns") == 1
    assert wire_of(glue).count("GetJobRun") == 0


def test_old_runs_are_asked_about_one_by_one(glue: GlueJobs) -> None:
    """As soon as a page has none of them, no more are read."""
    tasks = [glue.start() for _ in range(3)]
    others = [{"Id": "jr_other", "JobName": "nightly", "JobRunState": "RUNNING"}]
    page = {"JobRuns": others, "NextToken": "more"}
    wire_of(glue).answers["GetJobRuns"] = lambda request: reply(request, 200, page)
    assert len(glue.fetch([glue.id_of(task) for task in tasks])) == 3
    assert wire_of(glue).count("GetJobRuns") == 1
    assert wire_of(glue).count("GetJobRun") == 3


def test_a_lost_answer_is_found_by_the_tag(glue: GlueJobs) -> None:
    wire_of(glue).lost.add("StartJobRun")
    task = glue.start({"--day": "2026-11-30"}, tag="monday")
    assert run_of(task).arguments == {"--day": "2026-11-30", "--more-executors-tag": "monday"}
    with pytest.raises(StartInDoubt):
        glue.start()


def test_no_room_for_more_runs_is_a_throttle(glue: GlueJobs) -> None:
    wire_of(glue).answers["StartJobRun"] = lambda request: error(request, 400, "ConcurrentRunsExceededException")
    with pytest.raises(Throttled):
        glue.start()


def test_a_run_that_is_forgotten_says_so(glue: GlueJobs) -> None:
    with Executors.sync().with_poll(glue) as executor:
        gone = executor.adopt(f"{REGION}/nightly/jr_1").exception(PATIENCE)
    assert isinstance(gone, RunForgotten)
    assert "Glue in eu-west-1 has known no run jr_1 of nightly since" in str(gone)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="job must be the name of a job, not ''"):
        GlueJobs("", region=REGION)
    with GlueJobs("a/b", region=REGION) as glue:
        assert glue.id_of("us-east-1/a/b/jr_1") == ("us-east-1", "a/b", "jr_1")
        for task in ("jr_1", None, "/a/b", "us-east-1/jr_1"):
            with pytest.raises(ValueError, match="a task must be REGION/JOB/RUN"):
                glue.id_of(task)  # type: ignore[arg-type]


def test_runs_that_are_not_among_the_newest_are_asked_about_in_turn(where: dict[str, Any]) -> None:
    with made(where) as glue:
        glue.describes = 2
        tasks = [glue.start() for _ in range(7)]
        glue.wire.answers["GetJobRuns"] = lambda request: reply(request, 200, {"JobRuns": []})  # type: ignore[attr-defined]
        put(tasks[6], "SUCCEEDED")
        with Executors.sync().with_poll(glue) as executor:
            futures = executor.adopt_many(tasks)
            assert futures[6].result(PATIENCE)["status"] == "SUCCEEDED"
            assert executor.cancel_all() == 6
