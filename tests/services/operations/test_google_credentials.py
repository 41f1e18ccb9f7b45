"""Credentials of a Google client are in no log line, no text of an error and no row of a journal."""

from __future__ import annotations

import logging
import pickle
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("grpc")
pytest.importorskip("google.api_core")

import grpc
from google.api_core import operations_v1
from google.auth import exceptions as auth_errors
from google.longrunning import operations_pb2_grpc
from support import PATIENCE

from more_executors import Executors, Journal
from more_executors.services.operations import Operations

KEY = "AIzaSyPlanted0123456789abcdefghijklmn"
PLANTED = ("ya29.plantedToken", KEY, "plantedSecret")
REPEATED = f"GET https://ann:plantedSecret@host/v1/operations?key={KEY} with Authorization: Bearer {PLANTED[0]}"


class Server(operations_pb2_grpc.OperationsServicer):
    """It says no, and repeats what it was sent."""

    code = grpc.StatusCode.UNAVAILABLE

    def GetOperation(self, request: Any, context: Any) -> Any:  # noqa: N802
        sent = dict(context.invocation_metadata())
        assert sent["authorization"] == f"Bearer {PLANTED[0]}"
        context.abort(self.code, f"{REPEATED} {sent['authorization']}")


class WithCredentials(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        headers = [*(details.metadata or ()), ("authorization", f"Bearer {PLANTED[0]}")]
        return continuation(details._replace(metadata=headers), request)


class Loopback(NamedTuple):
    server: Server
    client: Any


@pytest.fixture(scope="module")
def loopback() -> Iterator[Loopback]:
    pool, servicer = ThreadPoolExecutor(1), Server()
    server = grpc.server(pool)
    operations_pb2_grpc.add_OperationsServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = operations_v1.OperationsClient(grpc.intercept_channel(channel, WithCredentials()))
        pool.submit(threading.get_ident).result()  # its thread is there before the first test
        yield Loopback(servicer, client)
    server.stop(None).wait()
    pool.shutdown()


def seen_of(operations: Operations, begin: Any, folder: Path) -> list[str]:
    """All that is to be seen of a task and of a start that fail."""
    operations.interval, operations.patience, operations.missing_after, operations.max_concurrency = 0.01, 0.0, 0.0, 1
    seen = [repr(operations)]
    with Journal(folder / "journal.db") as journal, Executors.for_service(operations, journal=journal) as executor:
        for future in (executor.adopt("operations/1"), executor.submit(operations.start, begin)):
            failed = future.exception(PATIENCE)
            assert failed is not None
            seen += ["".join(traceback.format_exception(failed)), repr(failed), repr(vars(failed)), repr(future)]
            seen.append(repr(pickle.dumps(failed)))
            while failed is not None:
                seen.append(repr(failed))
                failed = failed.__context__
        seen.append(repr(executor))
    return seen + [repr(file.read_bytes()) for file in folder.iterdir()]


def begins_nothing(loopback: Loopback) -> Any:
    return lambda: loopback.client.get_operation("operations/2", retry=None)


CODES = ["UNAVAILABLE", "UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT", "NOT_FOUND"]


@pytest.mark.parametrize("code", CODES)
def test_they_are_nowhere_when_the_service_refuses(
    loopback: Loopback, code: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    loopback.server.code = grpc.StatusCode[code]
    seen = seen_of(Operations(loopback.client), begins_nothing(loopback), tmp_path)
    seen.append(caplog.text)
    caplog.clear()  # of records that have frames
    assert any(code in text for text in seen)
    assert [word for word in PLANTED for text in seen if word in text] == []


class NoToken:
    """A client that gets no access token."""

    def get_operation(self, name: str, **_: Any) -> Any:
        raise auth_errors.RefreshError(REPEATED, {"refresh_token": PLANTED[2]})

    cancel_operation = get_operation


def test_they_are_nowhere_when_no_token_is_had(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen = seen_of(Operations(NoToken()), lambda: NoToken().get_operation("operations/2"), tmp_path)
    seen.append(caplog.text)
    caplog.clear()
    assert any("RefreshError" in text for text in seen)
    assert [word for word in PLANTED for text in seen if word in text] == []
