"""A Ctrl-C in the midst of a call of a rate limit, at whichever line: it goes on as if there had been none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic

import pytest
from interrupts_at_lines import at_each_line

from more_executors import RateLimit

MUCH_LATER = 1e5  # seconds

CALLS: dict[str, Callable[[RateLimit], object]] = {
    "take": lambda limit: limit.take(),
    "take in vain": lambda limit: limit.take() and limit.take(0.0001),
    "try_take": lambda limit: limit.try_take(),
    "throttled": lambda limit: limit.throttled(limit.clock()),
    "succeeded": lambda limit: (limit.throttled(0.0), limit.succeeded(1.0)),
}


@pytest.mark.parametrize("call", CALLS)
def test_others_can_take_afterwards(call: str) -> None:
    later = 0.0

    def clock() -> float:
        return monotonic() + later

    for interrupt in at_each_line():
        limit = RateLimit(0.001, clock=clock)
        interrupt.hits(partial(CALLS[call], limit))
        for take in (lambda limit=limit: limit.try_take() == 0, lambda limit=limit: limit.take(0)):
            later += MUCH_LATER
            assert take(), interrupt.line
