"""What was on record before an executor was made, until somebody has been given all of it.

Guarantees:

* Of any number of threads that want it, one at a time has it, and once it was given away nobody has.
* Whoever has it may be interrupted anywhere: what is given back is all there, and can be had again.
"""

from __future__ import annotations

import logging
import reprlib
from typing import Any, cast

from .._checks import iterated, shown
from .._core import log
from ._journal import JournalLike, Unreadable

__all__: list[str] = []


class Recovery:
    """The entries that a journal had before this executor: keys, and the values at the same places."""

    def __init__(self, entries: list[tuple[int, Any]]) -> None:
        self.keys = [key for key, _ in entries]
        self.values = [value for _, value in entries]
        self._claimants: dict[str, object] = {}

    def claim(self, claimant: object) -> bool:
        """Claim the entries. Returns False if another claimant has them; then until that gives them back."""
        return self._claimants.setdefault("", claimant) is claimant

    def give_back(self, claimant: object, keys: list[int], values: list[Any]) -> None:
        """End the claim of `claimant`: another one may claim these entries."""
        self.keys, self.values = keys, values
        self._claimants.pop("", None)

    def is_claimed_by(self, claimant: object) -> bool:
        """Whether `claimant` has the entries."""
        return self._claimants.get("") is claimant


def entries_of(journal: JournalLike) -> list[tuple[int, Any]]:
    """All pairs of a key and a value in `journal`. Raises TypeError if it has anything else."""
    found = journal.outstanding()
    what = f"what outstanding() of the journal {shown(journal)} returns"
    entries = list(iterated(what, found, "pairs of an int and a value"))
    for entry in entries:
        if not is_entry(entry):
            raise TypeError(f"{what} must be an iterable of pairs of an int and a value, not of {shown(entry)}")
    return entries


def is_entry(entry: object) -> bool:
    """Whether `entry` is a pair of an int and a value."""
    return isinstance(entry, tuple) and len(cast("tuple[object, ...]", entry)) == 2 and isinstance(entry[0], int)


def readable(on_record: list[tuple[int, Any]], journal: object, logger: logging.Logger) -> list[tuple[int, Any]]:
    """Those entries of `on_record` that could be decoded. Logs one of the others, and their number."""
    found = [entry for entry in on_record if not isinstance(entry[1], Unreadable)]
    if count := len(on_record) - len(found):
        key, unreadable = next(entry for entry in on_record if isinstance(entry[1], Unreadable))
        message = "%d values in %r cannot be decoded, and stay there; the first is that of task %d: %s"
        log(logger, logging.ERROR, message, count, journal, key, type(unreadable.error).__name__)
        message = "what is on record of task %d is %s"
        log(logger, logging.DEBUG, message, key, reprlib.repr(unreadable.encoded), error=unreadable.error)
    return found
