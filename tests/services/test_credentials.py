"""Credentials of an HTTP service are in no log line, no text of an error and no row of a journal."""

from __future__ import annotations

import asyncio
import http.server
import logging
import pickle
import re
import socket
import threading
import traceback
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE

from more_executors import Executors, Journal
from more_executors.services import Service, ServiceAway
from more_executors.services.http import check_reply, outages

PLANTED = ("plantedHeader", "plantedQuery", "plantedPassword")
QUERY = {"token": PLANTED[1]}
HEADERS = {"Authorization": f"Bearer {PLANTED[0]}"}
STATUSES = (403, 404, 429, 500, 503)


class Answers(http.server.BaseHTTPRequestHandler):
    status = 500

    def do_GET(self) -> None:
        body = f"no, {self.path} {self.headers['Authorization']}".encode()
        self.send_response(type(self).status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody answers."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{unused.getsockname()[1]}"


class Jobs(Service[str, Any, Any]):
    needs: str
    interval = 0.01
    patience = 0.0
    missing_after = 0.0

    def __init__(self, host: str) -> None:
        self.address = f"http://ann:{PLANTED[2]}@{host}/jobs"

    def start(self) -> str:
        self.get("new")
        return "job-1"

    def fetch_one(self, task_id: str) -> Any:
        return self.get(task_id)

    def resolve(self, descriptor: Any, status: Any) -> None:
        descriptor.yield_result(status)

    def get(self, task_id: str) -> Any:
        raise NotImplementedError


class WithRequests(Jobs):
    needs = "requests"

    def get(self, task_id: str) -> Any:
        requests = import_module(self.needs)
        with outages():
            reply = requests.get(f"{self.address}/{task_id}", params=QUERY, headers=HEADERS, timeout=30)
        check_reply(reply)


class WithHttpx(Jobs):
    needs = "httpx"

    def get(self, task_id: str) -> Any:
        httpx = import_module(self.needs)
        with outages():
            reply = httpx.get(f"{self.address}/{task_id}", params=QUERY, headers=HEADERS)
        check_reply(reply)


class WithAiohttp(Jobs):
    needs = "aiohttp"

    def get(self, task_id: str) -> Any:
        aiohttp = import_module(self.needs)

        async def get() -> None:
            address = self.address.replace(f"ann:{PLANTED[2]}@", "")  # it refuses both
            async with aiohttp.ClientSession(headers=HEADERS) as session:
                with outages():
                    async with session.get(f"{address}/{task_id}", params=QUERY) as reply:
                        check_reply(reply)

        asyncio.run(get())


def behind(error: BaseException | None) -> Iterator[BaseException]:
    """What `error` was raised from and while handling: some log it, and it is pickled too once Dask is imported."""
    for other in () if error is None else (error.__cause__, error.__context__):
        if other is not None:
            yield other
            yield from behind(other)


def outcome(service: Jobs, journal_file: Path) -> str:
    """All that is to be seen of a start and of a task that fail."""
    seen = [repr(service)]
    with Journal(journal_file) as journal, Executors.for_service(service, journal=journal) as executor:
        for future in (executor.adopt("job-7"), executor.submit(service.start)):
            error = future.exception(PATIENCE)
            seen += [repr(future), repr(error), str(error), repr(vars(error)), repr(error.args if error else None)]
            seen.append(repr(pickle.dumps(error)))
            seen.append("".join(traceback.format_exception(error)))
            seen += [repr(vars(each)) + repr(each) for each in behind(error)]
        executor.flush_journal()
        seen += [each.read_bytes().decode("latin-1") for each in journal_file.parent.iterdir()]
    return "\n".join(seen)


def exposed(seen: str) -> list[str]:
    """Where one of them is to be seen, with what is around it."""
    return [match[0] for match in re.finditer(f".{{0,200}}({'|'.join(PLANTED)}).{{0,40}}", seen, re.DOTALL)]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for theirs in ("urllib3", "httpx", "httpcore", "asyncio"):
        caplog.set_level(logging.CRITICAL, logger=theirs)
    return caplog


CLIENTS = [
    pytest.param(kind, marks=pytest.mark.skipif(find_spec(kind.needs) is None, reason=f"needs {kind.needs}"))
    for kind in (WithRequests, WithHttpx, WithAiohttp)
]


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize("kind", CLIENTS)
def test_they_are_nowhere_when_the_service_refuses(
    kind: type[Jobs], status: int, server: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    Answers.status = status
    seen = outcome(kind(server), tmp_path / "journal.db") + logged.text
    assert str(status) in seen or "has been in no reply" in seen
    assert exposed(seen) == []


@pytest.mark.parametrize("kind", CLIENTS)
def test_they_are_nowhere_when_nobody_answers(
    kind: type[Jobs], nobody: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    seen = outcome(kind(nobody), tmp_path / "journal.db") + logged.text
    assert "ServiceAway" in seen
    assert exposed(seen) == []


@pytest.mark.parametrize("error", [KeyError("state"), ValueError("no address"), RuntimeError("a fault")])
def test_what_is_no_outage_is_left_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, outages():
        raise error
    assert caught.value is error


@pytest.mark.parametrize("error", [OSError("x"), TimeoutError(), asyncio.TimeoutError(), ConnectionResetError("x")])
def test_an_outage_says_which(error: Exception) -> None:
    with pytest.raises(ServiceAway) as caught, outages():
        raise error
    assert str(caught.value).startswith(type(error).__name__)
    assert caught.value.__suppress_context__


@pytest.mark.skipif(find_spec("requests") is None, reason="needs requests")
def test_an_address_that_is_none_is_a_fault_and_said_without_secrets() -> None:
    requests = import_module("requests")
    with pytest.raises(ValueError, match="InvalidURL") as caught, outages():
        requests.get(f"http://ann:{PLANTED[2]}@127.0.0.1:none/jobs", params=QUERY, timeout=30)
    assert not isinstance(caught.value, OSError)
    assert exposed("".join(traceback.format_exception(caught.value)) + repr(pickle.dumps(caught.value))) == []
