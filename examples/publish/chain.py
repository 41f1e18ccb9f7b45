"""The executor of it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from more_executors import Executors, Journal, Keys, PollExecutor, RateLimit, RetryExecutor, ThrottleExecutor

from async_client import AT_ONCE, AsyncClient
from client import PublishClient
from options import Options
from patience import Patience
from starts import NAMESPACE

REQUESTS = 60
"""How many searches and cancellations there are in a second, at most. The service may find that too many."""

QUEUE = 8
"""How many publications may be with each thread of the pool, or wait to be tried again, where many are."""


def polling(
    options: Options,
    patience: Patience,
    client: PublishClient | AsyncClient,
    journal: Journal | None,
    cancel_task: Callable[[str], bool],
    cancel_tasks: Callable[[list[str]], list[bool]],
) -> PollExecutor[Any, Any]:
    """An executor for ``client.publish``, which starts nothing that a ``journal`` has on record."""
    starting = (
        Executors.event_loop(AT_ONCE, name="publish", open_fn=client.open, close_fn=client.close)
        if isinstance(client, AsyncClient)
        else Executors.thread_pool(max_workers=options.workers, name="publish")
    )
    publishing: RetryExecutor[Any, Any] | ThrottleExecutor[Any, Any] = starting.with_retry(patience)
    if options.faults:
        # Else what is tried again would queue behind all that has not been tried yet.
        publishing = publishing.with_throttle(QUEUE * options.workers)
    return publishing.with_poll(
        client.poll,
        cancel_task,
        options.interval,
        min_interval=options.interval / 10,
        batch_size=options.batch_size,
        max_concurrency=options.searches,
        rate_limit=RateLimit(REQUESTS, burst=options.searches),
        retry_policy=patience,
        cancel_many_fn=cancel_tasks,
        journal=journal,
        keys=None if journal is None else keys_of(client),
    )


def keys_of(client: PublishClient | AsyncClient) -> Keys:
    """What is done with keys: the service is asked about objects that are in doubt."""
    return Keys(NAMESPACE, find_fn=client.find, retry_failed=False)
