"""AWS Step Functions."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, TypedDict, cast
from uuid import uuid4

from ..._checks import shown
from ..._core import PollDescriptor
from ...status_poll import TaskMissing
from .._errors import ServiceAway, TaskFailed
from .._keys import hashable
from .._tags import tag_of
from ._base import AwsService
from ._errors import AwsError
from ._requests import counted

__all__: list[str] = []

MACHINE = re.compile(r"arn:aws[a-z-]*:states:(?P<region>[a-z0-9-]+):[0-9]*:stateMachine:[^:/]+(?P<version>:[^:/]+)?")
# What AWS allows in a name: it refuses a request about any other, which would be a fault of the whole call.
EXECUTION = re.compile(
    r"arn:aws[a-z-]*:states:(?P<region>[a-z0-9-]+):[0-9]*:execution:[^:\s]+:[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}"
)
NAME = re.compile(r"[A-Za-z0-9_.+!@()='-]{1,80}")
GOES_ON = frozenset({"RUNNING", "PENDING_REDRIVE"})
FAILED = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
FEW = 5  # executions that are asked about one by one rather than by a list


class Execution(TypedDict):
    """What Step Functions says of an execution that has failed: `error` and `cause` as the state machine gave them."""

    arn: str
    status: str
    error: str | None
    cause: str | None


class StepFunctions(AwsService[dict[str, Any], Any]):
    """Executions of a STANDARD state machine of AWS Step Functions.

        machine = StepFunctions("arn:aws:states:eu-west-1:123456789012:stateMachine:publish")
        with machine, Executors.for_service(machine) as executor:
            future = executor.submit(machine.start, {"page": 17})

    A task is the ARN of an execution. Its future gives the output, decoded from JSON, or fails with `TaskFailed` whose
    `status` is an `Execution`.

    Those that go on are listed, a thousand with one request; only those that are not in the list are asked about one by
    one. May be used from several threads at a time.
    """

    api = "stepfunctions"

    def __init__(
        self,
        state_machine: str,
        *,
        session: Any = None,
        connections: int = 16,
        calls_per_second: float = 10.0,
        **client_options: Any,
    ) -> None:
        """Make it. Nothing is asked yet.

        Args:
            state_machine: a str, the ARN of the state machine, or of a version or an alias of it. It has the region.
            session, connections, calls_per_second, client_options: as for `AwsBatch`.

        Raises ImportError without boto3, TypeError or ValueError if an argument cannot be used.
        """
        parts = MACHINE.fullmatch(state_machine) if isinstance(cast("Any", state_machine), str) else None
        if parts is None:
            raise ValueError(f"state_machine must be the ARN of a state machine, not {shown(state_machine)}")
        super().__init__(parts["region"], session, connections, calls_per_second, client_options)
        self.state_machine = state_machine
        machine = state_machine.removesuffix(parts["version"] or "")
        self._executions = machine.replace(":stateMachine:", ":execution:", 1)
        self._is_express = False

    # -- starting ------------------------------------------------------------------------------------------------------

    def start(self, input: object = None, *, tag: str | None = None, **options: Any) -> str:
        """Start an execution; returns its ARN.

        Its name is the tag. The same name and input do not start it twice: so if the answer is lost, it is asked for
        again. An execution with this tag that goes on or has succeeded is not started again, if its input is the same.
        One that has failed is, under the name `TAG@2` and so on, as Step Functions keeps names for 90 days.

        Args:
            input: what JSON has a form of; by default `{}`.
            tag: a text of up to 64 characters, see `tag_of`.
            options: more arguments of StartExecution.

        Raises `StartInDoubt` if the answer was lost again and again; `Throttled` and `ServiceAway` if nothing was
        started; ValueError if an execution with this tag has another input, or if the state machine is an EXPRESS one,
        which nobody can ask about.
        """
        self._refuse_express()
        text = json.dumps({} if input is None else input)
        name = uuid4().hex if tag is None else tag
        if not NAME.fullmatch(name):
            raise ValueError(f"tag must be 1 to 80 letters, digits and any of _.+!@()='-, not {shown(tag)}")
        arguments = {**options, "stateMachineArn": self.state_machine, "input": text}
        attempt = 1
        while True:
            this = name if attempt == 1 else f"{name}@{attempt}"
            try:
                return self._started(this, tag, arguments)
            except AwsError as error:
                if error.code != "ExecutionAlreadyExists":
                    raise
            known = self._described(f"{self._executions}:{this}")
            if known is None or known["status"] in FAILED:  # None: it was over long ago
                attempt += 1
            elif "input" in known and json.loads(known["input"]) != json.loads(text):
                raise ValueError(f"the execution {this!r} exists, with another input")
            else:
                return str(known["executionArn"])

    def _started(self, name: str, tag: str | None, arguments: dict[str, Any]) -> str:
        arn = f"{self._executions}:{name}"

        def look() -> str | None:
            return None if self._described(arn) is None else arn

        found = self.call_to_start(
            self.region, "start_execution", "executionArn", tag or name, look, name=name, **arguments
        )
        if ":express:" in found:
            self._is_express = True
            self._refuse_express()
        return found

    def _refuse_express(self) -> None:
        if self._is_express:
            raise ValueError(
                f"state_machine must be a STANDARD one, not {self.state_machine}: executions of an EXPRESS one are "
                "started, but cannot be asked about"
            )

    # -- asking --------------------------------------------------------------------------------------------------------

    def id_of(self, task: str) -> str:
        if not isinstance(cast("Any", task), str) or not EXECUTION.fullmatch(task):
            raise ValueError(f"a task must be the ARN of an execution of a STANDARD state machine, not {shown(task)}")
        return task

    def group_of(self, task: str) -> str:
        return self.id_of(task).rpartition(":")[0]

    @counted
    def fetch(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        """What is in the list of those that run is RUNNING; all others are asked about."""
        running = {"status": "RUNNING"}
        listed = self._running(ids) if len(ids) > FEW else set[str]()
        asked = [one for one in ids if one not in listed]
        return {**dict.fromkeys(listed, running), **self.described(asked, self._described, running, is_over)}

    def _running(self, ids: list[str]) -> set[str]:
        """Those of `ids`, of one state machine, that are listed as running, in as many pages as are worth it."""
        machine = ids[0].rpartition(":")[0].replace(":execution:", ":stateMachine:", 1)
        if "/" in machine:  # of a map run
            return set()
        left = set(ids)
        region = cast("re.Match[str]", EXECUTION.fullmatch(ids[0]))["region"]
        only = {"stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 1000}
        pages = self.pages(region, "list_executions", "executions", **only)
        for number, page in enumerate(pages, 1):
            left -= {one["executionArn"] for one in page}
            if not left or number > len(ids) // 20:
                break
        return set(ids) - left

    def _described(self, arn: str) -> dict[str, Any] | None:
        """What Step Functions says of one, or None if it does not know it."""
        region = cast("re.Match[str]", EXECUTION.fullmatch(arn))["region"]
        try:
            return self.call(region, "describe_execution", "status", executionArn=arn)
        except AwsError as error:
            if error.code != "ExecutionDoesNotExist":
                raise
        return None

    def resolve(self, descriptor: PollDescriptor[str, Any], status: dict[str, Any]) -> None:
        state = status["status"]
        if descriptor.result in self.cancelling:
            return
        if state == "SUCCEEDED":
            output = status.get("output")
            descriptor.yield_result(None if output is None else json.loads(output))
        elif state in FAILED:
            record: Execution = {
                "arn": descriptor.result,
                "status": state,
                "error": status.get("error"),
                "cause": status.get("cause"),
            }
            reason = ": ".join(part for part in (state, record["error"], record["cause"]) if part)
            descriptor.yield_exception(TaskFailed(descriptor.result, record, reason))
        else:
            descriptor.report(state=state.lower())

    def missing(self, task_id: Any, since: datetime, seconds: float) -> BaseException:
        return ExecutionForgotten(task_id, since, seconds)

    # -- cancelling and finding ----------------------------------------------------------------------------------------

    @counted
    def cancel(self, task: str) -> bool:
        """Stop an execution; True if it is ABORTED then. What its states have started may go on."""
        arn = self.id_of(task)
        region = cast("re.Match[str]", EXECUTION.fullmatch(arn))["region"]
        before = self._described(arn)
        if before is None or before["status"] not in GOES_ON:
            return False
        with self.being_cancelled([task]):
            try:
                self.call(region, "stop_execution", "stopDate", executionArn=arn)
                after = self._described(arn)
            except AwsError as error:
                self.refused(f"cancelling {arn}", error)
                return False
            except ServiceAway:
                return False
        return after is not None and after["status"] == "ABORTED"

    def find(self, keys: list[Any]) -> dict[Any, str]:
        """Which keys have an execution: the last one that was started for each. Two or more requests for each key."""
        found: dict[Any, str] = {}
        for key in keys:
            name = tag_of(key)
            arn = f"{self._executions}:{name}"
            attempt = 1
            while self._described(arn) is not None:
                found[hashable(key)] = arn
                attempt += 1
                arn = f"{self._executions}:{name}@{attempt}"
        return found

    def arguments(self) -> dict[str, Any]:
        return {"state_machine": self.state_machine}

    def __repr__(self) -> str:
        return f"<StepFunctions of {self.state_machine}>"


def is_over(status: dict[str, Any]) -> bool:
    return status["status"] not in GOES_ON


class ExecutionForgotten(TaskMissing):
    """Step Functions does not know an execution, or does not any more."""

    def __str__(self) -> str:
        return (
            f"Step Functions has known no execution {self.task_id} since {self.since:%Y-%m-%d %H:%M:%S %Z}, for "
            f"{self.seconds:.0f} s: it forgets executions 90 days after their end, and those of a state machine that "
            "is deleted"
        )


StepFunctions.__module__ = "more_executors.services.aws"
