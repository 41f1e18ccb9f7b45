"""The states that poll functions report of tasks, as they are shown: not more than there is room for."""

from __future__ import annotations

from collections.abc import Mapping

__all__: list[str] = []

OTHER = "other"


def first_states(states: Mapping[str, int], most: int) -> dict[str, int]:
    """The first `most` of `states`, and the sum of what is beyond them as "other"."""
    shown: dict[str, int] = {}
    for state, count in states.items():
        name = state if state in shown or len(shown) < most else OTHER
        shown[name] = shown.get(name, 0) + count
    return shown
