"""What may be asked of a poll executor, checked."""

from __future__ import annotations

import sys
from typing import Any

from .._callables import check_callable, check_hook, check_method, check_optional_callable, is_async
from .._checks import check_optional, checked_count, checked_pause, checked_seconds, has_method, shown
from .._core import Backoff, RoundSpacing, threads_are_greenlets
from .._types import Cancel, CancelMany, GroupBy, Hook, Poll
from ..journal import Journal, JournalLike, Keys
from ..rate_limit import RateLimit
from ..retry import RetryPolicy, checked_policy

__all__: list[str] = []

# Where only what is due is polled, unless `min_interval` is given:
ROUNDS = 5  # in `default_interval`
MOST_ROUNDS = 50  # in it, while tasks have shorter delays
LONGEST_SPACING = 5.0  # seconds, of rounds
SHORTEST_SPACING = 0.1
SPACING_ONE_BY_ONE = 0.05  # at most, where a request is about one task, whatever else is due


class PollOptions:
    """The options of a `PollExecutor`. What they mean, and their defaults, are described there."""

    def __init__(
        self,
        *,
        poll_fn: Poll[Any, Any],
        cancel_fn: Cancel[Any],
        default_interval: float,
        min_interval: float | None,
        batch_size: int | None,
        group_by: GroupBy[Any],
        max_concurrency: int,
        rate_limit: RateLimit | None,
        retry_policy: RetryPolicy | None,
        schedule: Backoff | None,
        timeout: float | None,
        cancel_many_fn: CancelMany[Any],
        journal: JournalLike | None,
        keys: Keys | None,
        open_fn: Hook,
        close_fn: Hook,
        shares_loop: bool = False,
    ) -> None:
        """Check all of them, and convert numbers to what they are used as.

        `shares_loop` says that tasks are started on the event loop as well.

        Raises TypeError or ValueError, with the option's name and value, if one cannot be used.
        """
        check_callable("poll_fn", poll_fn, awaited=True)
        check_optional_callable("cancel_fn", cancel_fn, awaited=True)
        check_optional_callable("cancel_many_fn", cancel_many_fn, awaited=True, iterated=True)
        check_optional_callable("group_by", group_by)
        check_optional("keys", keys, Keys)
        if keys is not None and not isinstance(journal, Journal):
            raise ValueError(f"keys must be given with a Journal, which keeps them, not with {shown(journal)}")
        check_no_loop_is_needed(poll_fn=poll_fn, cancel_fn=cancel_fn, cancel_many_fn=cancel_many_fn)
        for what, hook in (("open_fn", open_fn), ("close_fn", close_fn)):
            check_hook(what, hook)
            if not shares_loop:
                check_hook_is_awaited(what, hook, poll_fn, cancel_fn, cancel_many_fn)
        check_optional("rate_limit", rate_limit, RateLimit)
        check_optional("schedule", schedule, Backoff)
        if schedule is not None:
            check_method("schedule", schedule, "delay")
        if journal is not None:
            check_journal(journal)
        self.poll_fn = poll_fn
        self.cancel_fn = cancel_fn
        self.cancel_many_fn = cancel_many_fn
        self.group_by = group_by
        self.open_fn = open_fn
        self.close_fn = close_fn
        self.rate_limit = rate_limit
        self.schedule = schedule
        self.retry_policy = None if retry_policy is None else checked_policy(retry_policy)
        self.journal = journal
        self.keys = Keys() if keys is None and isinstance(journal, Journal) else keys
        self.default_interval = checked_seconds("default_interval", default_interval)
        self.max_concurrency = checked_count("max_concurrency", max_concurrency)
        self.min_interval = None if min_interval is None else checked_pause("min_interval", min_interval)
        self.batch_size = None if batch_size is None else checked_count("batch_size", batch_size)
        self.timeout = None if timeout is None else checked_seconds("timeout", timeout)

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
    def longest_pause_in_bursts(self) -> float:
        """How many seconds tasks wait for each other at most that join one after the other. See `Bursts`."""
        gains_nothing = self.min_interval is not None or (self.is_paced and self.asks_one_by_one)
        return 0.0 if gains_nothing else self.default_interval

    @property
    def asks_one_by_one(self) -> bool:
        """Whether the poll function says that it makes a request for each task, so that none has to wait for others."""
        return getattr(self.poll_fn, "asks_one_by_one", False) is True

    @property
    def spacing(self) -> RoundSpacing:
        """How far apart rounds begin, where each task has a time of its own: see `min_interval` in `PollExecutor`."""
        if self.min_interval is not None:
            return RoundSpacing(self.min_interval, self.min_interval)
        interval = self.default_interval
        longest = SPACING_ONE_BY_ONE if self.asks_one_by_one else LONGEST_SPACING
        return RoundSpacing(min(interval / MOST_ROUNDS, SHORTEST_SPACING, longest), min(interval / ROUNDS, longest))


def check_journal(journal: object) -> None:
    """Raise TypeError unless `journal` is one."""
    for method in ("write", "outstanding"):
        if not has_method(journal, method):
            raise TypeError(f"journal must be a Journal, with a method {method}, not {shown(journal)}")
        check_method("journal", journal, method, iterated=method == "outstanding")


def check_hook_is_awaited(what: str, function: object, *awaited: object) -> None:
    """Raise ValueError if there is a `function`, and none of `awaited` is an `async def`."""
    if function is not None and not any(map(is_async, awaited)):
        which = "poll_fn, cancel_fn or cancel_many_fn is an async def"
        raise ValueError(f"{what} is awaited where one of {which}; none is, so {shown(function)} would not run")


def check_no_loop_is_needed(**functions: object) -> None:
    """Raise RuntimeError if one is an `async def`, where a thread of ours cannot have an event loop."""
    library = threads_are_greenlets()
    for what, function in functions.items():
        if library is not None and is_async(function):
            raise RuntimeError(
                f"{what} must not be an async def: {library} makes greenlets of threads, and only one of them could run"
                f" an event loop. Make {shown(function)} a plain function: where it waits, other greenlets go on"
            )
