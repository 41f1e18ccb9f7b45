"""The keywords of a `PollExecutor`, for the `with_poll` methods as well: type checkers alone need this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypedDict

from .._types import E

if TYPE_CHECKING:
    from .._core import Backoff
    from .._types import CancelMany, GroupBy, Hook
    from ..journal import JournalLike, Keys
    from ..rate_limit import RateLimit
    from ..retry import RetryPolicy

__all__: list[str] = []

if TYPE_CHECKING:  # in Python 3.10, a TypedDict cannot be generic

    class PollKeywords(TypedDict, Generic[E], total=False):
        """The keywords for polling at high volume; an E is the `result` of a descriptor."""

        min_interval: float | None
        batch_size: int | None
        group_by: GroupBy[E]
        max_concurrency: int
        rate_limit: RateLimit | None
        retry_policy: RetryPolicy | None
        schedule: Backoff | None
        timeout: float | None
        cancel_many_fn: CancelMany[E]
        journal: JournalLike | None
        keys: Keys | None
        open_fn: Hook
        close_fn: Hook
