"""How many calls go to a service: see `RateLimit`."""

from ._limit import RateLimit, Throttled

__all__ = ["RateLimit", "Throttled"]
