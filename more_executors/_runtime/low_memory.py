"""Waiting until there may be memory again."""

from __future__ import annotations

from time import sleep

__all__: list[str] = []

SECONDS_WITHOUT_MEMORY = 0.05


def pause(seconds: float) -> None:
    """Sleep for so many seconds, or not if even that fails."""
    try:
        sleep(seconds)
    except BaseException:
        return
