"""A rate limit that all shards have together: who gets which share of it.

Guarantees:

* What shards may call adds up to no more than the limit, at any moment, once those that are to have less have said that
  they do: others get more only then.
* The share of a lost shard is nobody's until that has certainly ended: for three leases since it was heard last.
* A call that is throttled lowers the limit for all, and once for all calls that began before they knew.
"""

from __future__ import annotations

from functools import partial
from math import inf

from ...rate_limit import RateLimit
from ._link import Link, State
from ._share import Share, ShareReport

__all__: list[str] = []

SECONDS_BETWEEN_LOOKS = 1.0  # at how many tasks each has
LEAST_PART = 0.05  # of the limit, that is shared out evenly: so none waits for a share when tasks come
WORTH_A_MESSAGE = 0.2  # of a share, that it changes by
WORTH_MESSAGES = 0.02  # of all shares together
EXACT = 1 - 1e-9  # of the limit: for what is lost in sums of floats
MOST_SUCCESSES = 10_000  # of a report, that raise the rate


class Shares:
    """For one thread at a time."""

    def __init__(self, limit: RateLimit | None, links: list[Link], lease: float) -> None:
        self._limit = limit
        self._links = links
        self._lease = lease
        self._owed: list[tuple[float, float]] = []  # until when what lost shards may call is taken, and how much it is
        self._targets: dict[Link, float] = {}  # for each that is open
        self._look_at = -inf
        self._epoch = 0
        self._epoch_began = -inf  # by the clock of the limit
        self._pause_until = -inf

    @property
    def are_limited(self) -> bool:
        return self._limit is not None

    def change(self) -> None:
        """Share out anew: the limit, or which shards there are, has changed."""
        self._look_at = -inf

    def lose(self, link: Link) -> None:
        """The generation of `link` is lost, and may go on for now."""
        if link.grant.most > 0.0:
            self._owed.append((link.heard_at + 3 * self._lease, link.grant.most))
        self.change()

    def step(self, now: float) -> float:
        """Have shards told what they may call; returns when to look again."""
        limit = self._limit
        if limit is None:
            return inf
        if any(until <= now for until, _ in self._owed):
            self._owed = [owed for owed in self._owed if owed[0] > now]
            self.change()
        if now >= self._look_at:
            self._look_at = now + SECONDS_BETWEEN_LOOKS
            self._share_out(limit.rate)
        self._raise(limit.rate)
        return min([self._look_at, *(until for until, _ in self._owed)])

    def share_of(self, link: Link, now: float) -> Share | None:
        """What to tell `link`."""
        if self._limit is None:
            return None
        rate = link.grant.rate
        burst = max(1, int(self._limit.burst * rate / self._limit.limit))
        return Share(link.grant.version, rate, burst, self._epoch, max(0.0, self._pause_until - now))

    def heard(self, link: Link, report: ShareReport | None, now: float) -> None:
        """`link` has said this."""
        limit, grant = self._limit, link.grant
        if limit is None or report is None:
            return
        grant.acknowledge(report.version)
        pause = report.pause if report.pauses > grant.pauses else 0.0
        grant.pauses = max(grant.pauses, report.pauses)
        if report.epoch == self._epoch:
            if report.works:
                count = min(grant.new_successes(report), MOST_SUCCESSES)
                limit._do(partial(rise, limit, count, self._epoch_began, limit.clock()))
            if report.is_throttled:
                self._fall(limit)
        if pause > 0.0:
            self._pause(limit, now, pause)

    def _fall(self, limit: RateLimit) -> None:
        self._epoch += 1
        self._epoch_began = limit.clock()
        limit.throttled(self._epoch_began)
        self._tell_all()
        self.change()

    def _pause(self, limit: RateLimit, now: float, seconds: float) -> None:
        self._pause_until = max(self._pause_until, now + seconds)
        limit.throttled(-inf, seconds)  # an old call: it lowers nothing
        self._tell_all()

    def _tell_all(self) -> None:
        for link in self._open():
            link.grant.set(link.grant.rate)

    def _open(self) -> list[Link]:
        return [link for link in self._links if link.state in (State.OPEN, State.STOPPING)]

    def _taken(self) -> float:
        """What lost shards may call yet."""
        return sum(rate for _, rate in self._owed)

    def _share_out(self, rate: float) -> None:
        """Lower those that are to have less, and remember who is to have more."""
        found = self._open()
        pool = max(0.0, EXACT * rate - self._taken())
        targets = self._divided(pool, found)
        now = sum(link.grant.rate for link in found)
        if abs(sum(targets.values()) - now) <= WORTH_MESSAGES * pool and not any(
            abs(target - link.grant.rate) > WORTH_A_MESSAGE * target for link, target in targets.items()
        ):
            return
        self._targets = targets
        for link, target in targets.items():
            if target < link.grant.rate:
                link.grant.set(target)

    def _divided(self, pool: float, links: list[Link]) -> dict[Link, float]:
        """What each is to have: most of it goes by how many tasks they have; those that stop need none."""
        loads = {link: link.load() for link in links if link.state is State.OPEN}
        total = sum(loads.values())
        least = (LEAST_PART if total else 1.0) * pool
        targets = dict.fromkeys(links, 0.0)
        for link, load in loads.items():
            targets[link] = least / len(loads) + (pool - least) * load / (total or 1)
        return targets

    def _raise(self, rate: float) -> None:
        """Give those that are to have more what nobody else may have now: first to those that have least of it."""
        to_raise = [
            (link.grant.rate / target, link.index, target)
            for link, target in self._targets.items()
            if link.state is State.OPEN and target > link.grant.rate
        ]
        if not to_raise:
            return
        left = EXACT * rate - self._taken() - sum(link.grant.most for link in self._open())
        for _, index, target in sorted(to_raise):
            grant = self._links[index].grant
            more = max(0.0, target - grant.most)
            if more > left + (1 - EXACT) * rate / 2:
                target = grant.most + left
                more = left
                if left < WORTH_A_MESSAGE * (target - left):
                    continue
            grant.set(target)
            left -= more


def rise(limit: RateLimit, count: int, since: float, now: float) -> None:
    """Note that calls that began after `since` have succeeded: so many while the limit was what held them back."""
    limit._ceiling.works(since)
    for _ in range(count):
        if limit._rate >= limit._limit:
            break
        limit._change(now, limit._ceiling.rise(limit._rate))
    limit._wake_first()
