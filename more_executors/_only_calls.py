"""Whether an executor awaits what it is given, as those do that have an event loop, or only calls it."""

from __future__ import annotations

from concurrent import futures
from typing import Any, TypeAlias

from .cancel_on_shutdown import CancelOnShutdownExecutor
from .pools import ProcessPoolExecutor, ThreadPoolExecutor
from .retry import RetryExecutor
from .sync import SyncExecutor
from .throttle import ThrottleExecutor
from .timeout import TimeoutExecutor

__all__: list[str] = []

Kinds: TypeAlias = tuple[type[Any], ...]

POOLS: Kinds = (
    *(futures.ThreadPoolExecutor, futures.ProcessPoolExecutor),
    *(ThreadPoolExecutor, ProcessPoolExecutor, SyncExecutor),
)
# These leave results as they are.
LAYERS: Kinds = (RetryExecutor, ThrottleExecutor, TimeoutExecutor, CancelOnShutdownExecutor)


def only_calls(executor: object) -> bool:
    """Whether `executor` only calls functions and awaits nothing that they return. False if that is not known."""
    for kind in (*LAYERS, *POOLS):
        if isinstance(executor, kind) and getattr(type(executor), "submit", None) is kind.submit:
            return kind in POOLS or only_calls(getattr(executor, "_delegate", None))
    return False
