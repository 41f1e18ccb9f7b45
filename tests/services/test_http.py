"""What the replies of an HTTP service mean, of each client."""

from __future__ import annotations

import asyncio
import http.server
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from more_executors import TaskUnknown, Throttled
from more_executors.services import ServiceAway, UnexpectedReply
from more_executors.services.http import check_reply, retry_after

SENT = "Tue, 24 Nov 2026 10:00:00 GMT"
LATER = "Tue, 24 Nov 2026 10:01:30 GMT"
SECRET = "s3cr3t"


class Reply:
    """A reply of `requests`, as far as it is looked at."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.headers = headers or {}
        self.reason = "Odd"
        self.url = f"https://ann:{SECRET}@jobs.example:8443/jobs/7?token={SECRET}#{SECRET}"
        self.request = type("Request", (), {"method": "GET", "headers": {"Authorization": SECRET}})


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_success_is_none(status: int) -> None:
    check_reply(Reply(status))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, TaskUnknown) for status in (404, 410)),
        *((status, ServiceAway) for status in (408, 425, 500, 502, 503, 504, 507, 599)),
        *((status, UnexpectedReply) for status in (301, 304, 400, 401, 403, 405, 409, 418, 422)),
    ],
)
def test_each_status_has_an_error_without_secrets(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        check_reply(Reply(status))
    assert str(caught.value) == f"GET https://jobs.example:8443/jobs/7: {status} Odd"
    assert SECRET not in repr(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
    assert isinstance(caught.value, OSError) == (error is ServiceAway)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after": "17"}, 17.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": LATER, "Date": SENT}, 90.0),
        ({"Retry-After": SENT, "Date": LATER}, 0.0),
        ({"Retry-After": LATER}, 30.0),  # by the clock
        ({"Retry-After": LATER, "Date": "today"}, 30.0),
        ({"Retry-After": "86400"}, 3600.0),
        ({"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, 3600.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, clock=lambda: 1795514460.0) == seconds
    with pytest.raises(Throttled) as caught:
        check_reply(Reply(429, headers), clock=lambda: 1795514460.0)
    assert caught.value.retry_after == seconds
    with pytest.raises(ServiceAway if seconds is None else Throttled):
        check_reply(Reply(503, headers), clock=lambda: 1795514460.0)


def test_what_is_no_reply_is_refused() -> None:
    with pytest.raises(TypeError, match="reply must be a response of requests, httpx or aiohttp, not 'OK'"):
        check_reply("OK")


# -- the clients -------------------------------------------------------------------------------------------------------


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = int(self.path.partition("?")[0].rpartition("/")[2])
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield "http://{}:{}".format(*server.server_address[:2])
    server.shutdown()
    server.server_close()
    thread.join()


def by_requests(url: str) -> None:
    requests = pytest.importorskip("requests")
    with requests.get(url, params={"token": SECRET}) as reply:
        check_reply(reply)


def by_httpx(url: str) -> None:
    httpx = pytest.importorskip("httpx")
    check_reply(httpx.get(url, params={"token": SECRET}))


def by_aiohttp(url: str) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def get() -> None:
        async with aiohttp.ClientSession() as session, session.get(url, params={"token": SECRET}) as reply:
            check_reply(reply)

    asyncio.run(get())


@pytest.mark.parametrize("get", [by_requests, by_httpx, by_aiohttp])
def test_replies_of_each_client_are_read(get: Any, address: str) -> None:
    get(f"{address}/jobs/200")
    with pytest.raises(Throttled) as throttled:
        get(f"{address}/jobs/429")
    assert throttled.value.retry_after == 2.0
    for status, error in ((404, TaskUnknown), (500, ServiceAway), (403, UnexpectedReply)):
        with pytest.raises(error) as caught:
            get(f"{address}/jobs/{status}")
        assert str(caught.value).startswith(f"GET {address}/jobs/{status}: {status} ")
        assert SECRET not in str(caught.value)
