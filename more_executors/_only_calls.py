"""Whether an executor awaits what it is given, as those do that have an event loop, or only calls it."""

from __future__ import annotations

from concurrent import futures

from ._pools import ProcessPoolExecutor, ThreadPoolExecutor
from .cancel_on_shutdown import CancelOnShutdownExecutor
from .retry import RetryExecutor
from .sync import SyncExecutor
from .throttle import ThrottleExecutor
from .timeout import TimeoutExecutor

__all__: list[str] = []

POOLS = (futures.ThreadPoolExecutor, futures.ProcessPoolExecutor, ThreadPoolExecutor, ProcessPoolExecutor, SyncExecutor)
LAYERS = (RetryExecutor, ThrottleExecutor, TimeoutExecutor, CancelOnShutdownExecutor)  # hand results on as they are


def only_calls(executor: object) -> bool:
    """Whether a coroutine comes out of `executor` as it went in. False where that cannot be told."""
    submit = getattr(type(executor), "submit", None)
    if any(submit is layer.submit for layer in LAYERS):
        return only_calls(executor._delegate)  # type: ignore[attr-defined]
    return any(submit is pool.submit for pool in POOLS)
