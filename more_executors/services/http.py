"""What the replies of an HTTP service mean to whoever polls it: for `requests`, `httpx` and `aiohttp` alike."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from .._checks import shown
from ..rate_limit import Throttled
from ..status_poll import TaskUnknown
from ._errors import ServiceAway, UnexpectedReply

__all__ = ["check_reply", "outages", "retry_after"]

LONGEST_PAUSE = 3600.0  # seconds that a service may ask for
UNKNOWN = frozenset({404, 410})
COME_BACK = frozenset({408, 425, 500, 502, 503, 504})
CLIENTS = frozenset({"requests", "urllib3", "httpx", "aiohttp"})
OF_CLIENTS = frozenset({"httpx.TransportError", "aiohttp.ClientError"})  # those that are no OSError
QUERY = re.compile(r"\?[^\s'\"<>)]*")
PASSWORD = re.compile(r"//[^\s/@'\"]*@")


@contextmanager
def outages() -> Generator[None]:
    """Have what a client raises that gets no reply be a `ServiceAway`, which says so without what may be secret.

        with outages():
            reply = session.get(f"{URL}/jobs/{task_id}", params={"token": token}, timeout=30)
        check_reply(reply)

    That is an OSError or a time-out, a `requests.RequestException`, an `httpx.TransportError` or an
    `aiohttp.ClientError`. The texts of these have the address of the request, with its query. What these clients raise
    about an address that is none is a ValueError, without secrets as well. Everything else is left as it is.
    """
    try:
        yield
    except Exception as error:
        is_refused = isinstance(error, ValueError)
        if isinstance(error, ServiceAway) or not (is_of_client(error) if is_refused else is_outage(error)):
            raise
        said = PASSWORD.sub("//...@", QUERY.sub("?...", str(error)))
        name = type(error).__name__
        kind = ValueError if is_refused else ServiceAway
        cleaned = kind(f"{name}: {said}" if said else name)
        try:
            raise cleaned from None
        finally:
            cleaned.__context__ = None  # which has the address, is logged by some and pickled where tblib is installed


def is_of_client(error: Exception) -> bool:
    return any(base.__module__.partition(".")[0] in CLIENTS for base in type(error).__mro__)


def is_outage(error: Exception) -> bool:
    if isinstance(error, (OSError, TimeoutError, asyncio.TimeoutError)):
        return True
    return any(f"{base.__module__.partition('.')[0]}.{base.__name__}" in OF_CLIENTS for base in type(error).__mro__)


def check_reply(reply: Any, *, clock: Callable[[], float] = time.time) -> None:
    """Raise what the status of `reply` means, unless it is one of success.

    | status | raises |
    | --- | --- |
    | 404, 410 | `TaskUnknown` |
    | 429, or 503 with Retry-After | `Throttled`, with the seconds that `retry_after` reads |
    | 408, 425 and all other 5xx | `ServiceAway`, which is an OSError |
    | all others from 300 on | `UnexpectedReply` |

    The texts of these errors have the method, the host and the path of the request: no query, no header and no body, as
    those may have secrets in them.

    Args:
        reply: a `requests.Response`, an `httpx.Response` or an `aiohttp.ClientResponse`.
        clock: a function that returns the seconds since 1970, for a Retry-After that is a date, if the reply has none.

    Raises TypeError if `reply` is none of these.
    """
    status = getattr(reply, "status_code", None)
    if status is None:
        status = getattr(reply, "status", None)
    if not isinstance(status, int):
        raise TypeError(f"reply must be a response of requests, httpx or aiohttp, not {shown(reply)}")
    if status < 300:
        return
    seconds = retry_after(reply.headers, clock=clock)
    if status == 429 or (status == 503 and seconds is not None):
        raise Throttled(seconds)
    text = f"{described(reply)}: {status} {reason_of(reply)}".rstrip()
    if status in UNKNOWN:
        raise TaskUnknown(text)
    if status in COME_BACK or status >= 500:
        raise ServiceAway(text)
    raise UnexpectedReply(text, status)


def retry_after(headers: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> float | None:
    """The seconds that the Retry-After of `headers` asks for, or None if there is none that one can read.

    An hour at most: a date in a far year must not end all questions. A date is seen from the Date of the same reply, if
    it has one: clocks differ. One that is over is 0.
    See RFC 9110, 10.2.3.
    """
    text = header(headers, "Retry-After")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until = date_of(text)
        if until is None:
            return None
        sent = date_of(header(headers, "Date"))
        seconds = until - (clock() if sent is None else sent)
    return min(max(0.0, seconds), LONGEST_PAUSE) if isfinite(seconds) else None


def header(headers: Mapping[str, str], name: str) -> str | None:
    """The header of that `name`, in whatever case a plain dict has it."""
    value = headers.get(name)
    return headers.get(name.lower()) if value is None else value


def date_of(text: str | None) -> float | None:
    """The seconds since 1970 of an HTTP date, or None if it is none."""
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def described(reply: Any) -> str:
    """The method and the address that `reply` answers, without what may be secret."""
    request = getattr(reply, "request", None) or getattr(reply, "request_info", None)
    method = getattr(request, "method", None) or getattr(reply, "method", None) or "request"
    try:
        parts = urlsplit(str(reply.url))
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except (AttributeError, RuntimeError, ValueError):
        return str(method)
    return f"{method} {parts.scheme}://{host}{port}{parts.path}"


def reason_of(reply: Any) -> str:
    return str(getattr(reply, "reason_phrase", None) or getattr(reply, "reason", None) or "")
