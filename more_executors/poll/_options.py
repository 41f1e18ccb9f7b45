"""What may be asked of a poll executor, checked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .._callables import check_callable, check_method, check_optional_callable, is_async
from .._checks import check_optional, checked_count, checked_pause, checked_seconds, has_method, shown
from .._core import Backoff, threads_are_greenlets
from ..journal import JournalLike
from ..rate_limit import RateLimit
from ..retry import RetryPolicy, checked_policy
from ._call import Tasks

__all__: list[str] = []

ROUNDS_PER_INTERVAL = 50  # at most, unless `min_interval` says otherwise


@dataclass(frozen=True, kw_only=True)
class PollOptions:
    """What a `PollExecutor` was asked for: see there for what each option means.

    All of them are checked, and numbers are converted to what they are used as, when this is made. Raises TypeError or
    ValueError, with the option's name and value, if one cannot be used.
    """

    poll_fn: Callable[[Tasks], Any]
    cancel_fn: Callable[[Any], Any] | None = None
    default_interval: float = 5.0
    min_interval: float | None = None
    batch_size: int | None = None
    group_by: Callable[[Any], Any] | None = None
    max_concurrency: int = 1
    rate_limit: RateLimit | None = None
    retry_policy: RetryPolicy | None = None
    schedule: Backoff | None = None
    timeout: float | None = None
    cancel_many_fn: Callable[[list[Any]], Any] | None = None
    journal: JournalLike | None = None
    open_fn: Callable[[], Coroutine[Any, Any, object]] | None = None
    close_fn: Callable[[], Coroutine[Any, Any, object]] | None = None

    def __post_init__(self) -> None:
        check_callable("poll_fn", self.poll_fn, awaited=True)
        check_optional_callable("cancel_fn", self.cancel_fn, awaited=True)
        check_optional_callable("cancel_many_fn", self.cancel_many_fn, awaited=True, iterated=True)
        check_optional_callable("group_by", self.group_by)
        check_no_loop_is_needed(poll_fn=self.poll_fn, cancel_fn=self.cancel_fn, cancel_many_fn=self.cancel_many_fn)
        self._check_hook("open_fn", self.open_fn)
        self._check_hook("close_fn", self.close_fn)
        check_optional("rate_limit", self.rate_limit, RateLimit)
        check_optional("schedule", self.schedule, Backoff)
        if self.schedule is not None:
            check_method("schedule", self.schedule, "delay")
        if self.retry_policy is not None:
            checked_policy(self.retry_policy)
        if self.journal is not None:
            check_journal(self.journal)
        self._convert("default_interval", checked_seconds)
        self._convert("max_concurrency", checked_count)
        self._convert("min_interval", checked_pause, optional=True)
        self._convert("batch_size", checked_count, optional=True)
        self._convert("timeout", checked_seconds, optional=True)

    def _convert(self, what: str, checked: Callable[[str, object], float], optional: bool = False) -> None:
        value = getattr(self, what)
        if not (optional and value is None):
            object.__setattr__(self, what, checked(what, value))

    def _check_hook(self, what: str, function: object) -> None:
        if function is None:
            return
        check_callable(what, function, awaited=True)
        if not is_async(function):
            raise TypeError(f"{what} must be an async def, not {shown(function)}")
        if not any(map(is_async, (self.poll_fn, self.cancel_fn, self.cancel_many_fn))):
            which = "poll_fn, cancel_fn or cancel_many_fn is an async def"
            raise ValueError(f"{what} is awaited where one of {which}; none is, so {shown(function)} would not run")

    @property
    def is_paced(self) -> bool:
        """Whether each task has a time of its own: one of the options that need that was given."""
        wanted = (self.batch_size, self.group_by, self.rate_limit, self.schedule)
        return self.max_concurrency > 1 or is_async(self.poll_fn) or any(option is not None for option in wanted)

    @property
    def most_in_a_call(self) -> int:
        """`batch_size`, or as many as there can be."""
        return sys.maxsize if self.batch_size is None else self.batch_size

    @property
    def seconds_between_rounds(self) -> float:
        """`min_interval`, or what it is by default: see `PollExecutor`."""
        if self.min_interval is not None:
            return self.min_interval
        return min(self.default_interval / ROUNDS_PER_INTERVAL, 0.1) if self.is_paced else 0.0


def check_journal(journal: object) -> None:
    """Raise TypeError unless `journal` is one."""
    for method in ("write", "outstanding"):
        if not has_method(journal, method):
            raise TypeError(f"journal must be a Journal, with a method {method}, not {shown(journal)}")
        check_method("journal", journal, method, iterated=method == "outstanding")


def check_no_loop_is_needed(**functions: object) -> None:
    """Raise RuntimeError if one is an `async def`, where a thread of ours cannot have an event loop."""
    library = threads_are_greenlets()
    for what, function in functions.items():
        if library is not None and is_async(function):
            raise RuntimeError(
                f"{what} must not be an async def: {library} makes greenlets of threads, and only one of them could run"
                f" an event loop. Make {shown(function)} a plain function: where it waits, other greenlets go on"
            )
