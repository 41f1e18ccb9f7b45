"""What the errors of botocore mean, in words of ours that have no credentials in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from ...rate_limit import Throttled
from .._errors import ServiceAway, UnexpectedReply
from ..http import retry_after

__all__: list[str] = []

THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "ConcurrentRunsExceededException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# Credentials that were good once: somebody will renew them, and all that is outstanding goes on.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
# Their messages repeat the request as it was signed, with its headers.
REPEAT_THE_REQUEST = ("Signature", "AuthFailure", "AuthenticationToken", "UnrecognizedClient", "InvalidClientTokenId")
SECRETS = re.compile(
    r"(?i)\b(?:AKIA|ASIA)[A-Z0-9]{8,}"
    r"|(?<=x-amz-security-token)[\s:=\"']+\S+"
    r"|\b(?:Authorization|Credential|Signature|X-Amz-\w+)[:=]\s*[^\s,&]+"
    r"|(?<=://)[^/\s@]+@|\?[^\s\"']+=[^\s\"']*"
)
MOST = 500  # characters of a message


class AwsError(UnexpectedReply):
    """AWS has refused a request, and would do so again: `code` is its error code, `status` the HTTP status."""

    code: str

    def __init__(self, text: str, status: int, code: str) -> None:
        super().__init__(text, status)
        self.args = (text, status, code)
        self.code = code


class NotSent(ServiceAway):
    """The service is away, and the request has done nothing there."""


AwsError.__module__ = "more_executors.services.aws"
NotSent.__module__ = "more_executors.services.aws._errors"


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """`text`, of bounded length, in which what may be a credential, and each of `secrets`, is three asterisks."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = SECRETS.sub("***", text)
    return text if len(text) <= MOST else f"{text[:MOST]}..."


def meaning_of(error: Exception, request: str, secrets: Iterable[str] = ()) -> Exception:
    """What is to be raised instead of an `error` of botocore: `Throttled`, `ServiceAway`, `AwsError` or `TypeError`.

    `request` is the name of the operation and the region. An error of any other kind is returned as it is.
    """
    known: Any = import_module("botocore.exceptions")
    kind = type(error).__name__
    if isinstance(error, known.ClientError):
        return meaning_of_reply(error, request, secrets)
    not_sent = (
        known.ConnectTimeoutError,
        known.CredentialRetrievalError,
        known.EndpointConnectionError,
        known.MetadataRetrievalError,
        known.ProxyConnectionError,
        known.SSLError,
        known.SSOError,
        known.TokenRetrievalError,
    )
    if isinstance(error, not_sent):
        return NotSent(f"{request}: {kind}")
    if isinstance(error, (known.HTTPClientError, known.ResponseStreamingError)) or kind == "ResponseParserError":
        return ServiceAway(f"{request}: {kind}")
    if isinstance(error, known.ParamValidationError):
        names = re.sub(r"value: .*?, (type|valid)", r"\1", str(error), flags=re.DOTALL)
        return TypeError(f"{request}: {without_secrets(names, secrets)}")
    if isinstance(error, known.BotoCoreError):
        return type_kept(error, request, secrets)
    return error


def meaning_of_reply(error: Any, request: str, secrets: Iterable[str]) -> Exception:
    """The same for a reply that is an error."""
    said = error.response.get("Error", {})
    about = error.response.get("ResponseMetadata", {})
    code = str(said.get("Code", ""))
    status = int(about.get("HTTPStatusCode", 0))
    if code in THROTTLES or status == 429:
        return Throttled(retry_after(about.get("HTTPHeaders", {})))
    message = "" if any(part in code for part in REPEAT_THE_REQUEST) else str(said.get("Message") or "")
    parts = [f"{request}: {status} {code}", without_secrets(message, secrets), about.get("RequestId") or ""]
    text = ", ".join(part for part in parts if part)
    if code in EXPIRED:
        return NotSent(text)
    return ServiceAway(text) if status >= 500 else AwsError(text, status, code)


def type_kept(error: Exception, request: str, secrets: Iterable[str]) -> Exception:
    """An error of the program or of its configuration, such as no credentials at all."""
    return RuntimeError(f"{request}: {type(error).__name__}: {without_secrets(str(error), secrets)}")
