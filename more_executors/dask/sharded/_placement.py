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
        self._drained: set[str] = set()  # addresses of workers that are to have no shards

    def update(self, found: Mapping[str, Mapping[str, Any]]) -> list[Place]:
        """Take over what the scheduler says of its workers; returns those that are gone."""
        gone = [place for address, place in self._places.items() if known_by(found.get(address, {})) != place.known_by]
        for place in gone:
            del self._places[place.address]
        for address, facts in found.items():
            place = self._places.setdefault(address, Place(address, facts))
            if place.last_seen != facts.get("last_seen"):
                place.last_seen = facts.get("last_seen")
                place.is_silent = False
            place.is_leaving = facts.get("status", "running") not in ("running", "paused") or address in self._drained
        return gone

    def clear(self) -> list[Place]:
        """There are none any more; returns those that were."""
        return self.update({})

    def drain(self, address: str) -> bool:
        """Have no shards at `address`; whether there is such a worker."""
        self._drained.add(address)
        if address in self._places:
            self._places[address].is_leaving = True
        return address in self._places

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
