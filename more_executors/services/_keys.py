"""Keys of a journal as keys of a dict."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, cast

__all__: list[str] = []


def hashable(key: Any) -> Hashable:
    """`key` with tuples instead of lists, at any depth."""
    if isinstance(key, (list, tuple)):
        return tuple(hashable(part) for part in cast("list[Any]", key))
    return cast("Hashable", key)
