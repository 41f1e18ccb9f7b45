"""What errors of a Google client mean for all that is outstanding."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("grpc")
pytest.importorskip("google.api_core")

from google.api_core import exceptions
from google.auth import exceptions as auth_errors
from google.longrunning import operations_pb2
from google.protobuf import any_pb2, wrappers_pb2
from google.rpc import error_details_pb2
from support import PATIENCE

from more_executors import Executors, Throttled
from more_executors.services.operations import Operations


class Client:
    asked = 0
    error: Exception | None = None

    def get_operation(self, name: str, **_: Any) -> Any:
        self.asked += 1
        if self.error is not None:
            raise self.error
        response = any_pb2.Any()
        response.Pack(wrappers_pb2.StringValue(value="a"))
        return operations_pb2.Operation(name=name, done=True, response=response)

    cancel_operation = get_operation


@pytest.mark.parametrize(("asked", "pause"), [(7.5, 7.5), (2.3e9, 3600.0)])
def test_a_pause_that_is_asked_for_is_made_for_an_hour_at_most(asked: float, pause: float) -> None:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(int(asked * 1000))

    def create() -> Any:
        raise exceptions.ResourceExhausted("too many", details=[info])

    with pytest.raises(Throttled) as told:
        Operations(Client()).start(create)
    assert told.value.retry_after == pause


def test_all_that_is_outstanding_goes_on_when_credentials_are_renewed() -> None:
    client = Client()
    service = Operations(client)
    service.interval = 0.001
    for error in (exceptions.Unauthorized("over REST"), auth_errors.RefreshError("to be renewed")):
        client.asked, client.error = 0, error
        with Executors.sync().with_poll(service) as executor:
            future = executor.adopt("operations/1")
            while client.asked < 5:
                assert not future.done()
            client.error = None
            assert future.result(PATIENCE).value == "a"
        error.__traceback__ = None
    client.error = auth_errors.DefaultCredentialsError("there are none at all")
    with pytest.raises(RuntimeError, match="DefaultCredentialsError"):
        service.fetch_one("operations/1")
    client.error = None
