"""What a rate limit checks its arguments with."""

from __future__ import annotations

from math import inf, nan

from .._checks import checked_count, checked_number, real_number, shown

__all__: list[str] = []

MOST_AT_ONCE = 10**15  # calls


def checked_time(began: object) -> float:
    """`began` as a float. Raises TypeError if it is no number, ValueError if it is NaN."""
    time = real_number("began", began)
    if time != time:
        raise ValueError(f"began must be a time of the clock, not {shown(began)}")
    return time


def checked_pause(seconds: object) -> float:
    """`seconds` as a float. Raises TypeError if it is no number, ValueError if there is no such time."""
    pause = checked_number("retry_after", seconds)
    if pause == inf:
        raise ValueError(f"retry_after must be a time that ends, not {shown(seconds)}")
    return pause


def checked_rate(calls: object, per: object) -> float:
    """`calls / per`. Raises TypeError if one is no number, ValueError if that is no rate."""
    rate = checked_number("calls", calls) / (checked_number("per", per) or nan)
    if not 1e-12 < rate < 1e12:
        raise ValueError(f"calls / per must be between 1e-12 and 1e12 calls/s, not {shown(calls)} / {shown(per)}")
    return rate


def checked_burst(burst: object) -> int:
    """`burst` as an int. Raises TypeError if it is none, ValueError if it is no number of calls to be made at once."""
    most = checked_count("burst", burst)
    if most > MOST_AT_ONCE:
        raise ValueError(f"burst must be 1 to {MOST_AT_ONCE}, not {shown(burst)}")
    return most
