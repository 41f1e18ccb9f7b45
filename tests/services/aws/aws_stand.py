"""A stand-in for AWS: moto's server, in which tasks end when they are told to, and what goes wrong on the way to it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.request import Request, urlopen

from botocore.awsrequest import AWSResponse
from moto.server import ThreadedMotoServer

from more_executors.services.testing import ServiceTests

ACCOUNT = "123456789012"
KEYS = {"aws_access_key_id": "AKIAPLANTEDKEY123456", "aws_secret_access_key": "planted+secret/key"}

logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Ended:
    """Equal to the record of a task with this id that has ended well."""

    def __init__(self, task_id: str, name: str) -> None:
        self.task_id = task_id
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and (other[self.name], other["status"]) == (self.task_id, "SUCCEEDED")

    def __hash__(self) -> int:
        return hash(self.task_id)


class Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def reply(request: Any, status: int, body: Any, **headers: str) -> AWSResponse:
    """What a client gets instead of asking: a reply of AWS."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return AWSResponse(request.url, status, {"x-amzn-requestid": "request-1", **names}, Raw(text))


def error(request: Any, status: int, code: str, message: str = "", **headers: str) -> AWSResponse:
    body = {"__type": code, "message": message}
    return reply(request, status, body, x_amzn_errortype=code, **headers)


@contextmanager
def served() -> Iterator[dict[str, Any]]:
    """A server of moto; the options of clients for it."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    reset = Request(f"{url}/moto-api/reset", method="POST")  # what others in this process have left
    try:
        urlopen(reset, timeout=60).close()
        yield {"endpoint_url": url, **KEYS}
        urlopen(reset, timeout=60).close()
    finally:
        server.stop()


class Wire:
    """The way of a service's requests: each is seen, and may be answered, held or lost here."""

    def __init__(self, service: Any) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}  # by operation, or "*": gets the request, returns a reply or raises
        self.lost: set[str] = set()  # operations whose answers are lost
        self.left_out: set[str] = set()  # ids
        self.states: dict[str, str] = {}  # by id, which moto does not know
        self.is_open = threading.Event()
        self.is_open.set()
        make = service._session.client

        def client(api: str, **options: Any) -> Any:
            made = make(api, **options)
            made.meta.events.register("before-send.*.*", self._before_send)
            made.meta.events.register("after-call.*.*", self._after_call)
            return made

        service._session.client = client

    def count(self, operation: str) -> int:
        return sum(one == operation for one, _ in self.requests)

    def sizes(self, operation: str, argument: str) -> list[int]:
        return [len(body[argument]) for one, body in self.requests if one == operation]

    def _before_send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        body = request.body
        self.requests.append((operation, json.loads(body) if body else {}))
        answer = self.answers.get(operation) or self.answers.get("*")
        return None if answer is None else answer(request)

    def _after_call(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.is_open.wait(60)
        if model.name in self.lost:
            from botocore.exceptions import ReadTimeoutError

            raise ReadTimeoutError(endpoint_url="http://user:planted@host/?X-Amz-Signature=planted")
        for list_name, id_name in (("jobs", "jobId"), ("executions", "executionArn"), ("JobRuns", "Id")):
            if list_name in parsed:
                parsed[list_name] = [one for one in parsed[list_name] if one[id_name] not in self.left_out]
                for one in parsed[list_name]:
                    one["status"] = self.states.get(one[id_name], one.get("status"))


def wire_of(service: Any) -> Wire:
    wire: Wire = service.wire
    return wire


class WireTests(ServiceTests):
    """The kit for a service whose requests go over a `wire`."""

    service: Any
    refusal: tuple[int, str]  # what AWS says when it is away: the status of HTTP and its code

    @contextmanager
    def outage(self) -> Iterator[None]:
        answers = wire_of(self.service).answers
        answers["*"] = lambda request: error(request, *self.refusal)
        yield
        del answers["*"]

    @contextmanager
    def hold(self) -> Iterator[None]:
        is_open = wire_of(self.service).is_open
        is_open.clear()
        yield
        is_open.set()
