"""`AwsBatch` against a server of moto, in which jobs run until they are told to end."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

pytest.importorskip("boto3")
pytest.importorskip("moto")
pytest.importorskip("flask")
pytest.importorskip("docker")

import boto3
from aws_stand import ACCOUNT, KEYS, Ended, Wire, WireTests, error, reply, served, wire_of
from botocore.exceptions import EndpointConnectionError
from moto.batch import batch_backends
from moto.batch.models import Job
from moto.batch_simple.models import BatchSimpleBackend
from moto.core.config import default_user_config
from support import PATIENCE

from more_executors import Executors, Journal, StartInDoubt, Throttled
from more_executors.services import ServiceAway, TaskFailed, tag_of
from more_executors.services.aws import AwsBatch, AwsError
from more_executors.services.aws._batch_cancel import REASON
from more_executors.services.aws._batch_job import JobForgotten, name_of_tag

REGIONS = ("eu-west-1", "us-east-1")


def run_until_told(self: Any, include_start_attempt: bool, job: Any) -> None:
    self.backend._jobs[job.job_id] = job
    job.status = "RUNNING"
    if include_start_attempt:
        job._start_attempt()


def terminate(self: Job, reason: str) -> None:
    """As AWS documents it; moto's jobs without Docker go on."""
    if not self.job_stopped:
        self.job_stopped_reason = reason
        self._mark_stopped(success=False)


def prepare(region: str, where: dict[str, Any]) -> None:
    iam = boto3.client("iam", region, **where)
    role = iam.create_role(RoleName=f"batch-{region}", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    batch = boto3.client("batch", region, **where)
    batch.create_compute_environment(
        computeEnvironmentName="machines", type="UNMANAGED", state="ENABLED", serviceRole=role
    )
    order = [{"order": 1, "computeEnvironment": "machines"}]
    batch.create_job_queue(jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order)
    container = {"image": "busybox", "vcpus": 1, "memory": 128, "command": ["true"]}
    batch.register_job_definition(jobDefinitionName="render", type="container", containerProperties=container)
    iam.close()
    batch.close()


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, Any]]:
    patch = pytest.MonkeyPatch()
    patch.setattr(BatchSimpleBackend, "_mark_job_as_finished", run_until_told)
    patch.setattr(Job, "terminate", terminate)
    patch.setitem(default_user_config, "batch", {"use_docker": False})
    with served() as where:
        for region in REGIONS:
            prepare(region, where)
        yield where
    patch.undo()


def job_of(task: str) -> Any:
    _, _, _, region, _, name = task.split(":", 5)
    return batch_backends[ACCOUNT][region]._jobs[name.removeprefix("job/")]


def end(task: str, *, exit_code: int = 0, reason: str | None = None) -> None:
    job = job_of(task)
    job.exit_code = exit_code
    job.job_stopped_reason = reason
    job._mark_stopped(success=exit_code == 0)


@pytest.fixture
def batch(aws: dict[str, Any]) -> Iterator[AwsBatch]:
    with made(aws) as service:
        yield service


def made(where: dict[str, Any], **options: Any) -> AwsBatch:
    service = AwsBatch(
        "queue", "render", region=REGIONS[0], more_regions=REGIONS[1:], calls_per_second=1e6, **where, **options
    )
    service.interval = 0.01
    service.missing_after = 0.2
    service.wire = Wire(service)  # type: ignore[attr-defined]
    return service


# -- the test kit ------------------------------------------------------------------------------------------------------


class TestAwsBatch(WireTests):
    states_that_go_on = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "A_STATE_TO_COME")
    failure = TaskFailed
    refusal = (503, "ServerException")

    @pytest.fixture(autouse=True)
    def stand(self, aws: dict[str, Any]) -> Iterator[None]:
        self.aws = aws
        yield
        for region in REGIONS:
            batch_backends[ACCOUNT][region]._jobs.clear()
            for queue in batch_backends[ACCOUNT][region]._job_queues.values():
                queue.jobs.clear()

    def make_service(self) -> AwsBatch:
        self.service = made(self.aws)
        return self.service

    def start(self, service: Any, tag: str | None = None) -> str:
        task: str = service.start(tag=tag)
        return task

    def finish(self, task: str) -> Any:
        wire_of(self.service).states.clear()
        end(task)
        return Ended(job_of(task).job_id, "id")

    def fail(self, task: str) -> None:
        end(task, exit_code=3)

    def forget(self, task: str) -> None:
        job = job_of(task)
        del batch_backends[ACCOUNT][REGIONS[0]]._jobs[job.job_id]

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        left_out = wire_of(self.service).left_out
        left_out.add(task.rpartition("/")[2])
        yield
        left_out.clear()

    def go_on(self, task: str, state: str) -> None:
        if state == "A_STATE_TO_COME":
            wire_of(self.service).states[job_of(task).job_id] = state
        else:
            job_of(task).status = state

    def test_an_id_that_is_used_again_is_another_task(self) -> None:
        pytest.skip("AWS gives an id once")

    def is_cancelled(self, task: str) -> bool:
        job = job_of(task)
        return job.status == "FAILED" and job.job_stopped_reason == REASON


# -- what AWS says -----------------------------------------------------------------------------------------------------


def test_a_failed_job_says_why(batch: AwsBatch) -> None:
    task = batch.start(["sh", "-c", "exit 137"])
    job = job_of(task)
    assert job._get_container_property("command", []) == ["sh", "-c", "exit 137"]
    end(task, exit_code=137, reason="Essential container in task exited")
    job.attempts[0]["container"]["exitCode"] = 137
    job.attempts[0]["statusReason"] = "Host EC2 (instance i-0) terminated."
    job.attempts.append({"container": {"exitCode": 137, "reason": "OutOfMemoryError: killed"}})
    job._container_details = lambda: {"exitCode": 137, "reason": "OutOfMemoryError: killed", "command": ["secret"]}
    with Executors.sync().with_poll(batch) as executor:
        failed = executor.adopt(task).exception(PATIENCE)
    assert isinstance(failed, TaskFailed)
    assert failed.why == "Essential container in task exited; exit code 137; OutOfMemoryError: killed; after 2 attempts"
    assert failed.status["exit_code"] == 137
    assert failed.status["attempts"] == [
        {"exit_code": 137, "reason": "Host EC2 (instance i-0) terminated.", "container_reason": None},
        {"exit_code": 137, "reason": None, "container_reason": "OutOfMemoryError: killed"},
    ]
    assert "secret" not in repr(failed.status)


@pytest.mark.parametrize(
    "part",
    [
        {"ecsProperties": {"taskProperties": [{"containers": [{"exitCode": 0}, {"exitCode": 9, "reason": "killed"}]}]}},
        {"eksProperties": {"podProperties": {"containers": [{"exitCode": 0}, {"exitCode": 9, "reason": "killed"}]}}},
    ],
    ids=["ecs", "eks"],
)
def test_the_container_that_failed_is_told_of_several(batch: AwsBatch, part: dict[str, Any]) -> None:
    job = {"jobId": "12345678", "jobName": "a", "status": "FAILED", "statusReason": "a container failed", **part}
    wire_of(batch).answers["DescribeJobs"] = lambda request: reply(request, 200, {"jobs": [job]})
    with Executors.sync().with_poll(batch) as executor:
        failed = executor.adopt("12345678").exception(PATIENCE)
    assert isinstance(failed, TaskFailed)
    assert failed.why == "a container failed; exit code 9; killed"


def test_jobs_are_asked_about_in_hundreds_of_a_region(batch: AwsBatch) -> None:
    array = batch.start_array(230, region="us-east-1")
    tasks = [*array, *(batch.start() for _ in range(3))]
    assert len(set(array)) == 230
    assert wire_of(batch).count("SubmitJob") == 4
    for task in tasks:
        end(task)
    with Executors.sync().with_poll(batch) as executor:
        for future in executor.adopt_many(tasks):
            assert future.result(PATIENCE)["status"] == "SUCCEEDED"
    sizes = wire_of(batch).sizes("DescribeJobs", "jobs")
    assert sum(sizes) == 233
    assert min(sizes) <= 3  # those of the other region are never asked about together with these
    assert max(sizes) <= batch.batch_size == 100
    assert len(sizes) < 10  # 4, unless polls come while they are being adopted


def test_the_job_of_an_array_says_what_became_of_its_elements(batch: AwsBatch) -> None:
    array = batch.start_array(3)
    parent = array[0].rpartition(":")[0]
    for task, code in zip(array, (0, 1, 0), strict=True):
        end(task, exit_code=code)
    end(parent, exit_code=1, reason="Array Child Job failed")
    with Executors.sync().with_poll(batch) as executor:
        failed = executor.adopt(parent).exception(PATIENCE)
    assert isinstance(failed, TaskFailed)
    assert failed.status["elements"]["FAILED"] == 1
    assert "1 FAILED, 2 SUCCEEDED" in str(failed)


def test_a_job_that_is_forgotten_says_so(batch: AwsBatch) -> None:
    with Executors.sync().with_poll(batch) as executor:
        gone = executor.adopt("0cffddb0-8bfa-4ba4-86ba-c5cad59e4529").exception(PATIENCE)
    assert isinstance(gone, JobForgotten)
    assert str(gone).startswith("AWS Batch in eu-west-1 has known no job 0cffddb0-8bfa-4ba4-86ba-c5cad59e4529 since")


@pytest.mark.parametrize("task", ["", "a b", None, 7, "arn:aws:s3:::bucket", "12345678,12345678"])
def test_what_is_no_id_fails_alone(batch: AwsBatch, task: Any) -> None:
    good = batch.start()
    end(good)
    with Executors.sync().with_poll(batch) as executor:
        bad, fine = executor.adopt_many([task, good])
        assert isinstance(bad.exception(PATIENCE), ValueError)
        assert fine.result(PATIENCE)["status"] == "SUCCEEDED"


# -- limits, outages, refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "TooManyRequestsException", Throttled),
        (400, "ThrottlingException", Throttled),
        (500, "ServerException", ServiceAway),
        (503, "ServiceUnavailable", ServiceAway),
        (400, "ExpiredTokenException", ServiceAway),
        (403, "AccessDeniedException", AwsError),
        (400, "ClientException", AwsError),
    ],
)
def test_errors_are_told_apart(batch: AwsBatch, status: int, code: str, kind: type[Exception]) -> None:
    wire = wire_of(batch)
    wire.answers["*"] = lambda request: error(request, status, code, "no", retry_after="7")
    with pytest.raises(kind) as raised:
        batch.fetch([batch.id_of("12345678")])
    assert len(wire.requests) == 1  # botocore itself tries nothing again
    assert raised.value.__context__ is None
    if isinstance(raised.value, Throttled):
        assert raised.value.retry_after == 7
    else:
        assert f"describe_jobs in eu-west-1: {status} {code}, no, request-1" in str(raised.value)
    if isinstance(raised.value, AwsError):
        assert (raised.value.code, raised.value.status) == (code, status)


def test_a_reply_that_is_none_is_an_outage(batch: AwsBatch) -> None:
    """botocore takes it for one in which nothing is, if its status is 200."""
    wire_of(batch).answers["*"] = lambda request: reply(request, 200, b"<html>a proxy</html>")
    with pytest.raises(ServiceAway, match="describe_jobs in eu-west-1: the reply has no jobs"):
        batch.fetch([batch.id_of("12345678")])
    with pytest.raises(StartInDoubt):
        batch.start(tag="through-a-proxy")


def test_nobody_there_is_an_outage() -> None:
    with AwsBatch("queue", "render", region="eu-west-1", endpoint_url="http://127.0.0.1:1", **KEYS) as batch:
        with pytest.raises(ServiceAway, match=r"describe_jobs in eu-west-1: EndpointConnectionError$"):
            batch.fetch([batch.id_of("12345678")])
        with pytest.raises(ServiceAway):  # and not in doubt
            batch.start()


def test_what_boto_cannot_send_is_told_without_its_value(batch: AwsBatch) -> None:
    with pytest.raises(
        TypeError, match=r"(?s)submit_job in eu-west-1: .*Invalid type for parameter parameters\.a"
    ) as told:
        batch.start(parameters={"a": ["planted"]})
    assert "planted" not in str(told.value)


# -- starting and finding ----------------------------------------------------------------------------------------------


def test_a_start_whose_answer_is_lost_is_found_by_its_tag(batch: AwsBatch) -> None:
    wire = wire_of(batch)
    wire.lost.add("SubmitJob")
    task = batch.start(tag="sample-17")
    assert job_of(task).job_name == "sample-17"
    assert wire.count("SubmitJob") == 1


def test_a_start_whose_answer_is_lost_and_that_is_not_found_is_in_doubt(batch: AwsBatch) -> None:
    wire = wire_of(batch)
    wire.answers["SubmitJob"] = lambda request: error(request, 500, "ServerException")
    with pytest.raises(StartInDoubt) as doubt:
        batch.start(tag="sample-18")
    assert doubt.value.key == "sample-18"
    wire.answers["ListJobs"] = wire.answers["SubmitJob"]
    with pytest.raises(StartInDoubt):
        batch.start(tag="sample-18")


def test_an_older_job_of_the_same_name_is_not_taken_for_a_lost_start(batch: AwsBatch) -> None:
    batch.start(tag="again")
    batch.now = lambda: 1e10  # type: ignore[method-assign]  # an hour or so later
    wire_of(batch).answers["SubmitJob"] = lambda request: error(request, 500, "ServerException")
    with pytest.raises(StartInDoubt):
        batch.start(tag="again")


def test_names_of_tags_are_valid_and_different() -> None:
    tags = ["a.b", "a_b", "a-b", "a.b_", tag_of(["x", 1]), tag_of("x" * 200), "x" * 64, ".".join("x" * 32)]
    names = [name_of_tag(tag) for tag in tags]
    assert len(set(names)) == len(tags)
    assert all(len(name) <= 128 and "." not in name for name in names)


def test_names_that_differ_in_case_are_different_keys(batch: AwsBatch) -> None:
    task = batch.start(tag="Sample")
    assert batch.find(["sample", "Sample"]) == {"Sample": task}


def test_the_newest_of_all_pages_and_regions_is_found(batch: AwsBatch) -> None:
    def page(request: Any) -> Any:
        import json

        number = int(json.loads(request.body).get("nextToken", "0"))
        if "eu-west-1" not in request.headers["Authorization"].decode() or number == 2:
            return reply(request, 200, {"jobSummaryList": []})
        found = {"jobArn": f"arn {number}", "jobId": "1", "jobName": "key", "createdAt": 10 - number}
        return reply(request, 200, {"jobSummaryList": [found], "nextToken": str(number + 1)})

    wire_of(batch).answers["ListJobs"] = page
    assert batch.find(["key"]) == {"key": "arn 0"}
    assert wire_of(batch).count("ListJobs") == 4


def test_a_start_in_doubt_is_found_when_the_service_is_back(batch: AwsBatch, tmp_path: Any) -> None:
    """1. The answer is lost, and AWS is away. 2. It is back, and `find` is asked. 3. Nothing was started twice."""
    wire = wire_of(batch)
    wire.lost.add("SubmitJob")
    is_asked = threading.Event()
    away = [1, 2]  # the look of the start itself, and the first one of `find`

    def listed(request: Any) -> Any:
        is_asked.set()
        return error(request, 503, "ServerException") if away and away.pop() else None

    wire.answers["ListJobs"] = listed
    path = tmp_path / "journal.db"
    with Journal(path) as journal, Executors.for_service(batch, journal=journal) as executor:
        future = executor.submit_once("a.b", partial(batch.start, tag=tag_of("a.b")))
        assert is_asked.wait(PATIENCE)
        (job,) = [one for one in batch_backends[ACCOUNT][REGIONS[0]]._jobs.values() if one.job_name.startswith("a_b-")]
        end(job.arn)
        assert future.result(PATIENCE)["status"] == "SUCCEEDED"
    assert wire.count("SubmitJob") == 1


# -- cancelling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "operation"),
    [
        ("SUBMITTED", "CancelJob"),
        ("PENDING", "CancelJob"),
        ("RUNNABLE", "CancelJob"),
        ("STARTING", "TerminateJob"),
        ("RUNNING", "TerminateJob"),
    ],
)
def test_what_waits_is_cancelled_and_what_runs_is_terminated(batch: AwsBatch, state: str, operation: str) -> None:
    task = batch.start()
    job_of(task).status = state
    assert batch.cancel(task)
    assert [one for one, _ in wire_of(batch).requests if one.endswith(("lJob", "eJob"))] == [operation]
    assert job_of(task).job_stopped_reason == REASON
    assert not batch.cancel(task)  # it is over


def test_a_job_that_begins_before_it_is_cancelled_is_terminated(batch: AwsBatch) -> None:
    task = batch.start()
    job_of(task).status = "RUNNABLE"

    def begin(_: Any) -> None:
        job_of(task).status = "RUNNING"

    wire_of(batch).answers["CancelJob"] = begin
    assert batch.cancel(task)
    assert wire_of(batch).count("TerminateJob") == 1


def test_a_job_that_ends_before_it_is_terminated_is_not_cancelled(batch: AwsBatch) -> None:
    task = batch.start()
    wire_of(batch).answers["TerminateJob"] = lambda _: end(task)
    assert not batch.cancel(task)


@pytest.mark.parametrize(
    ("after", "is_cancelled"),
    [
        ({"status": "PENDING"}, False),  # until those are over that it depends on
        ({"status": "PENDING", "isCancelled": True}, True),
        ({"status": "RUNNING", "isTerminated": True}, True),
        ({"status": "FAILED", "statusReason": "Essential container in task exited"}, False),
        ({"status": "SUCCEEDED", "isTerminated": True}, False),
    ],
)
def test_cancelled_is_what_aws_says_afterwards(batch: AwsBatch, after: dict[str, Any], is_cancelled: bool) -> None:
    wire = wire_of(batch)
    states = [{"status": "PENDING"}, after, after]

    def describe(request: Any) -> Any:
        return reply(request, 200, {"jobs": [{"jobId": "12345678", **states.pop(0)}]})

    wire.answers["DescribeJobs"] = describe
    wire.answers["CancelJob"] = lambda request: reply(request, 200, {})
    wire.answers["TerminateJob"] = wire.answers["CancelJob"]
    assert batch.cancel("12345678") is is_cancelled


def test_a_poll_that_comes_between_does_not_make_a_cancel_a_failure(batch: AwsBatch) -> None:
    """1. The job is terminated. 2. It is polled, twice. 3. The answer to the request comes."""
    task = batch.start()
    wire = wire_of(batch)

    def terminated(request: Any) -> Any:
        job_of(task).terminate(REASON)
        polls = wire.count("DescribeJobs") + 2
        while wire.count("DescribeJobs") < polls:
            executor.notify()
        return reply(request, 200, {})

    wire.answers["TerminateJob"] = terminated
    with Executors.sync().with_poll(batch) as executor:
        future = executor.adopt(task)
        assert future.cancel()
        assert future.cancelled()
    wire.answers.clear()  # which have the executor


def test_a_throttle_in_the_middle_leaves_the_rest_alone(batch: AwsBatch) -> None:
    tasks = [batch.start() for _ in range(3)]
    wire = wire_of(batch)

    def second(request: Any) -> Any:
        return error(request, 429, "TooManyRequestsException") if wire.count("TerminateJob") > 1 else None

    wire.answers["TerminateJob"] = second
    assert batch.cancel_many(tasks) == [True, False, False]
    with pytest.raises(Throttled):
        batch.cancel_many(tasks[1:])


# -- arguments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda batch: batch.start("echo"), TypeError, "command must be a list of words, not 'echo'"),
        (lambda batch: batch.start(region="mars"), ValueError, "region must be one of .*, not 'mars'"),
        (lambda batch: batch.start(name="a b"), ValueError, "name must be 1 to 128 letters.*, not 'a b'"),
        (lambda batch: batch.start(tag="ä"), ValueError, "tag must be"),
        (lambda batch: batch.start(tag="a", name="b"), ValueError, "name must not be given with a tag"),
        (lambda batch: batch.start_array(1), ValueError, "size must be 2 to 10000, not 1"),
        (lambda batch: batch.start_array(10_001), ValueError, "size must be 2 to 10000, not 10001"),
        (lambda batch: batch.start_array("9"), TypeError, "size must be"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_asked(batch: AwsBatch, call: Any, kind: Any, text: str) -> None:
    with pytest.raises(kind, match=text):
        call(batch)
    assert wire_of(batch).requests == []


def test_what_cannot_be_made_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="queue must be the name of a job queue, not ''"):
        AwsBatch("", region="eu-west-1")
    with pytest.raises(ValueError, match="definition must be given"), AwsBatch("queue", region="eu-west-1") as batch:
        batch.start()
    for name, value, kind, text in (
        ("definition", 5, ValueError, "definition must be the name of a job definition, not 5"),
        ("region", 5, ValueError, "region must be the name of a region, not 5"),
        ("more_regions", "us-east-1", TypeError, "more_regions must be an iterable of regions, not 'us-east-1'"),
        ("more_regions", [5], ValueError, "more_regions must be names of regions, not "),
    ):
        with pytest.raises(kind, match=text):
            AwsBatch("queue", **{"region": "eu-west-1", name: value})
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="region must be given"):
        AwsBatch("queue")
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(ImportError, match=r"AwsBatch needs boto3: pip install 'more-executors\[aws\]'"):
        AwsBatch("queue", region="eu-west-1")


def test_a_config_of_ones_own_keeps_all_but_the_retries() -> None:
    from botocore.config import Config

    own = Config(read_timeout=7, retries={"max_attempts": 9})
    with AwsBatch("queue", region="eu-west-1", config=own, connections=5, **KEYS) as batch:
        config = batch.client().meta.config
        assert (config.read_timeout, config.max_pool_connections) == (7, 5)
        assert config.retries["total_max_attempts"] == 1
        assert batch.client() is batch.client("eu-west-1")


def test_a_connection_that_fails_is_not_in_the_chain_of_errors(batch: AwsBatch) -> None:
    def away(request: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://user:planted@host/?X-Amz-Signature=planted")

    wire_of(batch).answers["*"] = away
    with pytest.raises(ServiceAway) as told:
        batch.fetch([batch.id_of("12345678")])
    assert told.value.__context__ is None
    assert told.value.__cause__ is None
    assert "planted" not in repr(told.value)


def test_a_copy_has_the_same_arguments_and_clients_of_its_own() -> None:
    with AwsBatch("queue", "a:1", region=REGIONS[0], more_regions=REGIONS[1:], connections=5, **KEYS) as batch:
        batch.interval = 3
        copied = pickle.loads(pickle.dumps(batch))
        assert (repr(copied), copied.definition, copied.interval) == (repr(batch), "a:1", 3)
        assert copied._given == batch._given
        assert copied.client() is not batch.client()
        copied.close()
    session = boto3.Session(region_name="eu-west-1")
    with pytest.raises(TypeError, match="a AwsBatch that was given a session cannot be copied or pickled"):
        pickle.dumps(AwsBatch("queue", session=session))
    refused = pickle.loads(pickle.dumps(AwsError("no", 403, "AccessDenied")))
    assert (str(refused), refused.status, refused.code) == ("no", 403, "AccessDenied")


def test_states_are_reported(batch: AwsBatch) -> None:
    task = batch.start()
    with Executors.sync().with_poll(batch) as executor:
        future = executor.adopt(task)
        while executor.stats().states != {"running": 1}:
            assert not future.done()
        end(task)
        future.result(PATIENCE)


def test_cancels_that_are_refused_are_logged_once(batch: AwsBatch, caplog: pytest.LogCaptureFixture) -> None:
    tasks = [batch.start() for _ in range(3)]
    for operation in ("CancelJob", "TerminateJob"):
        wire_of(batch).answers[operation] = lambda request: error(request, 403, "AccessDeniedException", "not you")
    assert batch.cancel_many(tasks) == [False] * 3
    (message,) = caplog.messages
    assert message.startswith("cancelling ")
    assert " and 2 more was refused: " in message
    assert "AccessDeniedException, not you" in message
