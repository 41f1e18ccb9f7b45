"""Credentials are in no log line, no text of an error and no row of a journal."""

from __future__ import annotations

import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3")

from aws_stand import Wire, error, reply
from support import PATIENCE

from more_executors import Executors, Journal
from more_executors.services import AwsBatch, GlueJobs, Service, StepFunctions
from more_executors.services.aws._errors import without_secrets

KEY = "AKIAPLANTEDPLANTED12"
PLANTED = (KEY, "plantedSecret", "plantedToken")
OPTIONS: dict[str, Any] = {
    "aws_access_key_id": KEY,
    "aws_secret_access_key": "plantedSecret",
    "aws_session_token": "plantedToken",
    "endpoint_url": "http://127.0.0.1:1",
}
ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:publish"
CANONICAL = (
    "The request signature we calculated does not match. The Canonical String was 'POST /v1/describejobs "
    f"x-amz-security-token:plantedToken', AWS4-HMAC-SHA256 Credential={KEY}/20261130, plantedSecret"
)


def services() -> list[Service[Any, Any, Any]]:
    made: list[Service[Any, Any, Any]] = [
        AwsBatch("queue", "render", region="eu-west-1", **OPTIONS),
        StepFunctions(ARN, **OPTIONS),
        GlueJobs("nightly", region="eu-west-1", **OPTIONS),
    ]
    return made


TASKS = ["12345678", f"{ARN.replace('stateMachine', 'execution')}:a", "eu-west-1/nightly/jr_1"]
ANSWERS = {
    "refused": lambda request: error(request, 403, "SignatureDoesNotMatch", CANONICAL),
    "refused otherwise": lambda request: error(request, 400, "ValidationException", CANONICAL),
    "away": lambda request: error(request, 503, "ServiceUnavailable", CANONICAL),
    "no AWS": lambda request: reply(request, 200, CANONICAL.encode()),
    "nobody there": None,
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("number", range(3), ids=["batch", "states", "glue"])
def test_credentials_are_nowhere(number: int, answer: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for theirs in ("botocore", "boto3", "urllib3"):
        logging.getLogger(theirs).setLevel(logging.CRITICAL)
    service: Any = services()[number]
    service.interval = 0.01
    service.patience = 0.0
    wire = Wire(service)
    if ANSWERS[answer] is not None:
        wire.answers["*"] = ANSWERS[answer]
    path = tmp_path / "journal.db"
    seen: list[str] = [repr(service)]
    with service, Journal(path) as journal, Executors.for_service(service, journal=journal) as executor:
        executor.adopt(TASKS[number]).cancel()
        futures = [executor.adopt(TASKS[number]), executor.submit(service.start)]
        for future in futures:
            failed = future.exception(PATIENCE)
            assert failed is not None
            seen += ["".join(traceback.format_exception(failed)), repr(failed), repr(vars(failed)), repr(future)]
            seen.append(repr(pickle.dumps(failed)))
            context = failed.__context__
            while context is not None:
                seen.append(repr(context))
                context = context.__context__
        seen.append(repr(executor))
    seen += [caplog.text, *(repr(file.read_bytes()) for file in tmp_path.iterdir())]
    caplog.clear()  # of records that have frames
    assert len(seen) > 10
    assert [word for word in PLANTED for text in seen if word in text] == []
    assert wire.requests


def test_what_may_be_a_secret_is_taken_out() -> None:
    text = (
        "at https://user:word@host/path?X-Amz-Signature=abc&b=1 with Authorization: AWS4, Signature=def, "
        "x-amz-security-token:ghi, ASIA1234567890ABCDEF and jkl"
    )
    clean = without_secrets(text, ["jkl"])
    for secret in ("user", "word", "abc", "AWS4", "def", "ghi", "ASIA", "jkl"):
        assert secret not in clean
    assert "https://***host/path" in clean
    assert len(without_secrets("x" * 10_000)) < 600
