"""Argument types for argparse that say in one line what a value has to be."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Print ``message`` on stderr and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """The type of an integer of at least ``low`` and, where given, at most ``high``."""
    bounds = f"at least {low}" if high is None else f"from {low} to {high}"

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"expected a whole number, {bounds}, not {text!r}")
        return value

    return convert


def rate(text: str) -> float:
    """The type of a probability, 0 to 1."""
    value = _float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a rate from 0 to 1, not {text!r}")
    return value


def seconds(text: str) -> float:
    """The type of a time in seconds, 0 or more and finite."""
    value = _float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, 0 or more, not {text!r}")
    return value


def positive_seconds(text: str) -> float:
    """The type of a time in seconds, more than 0 and finite."""
    value = _float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, more than 0, not {text!r}")
    return value


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
