"""How long to wait after a failure that no function of the user's is to blame for, such as a lack of memory."""

from __future__ import annotations

from time import sleep

__all__: list[str] = []

SECONDS_WITHOUT_MEMORY = 0.05
SECONDS_AFTER_ERROR = 1.0


def pause(seconds: float) -> None:
    """Sleep for so many seconds, or not if even that fails."""
    try:
        sleep(seconds)
    except BaseException:
        return
