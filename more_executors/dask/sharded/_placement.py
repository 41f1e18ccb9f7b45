"""Which workers there are for shards, and which of them gets the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._workers import known_by

__all__: list[str] = []


class Place:
    """A worker, as long as the scheduler has it."""

    def __init__(self, address: str, facts: Mapping[str, Any]) -> None:
        self.address = address
        self.known_by = known_by(facts)
        self.is_leaving = False
        self.why_unfit: BaseException | None = None
        self.is_silent = False  # it has not answered, and the scheduler has not heard it since
        self.last_seen = facts.get("last_seen")  # by the scheduler
        self.shards = 0


class Placement:
    """For one thread at a time."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._drained: set[tuple[str, object]] = set()  # workers that are to have no shards: where, and known by what

    def update(self, found: Mapping[str, Mapping[str, Any]]) -> list[Place]:
        """Take over what the scheduler says of its workers; returns those that are gone."""
        self._drained.intersection_update((address, known_by(facts)) for address, facts in found.items())
        return self._update(found)

    def clear(self) -> list[Place]:
        """There are none that are known any more; returns those that were."""
        return self._update({})

    def _update(self, found: Mapping[str, Mapping[str, Any]]) -> list[Place]:
        gone = [place for address, place in self._places.items() if known_by(found.get(address, {})) != place.known_by]
        for place in gone:
            del self._places[place.address]
        for address, facts in found.items():
            place = self._places.setdefault(address, Place(address, facts))
            if place.last_seen != facts.get("last_seen"):
                place.last_seen = facts.get("last_seen")
                place.is_silent = False
            is_drained = (address, place.known_by) in self._drained
            place.is_leaving = is_drained or facts.get("status", "running") not in ("running", "paused")
        return gone

    def drain(self, address: str) -> Place | None:
        """Have no shards on the worker at `address`, as long as it is there; returns it, None if there is none."""
        place = self._places.get(address)
        if place is not None:
            self._drained.add((address, place.known_by))
            place.is_leaving = True
        return place

    def fit(self) -> list[Place]:
        """Those that may have shards."""
        return [place for place in self._places.values() if place.why_unfit is None and not place.is_leaving]

    def choose(self) -> Place | None:
        """The one with the fewest shards, of those that answer."""
        return min(self.fit(), key=lambda place: (place.is_silent, place.shards), default=None)

    def overloaded(self) -> Place | None:
        """One that has two shards more than another: that could have one of them."""
        fit = [place for place in self.fit() if not place.is_silent]
        most = max(fit, key=lambda place: place.shards, default=None)
        return most if most is not None and most.shards >= 2 + min(place.shards for place in fit) else None

    def why_none(self) -> BaseException | None:
        """Why no worker can have shards, if there are workers."""
        errors = [place.why_unfit for place in self._places.values()]
        return errors[0] if errors and all(errors) else None

    def __len__(self) -> int:
        return len(self._places)
