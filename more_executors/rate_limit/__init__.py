"""How many calls go to a service: see `RateLimit`."""

from ._limit import RateLimit
from ._throttled import Throttled

__all__ = ["RateLimit", "Throttled"]
