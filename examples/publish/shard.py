"""What the workers of a cluster do: each has some shards, which start tasks of the service and poll them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from more_executors import PollExecutor, RateLimit

from chain import polling
from client import PublishClient
from options import Options
from patience import ATTEMPTS, Patience

FOR_EACH_WORKER = 2
"""How many shards there are for each worker at first: so one can go to a worker that comes later."""

CANCEL_ATTEMPTS = 4
"""How often a worker asks the service to cancel tasks: whoever wants that waits for the answer."""


@dataclass(frozen=True)
class Shard:
    """What is sent to the workers: where the service is, and ``options`` for one shard."""

    url: str
    options: Options

    def make(self) -> PollExecutor[Any, Any]:
        """The executor of a shard."""
        client = client_of(self)
        patience = Patience(ATTEMPTS, lambda: False)
        return polling(self.options, patience, client, None, client.cancel_task, client.cancel_tasks)

    def publish(self, object_id: str) -> str:
        """As ``PublishClient.publish``."""
        return client_of(self).publish(object_id)


@cache
def client_of(shard: Shard) -> PublishClient:
    """The client of this process, which all of its shards share. Its connections end with the process."""
    options = shard.options
    limit = RateLimit(FOR_EACH_WORKER * options.publishes, burst=FOR_EACH_WORKER * options.workers)
    return PublishClient(
        shard.url,
        publish_limit=limit,
        patience=Patience(CANCEL_ATTEMPTS, lambda: False),
        missing_after=options.missing_after,
    )
