"""The options of a ShardedPollExecutor, for the methods that hand them on: what they mean is said there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from ...journal import JournalLike, Keys
from ...rate_limit import RateLimit

__all__: list[str] = []


class ShardOptions(TypedDict, total=False):
    """All that have a default, and are given by keyword."""

    shards: int | None
    group_by: Callable[..., Any] | None
    lease: float
    timeout: float
    patience: float
    rate_limit: RateLimit | None
    journal: JournalLike | None
    keys: Keys | None
