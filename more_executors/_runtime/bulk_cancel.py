"""Cancelling many futures at once: at shutdown, or a list of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from .._checks import iterated, shown
from .._core import cancel_many, log

__all__: list[str] = []


def cancel_in_bulk(futures: list[Any], logger: logging.Logger) -> int:
    """`cancel()` for each, in bulk where that can be; returns how many are cancelled then.

    A Ctrl-C comes out, as the one it was but without what it went through, after one line in the log that says how far
    it was.
    """
    try:
        return cancel_many(futures, logger)
    except KeyboardInterrupt as interrupt:
        left = sum(not future.done() for future in futures)
        log(logger, logging.WARNING, "interrupted while cancelling: %d of %d are not done", left, len(futures))
        raise interrupt.with_traceback(None) from None
    finally:
        del futures


def checked_futures(futures: Iterable[Future[Any]]) -> list[Future[Any]]:
    """A list of `futures`, an iterable. Raises TypeError if something in it is no future."""
    found = list(iterated("futures", futures, "futures"))
    for future in found:
        if not isinstance(future, Future):
            raise TypeError(f"futures must be futures that the executor gave, not {shown(future)}")
    return found
