"""What the errors of google-api-core and google-auth mean, in words that have no credentials in them."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from ...rate_limit import Throttled
from ...status_poll import TaskUnknown
from .._errors import ServiceAway, UnexpectedReply
from ..http import LONGEST_PAUSE

__all__: list[str] = []

LONGEST = 500  # characters of a message
SECRETS = re.compile(
    r"(?i)\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}"  # as in a header
    r"|\bya29\.[\w.-]+|\bAIza[\w-]{20,}|\beyJ[\w-]+\.[\w.-]+"  # access tokens, keys, signed tokens
    r"|(?<=://)[^/\s@]+@|\?[^\s\"']+=[^\s\"']*"
)
AWAY = frozenset(
    {"ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "UNAUTHENTICATED", "UNAVAILABLE", "UNKNOWN"}
)  # of the request, not of the operation


def meaning_of(error: Exception, request: str) -> Exception:
    """What is to be raised instead of `error`; `request` is its name. One of any other kind is returned as it is."""
    known: Any = import_module("google.api_core.exceptions")
    auth: Any = import_module("google.auth.exceptions")
    if isinstance(error, known.GoogleAPICallError):
        return meaning_of_reply(error, request, known)
    if isinstance(error, (known.RetryError, auth.TransportError)):
        return ServiceAway(f"{request}: {type(error).__name__}")
    if isinstance(error, auth.GoogleAuthError):  # somebody will renew credentials that are not good any more
        may_pass = isinstance(error, auth.RefreshError)
        return (ServiceAway if may_pass else RuntimeError)(f"{request}: {type(error).__name__}")
    return error


def meaning_of_reply(error: Any, request: str, known: Any) -> Exception:
    """The same for what a service has said; `known` has the classes of such errors."""
    if isinstance(error, known.TooManyRequests):
        return Throttled(pause_in(error))
    code = getattr(error.grpc_status_code, "name", None) or str(error.code)
    text = f"{request}: {code}: {SECRETS.sub('***', str(error.message))[:LONGEST]}"
    if isinstance(error, known.NotFound):
        return TaskUnknown(text)
    is_away = isinstance(error, (known.ServerError, known.Unauthorized))
    is_away = is_away and not isinstance(error, known.MethodNotImplemented)
    return ServiceAway(text) if is_away or code in AWAY else UnexpectedReply(text, int(error.code or 0))


def pause_in(error: Any) -> float | None:
    """The seconds of a RetryInfo in the details of an error, an hour at most, or None."""
    for detail in error.details or ():
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            return min(float(delay.seconds) + float(delay.nanos) / 1e9, LONGEST_PAUSE)
    return None
