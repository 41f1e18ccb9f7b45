"""What a client and a shard say to each other about the shard's share of a rate limit."""

from __future__ import annotations

from typing import NamedTuple

__all__: list[str] = []


class Share(NamedTuple):
    """How often a shard may call the service from now on. Those with a higher `version` are later ones.

    `epoch` is how often the client has lowered the limit because the service throttled calls; `pause` for how many
    seconds there is to be no call.
    """

    version: int
    rate: float  # calls/s; 0.0 is none
    burst: int
    epoch: int
    pause: float


class ShareReport(NamedTuple):
    """What has become of calls, since the share was one of this `epoch`; `version` is the share that is in force.

    `successes` are those that succeeded while the share was what held calls back, and `works` says whether any has.
    `pause` is for how many seconds the service wants no calls yet, and `pauses` how often it has asked for any.
    """

    version: int
    epoch: int
    works: bool
    successes: int
    is_throttled: bool
    pauses: int
    pause: float
