"""`StepFunctions` against a server of moto, whose executions run until they are told to end."""

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
from aws_stand import ACCOUNT, Wire, WireTests, error, reply, served, wire_of
from moto.stepfunctions import stepfunctions_backends
from support import PATIENCE

from more_executors import Executors, StartInDoubt, Throttled
from more_executors.services import TaskFailed, tag_of
from more_executors.services.aws import StepFunctions
from more_executors.services.aws._step_functions import ExecutionForgotten

ROLE = f"arn:aws:iam::{ACCOUNT}:role/states"
REGION = "eu-west-1"


class Machine:
    """A state machine of moto."""

    def __init__(self, where: dict[str, Any]) -> None:
        self.where = where
        client = boto3.client("stepfunctions", REGION, **where)
        made = client.create_state_machine(name="publish", definition='{"States": {}}', roleArn=ROLE)
        client.close()
        self.arn: str = made["stateMachineArn"]

    @property
    def executions(self) -> list[Any]:
        (machine,) = stepfunctions_backends[ACCOUNT][REGION].state_machines
        executions: list[Any] = machine.executions
        return executions

    def execution(self, task: str) -> Any:
        return next(one for one in self.executions if one.execution_arn == task)

    def end(self, task: str, status: str = "SUCCEEDED", **fields: Any) -> None:
        one = self.execution(task)
        for name, value in fields.items():
            setattr(one, name, value)
        one.stop_date = one.start_date
        one.status = status

    def service(self) -> StepFunctions:
        service = StepFunctions(self.arn, calls_per_second=1e6, **self.where)
        service.interval = 0.01
        service.missing_after = 0.2
        service.wire = Wire(service)  # type: ignore[attr-defined]
        return service


@pytest.fixture(scope="module")
def a_machine() -> Iterator[Machine]:
    with served() as where:
        yield Machine(where)


@pytest.fixture
def machine(a_machine: Machine) -> Iterator[Machine]:
    a_machine.executions.clear()
    yield a_machine
    a_machine.executions.clear()


@pytest.fixture
def states(machine: Machine) -> Iterator[StepFunctions]:
    with machine.service() as service:
        yield service


class TestStepFunctions(WireTests):
    states_that_go_on = ("RUNNING", "PENDING_REDRIVE", "A_STATE_TO_COME")
    failure = TaskFailed
    refusal = (503, "ServiceUnavailable")

    @pytest.fixture(autouse=True)
    def stand(self, machine: Machine) -> None:
        self.machine = machine

    def make_service(self) -> StepFunctions:
        self.service = self.machine.service()
        return self.service

    def start(self, service: Any, tag: str | None = None) -> str:
        task: str = service.start({"page": 17}, tag=tag)
        return task

    def finish(self, task: str) -> Any:
        self.machine.end(task, output=json.dumps({"of": task}))
        return {"of": task}

    def fail(self, task: str) -> None:
        self.machine.end(task, "FAILED")

    def forget(self, task: str) -> None:
        self.machine.executions.remove(self.machine.execution(task))

    @contextmanager
    def leave_out(self, task: str) -> Iterator[None]:
        wire = wire_of(self.service)

        def describe(request: Any) -> Any:
            is_it = json.loads(request.body)["executionArn"] == task
            return error(request, 400, "ExecutionDoesNotExist") if is_it else None

        wire.answers["DescribeExecution"] = describe
        yield
        del wire.answers["DescribeExecution"]

    def go_on(self, task: str, state: str) -> None:
        self.machine.execution(task).status = state

    def is_cancelled(self, task: str) -> bool:
        return bool(self.machine.execution(task).status == "ABORTED")

    def test_an_id_that_is_used_again_is_another_task(self) -> None:
        pytest.skip("a name is given once in 90 days")


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_failure_says_its_error_and_cause(machine: Machine, states: StepFunctions, status: str) -> None:
    task = states.start()
    machine.end(task, status, error="Page.Missing", cause="no page 17")
    with Executors.sync().with_poll(states) as executor:
        failed = executor.adopt(task).exception(PATIENCE)
    assert isinstance(failed, TaskFailed)
    assert failed.why == f"{status}: Page.Missing: no page 17"
    assert failed.status == {"arn": task, "status": status, "error": "Page.Missing", "cause": "no page 17"}


def test_those_that_run_are_listed_and_the_others_asked_about(machine: Machine, states: StepFunctions) -> None:
    tasks = [states.start() for _ in range(30)]
    for task in tasks[:7]:
        machine.end(task, output="null")
    machine.executions.remove(machine.execution(tasks[7]))
    found = states.fetch(tasks)
    assert {one: status["status"] for one, status in found.items()} == {
        **dict.fromkeys(tasks[:7], "SUCCEEDED"),
        **dict.fromkeys(tasks[8:], "RUNNING"),
    }
    assert wire_of(states).count("ListExecutions") == 1
    assert wire_of(states).count("DescribeExecution") == 8


def test_one_that_has_ended_since_the_list_was_made_is_right_next_time(machine: Machine, states: StepFunctions) -> None:
    """The list is best effort: it may have what has ended, and leave out what has begun."""
    tasks = [states.start() for _ in range(8)]
    machine.end(tasks[0], output="1")
    late = [{"executionArn": task} for task in tasks[:4]]
    wire_of(states).answers["ListExecutions"] = lambda request: reply(request, 200, {"executions": late})
    assert states.fetch(tasks)[tasks[0]]["status"] == "RUNNING"
    assert states.fetch(tasks)[tasks[7]]["status"] == "RUNNING"
    wire_of(states).answers.clear()
    assert states.fetch(tasks)[tasks[0]]["status"] == "SUCCEEDED"


def test_few_pages_are_read_for_few_tasks(states: StepFunctions) -> None:
    tasks = [states.start() for _ in range(8)]
    page = {"executions": [], "nextToken": "more"}  # of thousands of others
    wire_of(states).answers["ListExecutions"] = lambda request: reply(request, 200, page)
    assert {status["status"] for status in states.fetch(tasks).values()} == {"RUNNING"}
    assert wire_of(states).count("ListExecutions") == 1
    assert wire_of(states).count("DescribeExecution") == 8


def test_a_throttle_in_the_middle_keeps_what_was_said(machine: Machine, states: StepFunctions) -> None:
    tasks = [states.start() for _ in range(4)]
    for task in tasks:
        machine.end(task, output="1")
    wire = wire_of(states)
    throttles = [3]

    def third(request: Any) -> Any:
        is_too_much = wire.count("DescribeExecution") >= throttles[0]
        return error(request, 400, "ThrottlingException") if is_too_much else None

    wire.answers["DescribeExecution"] = third
    assert [status["status"] for status in states.fetch(tasks).values()] == [*["SUCCEEDED"] * 2, *["RUNNING"] * 2]
    throttles[0] = 0
    with pytest.raises(Throttled):
        states.fetch(tasks)
    wire.answers.clear()
    states.describes = 3
    assert [status["status"] for status in states.fetch(tasks).values()] == [*["SUCCEEDED"] * 3, "RUNNING"]


def test_all_are_asked_in_turn_if_there_are_too_many_for_one_call(machine: Machine, states: StepFunctions) -> None:
    states.describes = 3
    page = {"executions": [], "nextToken": "more"}  # of thousands of others
    wire_of(states).answers["ListExecutions"] = lambda request: reply(request, 200, page)
    tasks = [states.start() for _ in range(10)]
    for task in tasks[4:6]:
        machine.end(task, output="1")
    with Executors.sync().with_poll(states) as executor:
        futures = executor.adopt_many(tasks)
        assert [future.result(PATIENCE) for future in futures[4:6]] == [1, 1]
        machine.end(tasks[9], output="1")
        assert futures[9].result(PATIENCE) == 1
        assert not any(future.done() for future in futures[:4])
        assert executor.cancel_all() == 7


def test_who_is_throttled_is_asked_first_in_the_next_call(machine: Machine, states: StepFunctions) -> None:
    tasks = [states.start() for _ in range(4)]
    wire = wire_of(states)

    def asked() -> list[int]:
        begin = len(wire.requests)
        states.fetch(tasks)
        requests = wire.requests[begin:]
        return [tasks.index(body["executionArn"]) for name, body in requests if name == "DescribeExecution"]

    def third(request: Any) -> Any:
        return error(request, 400, "ThrottlingException") if wire.count("DescribeExecution") == 3 else None

    wire.answers["DescribeExecution"] = third
    rate = states.rate_limit.rate
    assert asked() == [0, 1, 2]
    assert states.rate_limit.rate < rate
    assert asked() == [2, 3, 0, 1]
    assert asked() == [2, 3, 0, 1]


def test_each_request_counts_for_the_rate_limit(machine: Machine, states: StepFunctions) -> None:
    """But the first, for which the executor has asked it; and those of a start do not."""
    taken = []
    states.rate_limit.take = lambda: taken.append(1) or True  # type: ignore[method-assign,func-returns-value]
    tasks = [states.start() for _ in range(4)]
    states.fetch(tasks)
    assert len(taken) == 3
    assert states.cancel(tasks[0])  # it asks, stops and asks
    assert len(taken) == 5


# -- starting ----------------------------------------------------------------------------------------------------------


def test_the_same_tag_and_input_are_one_execution(machine: Machine, states: StepFunctions) -> None:
    task = states.start({"page": 1}, tag="page-1")
    assert task == f"arn:aws:states:{REGION}:{ACCOUNT}:execution:publish:page-1"
    assert states.start({"page": 1}, tag="page-1") == task
    with pytest.raises(ValueError, match="the execution 'page-1' exists, with another input"):
        states.start({"page": 2}, tag="page-1")
    machine.end(task, output="1")
    assert states.start({"page": 1}, tag="page-1") == task
    assert len(machine.executions) == 1


def test_what_has_failed_is_started_again_under_another_name(machine: Machine, states: StepFunctions) -> None:
    names = []
    for _ in range(3):
        task = states.start(tag="page-2")
        names.append(task.rpartition(":")[2])
        assert states.find(["page-2", "page"]) == {"page-2": task}
        machine.end(task, "FAILED")
    assert names == ["page-2", "page-2@2", "page-2@3"]


def test_a_start_whose_answer_is_lost_is_found(machine: Machine, states: StepFunctions) -> None:
    wire = wire_of(states)
    wire.lost.add("StartExecution")
    for tag in ("page-3", None):
        assert machine.execution(states.start(tag=tag)).status == "RUNNING"
    wire.answers["StartExecution"] = lambda request: error(request, 500, "InternalFailure")
    with pytest.raises(StartInDoubt) as doubt:
        states.start(tag="page-4")
    assert doubt.value.key == "page-4"


def test_an_express_machine_is_refused(states: StepFunctions) -> None:
    wire = wire_of(states)
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:express:publish:a:b"
    wire.answers["StartExecution"] = lambda request: reply(request, 200, {"executionArn": arn})
    for _ in range(2):
        with pytest.raises(ValueError, match="state_machine must be a STANDARD one"):
            states.start()
    assert wire.count("StartExecution") == 1


def test_an_execution_that_is_forgotten_says_so(states: StepFunctions) -> None:
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:publish:gone"
    with Executors.sync().with_poll(states) as executor:
        gone = executor.adopt(arn).exception(PATIENCE)
    assert isinstance(gone, ExecutionForgotten)
    assert f"Step Functions has known no execution {arn} since" in str(gone)


def test_a_stop_that_comes_too_late_is_not_made(machine: Machine, states: StepFunctions) -> None:
    task = states.start()
    machine.end(task, output="1")
    assert not states.cancel(task)
    assert wire_of(states).count("StopExecution") == 0
    other = states.start()
    wire_of(states).answers["StopExecution"] = lambda request: (
        machine.end(other, output="2"),
        reply(request, 200, {"stopDate": 1}),
    )[1]
    assert not states.cancel(other)


@pytest.mark.parametrize("arn", ["", "publish", None, f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:a/label"])
def test_what_is_no_state_machine_is_refused(arn: Any) -> None:
    with pytest.raises(ValueError, match="state_machine must be the ARN of a state machine"):
        StepFunctions(arn)


def test_a_version_or_an_alias_has_the_executions_of_its_machine(machine: Machine) -> None:
    with StepFunctions(f"{machine.arn}:PROD", **machine.where) as states:
        assert states._executions == machine.arn.replace("stateMachine", "execution")


def test_bad_tags_and_tasks_are_refused(states: StepFunctions) -> None:
    with pytest.raises(ValueError, match="tag must be 1 to 80 letters"):
        states.start(tag="a/b")
    with pytest.raises(ValueError, match="a task must be the ARN of an execution"):
        states.id_of(f"arn:aws:states:{REGION}:{ACCOUNT}:express:publish:a:b")
    for name in ("a b", "a\n", "a/b", "a?", "a" * 81, ""):
        with pytest.raises(ValueError, match="a task must be the ARN of an execution"):
            states.id_of(f"arn:aws:states:{REGION}:{ACCOUNT}:execution:publish:{name}")
    for named in ("publish:a-b_c.d+1@2", "publish/label:0b6c1e2a-1", "publish:ü"):
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{named}"
        assert states.id_of(arn) == arn
    assert tag_of(["a", 1]) == states.start(tag=tag_of(["a", 1])).rpartition(":")[2]
