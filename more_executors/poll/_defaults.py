"""Poll functions that say how they are best called: by a method `poll_options`, as those of services have one."""

from __future__ import annotations

from typing import Any

from ..journal import Journal, Keys

__all__: list[str] = []

DEFAULT_INTERVAL = float("5")  # seconds: an object of its own, so that it is seen whether 5.0 was given


def with_its_options(
    poll_fn: Any, cancel_fn: Any, default_interval: float, options: dict[str, Any]
) -> tuple[Any, Any, float, dict[str, Any]]:
    """The arguments of a `PollExecutor`: those given, and the others as `poll_fn` says.

    What is given as None is none, as without a `poll_fn` that says anything: it takes away what that says.

    Raises what its `poll_options` raises.
    """
    if not callable(getattr(poll_fn, "poll_options", None)):
        return poll_fn, cancel_fn, default_interval, options
    is_limited = options.get("rate_limit") is not None
    best: dict[str, Any] = poll_fn.poll_options(is_limited=is_limited)
    find_fn = best.pop("find_fn", None)
    interval = best.pop("default_interval", DEFAULT_INTERVAL)
    if default_interval is not DEFAULT_INTERVAL:
        interval = default_interval
    if cancel_fn is not None:
        best.pop("cancel_many_fn", None)  # which would cancel otherwise than this one
    cancels = best.pop("cancel_fn", None)
    merged = {**best, **options}
    if find_fn is not None and isinstance(options.get("journal"), Journal):
        merged.setdefault("keys", Keys(find_fn=find_fn))
    return merged.pop("poll_fn", poll_fn), cancels if cancel_fn is None else cancel_fn, interval, merged
