"""A service that answers as Azure documents, on the loopback, and a client for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import HeadersPolicy, RequestIdPolicy
from azure.core.polling import LROPoller
from azure.core.rest import HttpRequest

from more_executors.services.operations import AzureOperation, AzureOperations


class Thing:
    def __init__(self) -> None:
        self.status = "InProgress"
        self.body: dict[str, Any] = {}
        self.is_known = True


class Resources(ThreadingHTTPServer):
    """The service: PUT of a thing begins an operation."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.things: dict[str, Thing] = {}
        self.requests: list[str] = []
        self.code = 200
        self.headers: dict[str, str] = {}
        self.answers = threading.Event()
        self.answers.set()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.server_address[:2])


class Handler(BaseHTTPRequestHandler):
    server: Resources

    def do_PUT(self) -> None:
        if self.server.code != 200:
            return self.send(self.server.code, {"error": {"code": "Told", "message": "told"}}, self.server.headers)
        name = self.path.rpartition("/")[2]
        self.server.things[name] = Thing()
        where = f"{self.server.url}/operations/{name}?sig=planted"
        headers = {"Azure-AsyncOperation": where, "Operation-Location": where}
        return self.send(201, {"name": name, "properties": {"provisioningState": "Creating"}}, headers)

    def do_GET(self) -> None:
        _, kind, name = self.path.partition("?")[0].split("/")
        self.server.requests.append(f"{kind}/{name}")
        if self.server.code != 200:
            return self.send(self.server.code, {"error": {"code": "Told", "message": "planted"}}, self.server.headers)
        thing = self.server.things.get(name)
        if thing is None or not thing.is_known:
            return self.send(404, {})
        if kind == "things":
            return self.send(200, {"name": name, "properties": {"provisioningState": thing.status}})
        body = {"status": thing.status, **thing.body}
        self.server.answers.wait(60)
        return self.send(200, body, self.server.headers)

    def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Connection": "close", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


class Client:
    """As a generated one is: `begin_create` takes a polling method."""

    def __init__(self, url: str, *more_policies: Any) -> None:
        self._url = url
        policies = [RequestIdPolicy(), HeadersPolicy({"Authorization": "Bearer planted"}), *more_policies]
        self._client: Any = PipelineClient(url, policies=policies)
        self._numbers = iter(range(1000))

    def begin_create(self, *, polling: Any = True) -> Any:
        request = HttpRequest("PUT", f"{self._url}/things/{next(self._numbers)}")
        first = self._client.send_request(request, _return_pipeline_response=True)
        if first.http_response.status_code >= 400:
            raise HttpResponseError(response=first.http_response)
        return LROPoller(self._client, first, lambda reply: reply.http_response.json(), polling)

    def close(self) -> None:
        self._client.close()


def made(make_method: Any = None) -> AzureOperations:
    service = AzureOperations(make_method)
    service.interval = 0.01
    service.missing_after = 0.2
    return service


def name_of(task: AzureOperation) -> str:
    name: str = task.method._initial_response.http_response.json()["name"]
    return name


@contextmanager
def serving() -> Iterator[Resources]:
    server = Resources()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
