"""The chain of executors for a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._callables import is_async
from .._checks import checked_count, shown
from .._types import Log
from ._service import Service

if TYPE_CHECKING:
    from .._runtime.delegate import Delegate
    from ..executors import Executors
    from ..poll import PollExecutor

__all__: list[str] = []


def chain_for(
    makers: type[Executors],
    service: Any,
    delegate: Delegate | None,
    logger: Log,
    name: str,
    options: dict[str, Any],
) -> PollExecutor[Any, Any, Any]:
    """See `Executors.for_service`."""
    given: Any = service
    starts: Any = getattr(given, "start", None)
    if not isinstance(service, Service):
        raise TypeError(f"service must be a Service, not {shown(service)}")
    for theirs in ("poll_fn", "cancel_fn"):
        if theirs in options:
            raise TypeError(f"{theirs} is the service's: give with_poll other functions, not {shown(options[theirs])}")
    made: Any = delegate
    if delegate is None:
        most = checked_count("start_concurrency", given.start_concurrency)
        made = makers.event_loop(most, logger, name) if is_async(starts) else makers.thread_pool(most, name=name)
        made = makers.with_retry(made, given.start_policy(), logger, name)
    try:
        return makers.with_poll(made, given, logger=logger, name=name, **options)
    except BaseException:
        if delegate is None:
            made.shutdown()
        raise
