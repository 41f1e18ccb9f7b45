"""Makes requests to the service go wrong."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from math import inf

from aiohttp import web

from faults import Faults

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BURST = 0.2
"""How many seconds' worth of requests may come at once without being above the limit."""


class Bucket:
    """Lets ``rate`` requests through per second, or a few more at a time after a pause."""

    def __init__(self, rate: float) -> None:
        self._interval = 0.0 if rate == inf else 1 / rate
        self._slack = max(0.0, BURST - self._interval)
        self._next = -inf

    def take(self, now: float) -> bool:
        """Whether a request at ``now`` may pass."""
        if now < self._next - self._slack:
            return False
        self._next = max(self._next, now) + self._interval
        return True


class Trouble:
    """Does to requests what ``faults`` says, and tells ``note`` each time: "429", "500", "dropped" or "slow".

    Which request it hits depends on ``seed``, on what is asked for, and on how often that has been before.
    """

    def __init__(self, faults: Faults, seed: int, note: Callable[[str], None]) -> None:
        self._faults = faults
        self._seed = seed
        self._note = note
        self._attempts: Counter[str] = Counter()
        limits = {
            "publish": faults.publish_limit,
            "search": faults.search_limit,
            "cancel": faults.cancel_limit,
        }
        self._buckets = {name: Bucket(limit) for name, limit in limits.items()}

    @web.middleware
    async def meddle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A middleware: have ``handler`` answer, or not."""
        kind = (request.match_info.route.name or "").partition(".")[0]
        if kind not in self._buckets:
            return await handler(request)
        faults = self._faults
        if not self._buckets[kind].take(time.monotonic()):
            self._note("429")
            retry_after = {"Retry-After": str(faults.retry_after)}
            raise web.HTTPTooManyRequests(text="too many requests", headers=retry_after)

        what = f"{kind}/{request.match_info.get('object_id', '')}"
        self._attempts[what] += 1
        rng = random.Random(f"{self._seed}/{what}/{self._attempts[what]}")
        luck, late, slow = rng.random(), rng.random() < 0.5, rng.random() < faults.slow_rate
        if slow:
            self._note("slow")
            await asyncio.sleep(faults.slow)
        fault = None
        if luck < faults.error_rate:
            fault = "500"
        elif luck < faults.error_rate + faults.drop_rate:
            fault = "dropped"
        if fault is None:
            return await handler(request)
        if late:
            await handler(request)
        self._note(fault)
        if fault == "dropped" and request.transport is not None:
            request.transport.abort()
        raise web.HTTPInternalServerError(text="something went wrong")
