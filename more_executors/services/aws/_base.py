"""What all services of AWS have in common: clients of regions, calls, and what their errors mean."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar, cast

from ..._checks import checked_count, shown
from ..._core import log
from ...journal import StartInDoubt
from ...rate_limit import RateLimit, Throttled
from .._errors import ServiceAway
from .._extras import needed
from .._service import Service
from .._while_cancelling import WhileCancelling
from ._errors import AwsError, NotSent, meaning_of
from ._requests import Paid, Turns

__all__: list[str] = []

S = TypeVar("S")
R = TypeVar("R")

KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


class AwsService(WhileCancelling, Service[str, S, R]):
    """A service of AWS, in one region or several.

    Guarantees:

    * What botocore raises is told apart: `Throttled`, `ServiceAway`, or an error that would come again.
    * botocore tries nothing again by itself, unless it has to renew credentials: limits and outages are the executor's.
    * No text of an error has credentials, headers or a query string in it, and no error is chained to one that has.
    """

    interval = 15.0
    max_concurrency = 4
    api: str  # the name that boto3 has for it
    describes: int = 100  # requests about one task each that one call of `fetch` makes at most

    def __init__(
        self,
        region: str | None,
        session: Any,
        connections: int,
        calls_per_second: float,
        client_options: dict[str, Any],
    ) -> None:
        self._has_session = session is not None
        self._given = {"connections": connections, "calls_per_second": calls_per_second, **client_options}
        boto3 = needed("boto3", "aws", self)
        self._config_of: Callable[..., Any] = needed("botocore.config", "aws", self).Config
        checked_count("connections", connections)
        self._session: Any = boto3.Session() if session is None else session
        if region is not None and (not isinstance(cast("Any", region), str) or not region):
            raise ValueError(f"region must be the name of a region, not {shown(region)}")
        chosen = self._session.region_name if region is None else region
        if not isinstance(chosen, str):
            raise ValueError("region must be given, as the session has none")
        self.region: str = chosen
        self.rate_limit = RateLimit(calls_per_second, burst=max(1, int(calls_per_second / 5)))
        self._connections = connections
        self._options = client_options
        self._secrets = [str(client_options[name]) for name in KEYS if client_options.get(name)]
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.cancelling = set()
        self.paid = Paid()
        self._turns = Turns()

    def client(self, region: str | None = None) -> Any:
        """The client of boto3 for a region. The same one each time; threads may share it."""
        where = region or self.region
        client = self._clients.get(where)
        if client is None:
            with self._lock:  # a session must not make two at a time
                client = self._clients.get(where)
                if client is None:
                    options = dict(self._options)
                    ours = self._config_of(
                        retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=self._connections
                    )
                    given = options.pop("config", None)
                    options["config"] = ours if given is None else given.merge(ours)
                    client = self._clients[where] = self._session.client(self.api, region_name=where, **options)
        return client

    def arguments(self) -> dict[str, Any]:
        """The arguments, by name, that make such a service again."""
        raise NotImplementedError

    def __reduce__(self) -> Any:
        """Copies have clients of their own, and a session of their own; one that was given cannot be copied."""
        if self._has_session:
            raise TypeError(f"a {type(self).__name__} that was given a session cannot be copied or pickled")
        names = (*Service.__annotations__, "describes")
        own = {name: vars(self)[name] for name in names if name in vars(self) and name != "rate_limit"}
        return partial(type(self), **self.arguments(), **self._given), (), own or None

    def close(self) -> None:
        """Close the connections of all clients."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def call(self, region: str, operation: str, part: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Call a method of the client. Raises what the error of botocore means.

        In a method that is `counted`, it waits until the rate limit allows it. `part` is what a reply has in any case:
        botocore takes a page of a proxy for a reply in which nothing is.
        """
        request = f"{operation} in {region}"
        problem: Exception
        if self.paid.is_counted:
            self._pay()
        try:
            reply: dict[str, Any] = getattr(self.client(region), operation)(**arguments)
        except Exception as error:
            problem = meaning_of(error, request, self._secrets)
            if problem is error:
                raise
        else:
            if part is None or part in reply:
                return reply
            problem = ServiceAway(f"{request}: the reply has no {part}")
        raise problem  # here, where the other one is not its context

    def _pay(self) -> None:
        if self.paid.requests:
            self.paid.requests -= 1
        elif self.rate_limit is not None:
            self.rate_limit.take()

    def call_to_start(
        self, region: str, operation: str, part: str, tag: str | None, look: Callable[[], str | None], **arguments: Any
    ) -> str:
        """Call a method that starts a task: `part` of its reply, or if the answer was lost, what `look` finds of that.

        Raises `StartInDoubt` if it is lost and `look` finds nothing.
        """
        try:
            return str(self.call(region, operation, part, **arguments)[part])
        except NotSent:
            raise
        except ServiceAway as away:
            lost = away
        try:
            found = look()
        except (ServiceAway, Throttled):
            found = None
        if found is None:
            raise StartInDoubt(tag) from lost
        return found

    def pages(self, region: str, operation: str, part: str, **arguments: Any) -> Iterator[list[dict[str, Any]]]:
        """The `part` of each page of a listing, one request each."""
        token_name = "NextToken" if self.api == "glue" else "nextToken"
        while True:
            page = self.call(region, operation, part, **arguments)
            yield page[part]
            token = page.get(token_name)
            if not token:
                return
            arguments[token_name] = token

    def described(
        self, ids: Iterable[Any], describe: Callable[[Any], S | None], goes_on: S, is_over: Callable[[S], bool]
    ) -> dict[Any, S]:
        """What `describe` says of each id: of `describes` of them at most, and until AWS says that it is too busy.

        Of the others it is said that they go on: they have their turn in the next calls. `describe` returns None for
        what AWS does not know. Raises `Throttled` if the first one does.
        """
        found: dict[Any, S] = dict.fromkeys(ids, goes_on)
        for number, one in enumerate(self._turns.in_turn(found)[: self.describes]):
            began = None if self.rate_limit is None else self.rate_limit.clock()
            try:
                status = describe(one)
            except Throttled as throttled:
                if not number:
                    raise
                if self.rate_limit is not None and began is not None:  # else the executor tells it
                    self.rate_limit.throttled(began, throttled.retry_after)
                break
            self._turns.was_asked(one, status is not None and not is_over(status))
            if status is None:
                del found[one]
            else:
                found[one] = status
        return found

    def refused(self, what: str, error: AwsError) -> None:
        """Log that AWS does not do `what`, of which a caller gets to know only that it is not done."""
        log(logging.getLogger(type(self).__name__), logging.WARNING, "%s was refused: %s", what, error)

    def now(self) -> float:
        """Seconds since 1970, by the clock here."""
        return time.time()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self.region}>"
