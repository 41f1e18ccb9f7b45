"""Whether the accounting database has got all that the controller has for it."""

from __future__ import annotations

import re

from ._commands import Commands

__all__: list[str] = []

WAITING = re.compile(r"^\s*DBD Agent queue size:\s*([0-9]+)", re.MULTILINE)


def records_wait(commands: Commands) -> bool:
    """Whether records still wait, as the database is away or slow; or may do, as the controller does not answer.

    Where users may not ask that, none are taken to wait.
    """
    try:
        done = commands.ended("sdiag")
    except TimeoutError:
        return True
    if done.returncode:
        return not any(word in done.stderr.lower() for word in ("denied", "permission", "privilege"))
    found = WAITING.search(done.stdout)
    return found is not None and int(found[1]) > 0
