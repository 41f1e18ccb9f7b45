"""What may go wrong with the service, and how often."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Any, cast


@dataclass(frozen=True)
class Faults:
    """What goes wrong. Limits are in requests per second, times in seconds, rates are shares.

    A request above the limit of its kind gets a 429, which asks for ``retry_after``. ``error_rate`` is the
    share of requests that are answered with a 500, ``drop_rate`` of those whose connection is closed instead
    of an answer: one half before the request has done anything, the other half after. ``slow_rate`` is the
    share of requests that take ``slow`` longer. Searches leave out a share ``hide_rate`` of all tasks for
    ``hidden_for``, once, and a share ``vanish_rate`` for good, from some moment on before they have ended;
    then nothing else knows them, either.
    """

    publish_limit: float = inf
    search_limit: float = inf
    cancel_limit: float = inf
    retry_after: int = 1
    error_rate: float = 0.0
    drop_rate: float = 0.0
    slow_rate: float = 0.0
    slow: float = 0.0
    hide_rate: float = 0.0
    hidden_for: float = 0.0
    vanish_rate: float = 0.0

    def as_argument(self) -> str:
        """The value of an option, which ``parse_faults`` reads."""
        return json.dumps(asdict(self))


NO_FAULTS = Faults()
ALL_FAULTS = Faults(
    publish_limit=700,
    search_limit=40,
    cancel_limit=100,
    error_rate=0.02,
    drop_rate=0.02,
    slow_rate=0.005,
    slow=2.0,
    hide_rate=0.02,
    hidden_for=2.0,
    vanish_rate=0.01,
)
"""Everything at once."""


def parse_faults(text: str) -> Faults:
    """The type of ``Faults`` for argparse: a JSON object with some of its fields."""
    names = {field.name for field in fields(Faults)}
    try:
        loaded = json.loads(text)
    except ValueError:
        loaded = None
    values = cast("dict[str, Any]", loaded if isinstance(loaded, dict) else {"": None})
    if not values.keys() <= names:
        raise ArgumentTypeError(
            f"expected a JSON object with keys of {', '.join(sorted(names))}, not {text!r}"
        )
    for name, value in values.items():
        if not isinstance(value, (int, float)) or not value >= 0:
            raise ArgumentTypeError(f"expected a number, 0 or more, as {name}, not {value!r}")
    return Faults(**values)
