"""Dramatiq: messages and the results of their actors, asked about in one round trip for a thousand of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..._checks import checked_seconds, shown
from ..._core import PollDescriptor
from ...journal import StartInDoubt
from ._queue_service import DAY, QueueService, imported

__all__: list[str] = []


class MessageName(NamedTuple):
    """What a result is found by."""

    queue_name: str
    actor_name: str
    message_id: str


class DramatiqMessages(QueueService[Any, Any]):
    """Messages of Dramatiq as futures of what their actors return, without a thread each.

        messages = DramatiqMessages(broker)
        with Executors.for_service(messages) as executor:
            future = executor.submit(messages.start, count_words, "http://...")

    A message is known by "queue:actor:id", a str; a `Message` can be adopted too. A future gives what the actor
    returned. Dramatiq keeps the name and the text of an error: it comes as its `ResultFailure`.

    Dramatiq says nothing of a message but its result, and cannot cancel any. One of which there is no result for
    `silent_after` seconds fails with `NothingHeard`. May be used from any thread.
    """

    unheard = (
        "there is no result of it. It waits, runs or was lost, what it returned could not be encoded, or its result "
        "has expired (see `result_ttl`): Dramatiq does not say which"
    )

    def __init__(
        self,
        broker: Any,
        *,
        silent_after: float = DAY,
        result_ttl: float = DAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Args:
            broker: a `dramatiq.Broker` that has the middleware `Results`.
            silent_after: a float, the seconds after which a message fails of which nothing is heard; `math.inf` is
                never.
            result_ttl: a float, how many seconds results are kept of messages that are started here, unless their actor
                says otherwise: Dramatiq keeps them for 10 minutes.
            clock: a function that returns the time in seconds.

        Raises ImportError if Dramatiq is not installed, TypeError or ValueError if an argument cannot be used.
        """
        package = imported("dramatiq", "dramatiq")
        if not isinstance(broker, package.Broker):
            raise TypeError(f"broker must be a dramatiq.Broker, not {shown(broker)}")
        results = imported("dramatiq.results", "dramatiq")
        found = [one for one in broker.middleware if isinstance(one, results.Results)]
        if not found:
            raise ValueError("broker must have the middleware Results: else nothing is heard of a message")
        super().__init__(silent_after, clock)
        self._dramatiq = package
        self._results: Any = found[0]
        self._result_errors = imported("dramatiq.results.errors", "dramatiq")
        self._backend: Any = self._results.backend
        self._result_ttl = int(1000 * checked_seconds("result_ttl", result_ttl))
        self._broker: Any = broker
        errors = imported("dramatiq.errors", "dramatiq")
        self.outage_errors = (*type(self).outage_errors, errors.ConnectionFailed, errors.ConnectionClosed)
        self._is_redis = type(self._backend).__module__ == "dramatiq.results.backends.redis"
        if self._is_redis:
            errors = imported("redis.exceptions", "dramatiq")
            self.outage_errors = (*self.outage_errors, errors.ConnectionError, errors.TimeoutError)

    def id_of(self, task: Any) -> str:
        """The "queue:actor:id" of a message."""
        if hasattr(task, "message_id"):
            return f"{task.queue_name}:{task.actor_name}:{task.message_id}"
        if isinstance(task, str) and task.count(":") >= 2:
            return task
        kind = ValueError if isinstance(task, str) else TypeError
        raise kind(f"a message must be a Message, or its 'queue:actor:id', not {shown(task)}")

    def start(self, actor: Any, /, *args: Any, tag: str | None = None, **kwargs: Any) -> str:
        """Send a message; returns its "queue:actor:id".

        Args:
            actor: an actor, or a message that it has made.
            args, kwargs: the arguments of the actor.
            tag: a str, the id for the message; by default a random one. It does not make sending idempotent.

        Raises TypeError or ValueError if that cannot be sent, or its result is not stored (`store_results=True`).
        Raises `StartInDoubt` if the broker was lost meanwhile.
        """
        if isinstance(actor, self._dramatiq.Message) and not (args or kwargs):
            message: Any = actor
        elif isinstance(actor, self._dramatiq.Actor):
            message = actor.message(*args, **kwargs)
        else:
            raise TypeError(f"actor must be an actor, or a message without arguments beside it, not {shown(actor)}")
        options = {**self._broker.get_actor(message.actor_name).options, **message.options}
        if not options.get("store_results", self._results.store_results):
            raise ValueError(f"actor must store results: nothing would be heard of {message.actor_name}")
        ttl = {} if "result_ttl" in options else {"result_ttl": self._result_ttl}
        message = message.copy(**({} if tag is None else {"message_id": tag}), options=ttl)
        try:
            self._broker.enqueue(message)
        except self.outage_errors as error:
            raise StartInDoubt(tag) from error
        return self.id_of(message)

    def fetch(self, ids: list[Any]) -> Mapping[Any, Any]:
        """The results that there are: as they are stored in Redis, from other stores as they are read."""
        names = [MessageName(*task_id.rsplit(":", 2)) for task_id in ids]
        if not self._is_redis:
            read = {task_id: self._read(name) for task_id, name in zip(ids, names, strict=True)}
            return {task_id: outcome for task_id, outcome in read.items() if outcome is not None}
        with self._backend.client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.lindex(self._backend.build_message_key(name), 0)
            return {task_id: data for task_id, data in zip(ids, pipe.execute(), strict=True) if data is not None}

    def resolve(self, descriptor: PollDescriptor[Any, Any], status: Any) -> None:
        if self._is_redis:
            status = self._unwrapped(lambda: self._backend.unwrap_result(self._backend.encoder.decode(status)))
        value, error = status
        if error is None:
            self.succeeded(descriptor, value)
        else:
            self.failed(descriptor, error)

    def _read(self, name: MessageName) -> tuple[Any, BaseException | None] | None:
        try:
            return self._unwrapped(lambda: self._backend.get_result(name, block=False))
        except self._result_errors.ResultMissing:
            return None

    def _unwrapped(self, read: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """What an actor has returned, or failed with."""
        try:
            return read(), None
        except self._result_errors.ResultFailure as failure:
            return None, failure.with_traceback(None)


DramatiqMessages.__module__ = "more_executors.services.queues"  # where everybody has it from
