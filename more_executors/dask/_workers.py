"""What is known of the workers of a cluster, and which of them gets the next pack."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

__all__: list[str] = []

WAITING_ON_WORKER = 2  # packs for each thread, unless calls take long
MADE_ON_WORKER = 1  # packs more for each thread, whose outcomes are on the way here, and take memory there


class Worker:
    """A worker, as long as the scheduler has it. Another one may come at its address, and be taken for it at first."""

    def __init__(self, address: str, facts: Mapping[str, Any]) -> None:
        threads: int = facts["nthreads"]
        self.address = address
        self.known_by = known_by(facts)
        self.ident = ""  # what it says itself
        self.threads = threads
        self.is_fit: bool | None = None  # None until it is known whether it has this library
        self.takes_tasks = True  # it is neither paused nor about to go
        self.packs: set[str] = set()  # that were sent to it, and whose outcomes are not here
        self.unmade: set[str] = set()  # of those
        self.has_suspect = False  # which may kill it, and so is to be alone

    def room(self, takes_long: bool) -> int:
        """How many packs more it gets."""
        if not (self.is_fit and self.takes_tasks) or self.has_suspect:
            return 0
        packs = self.threads * (1 if takes_long else WAITING_ON_WORKER)
        return min(packs - len(self.unmade), packs + self.threads * MADE_ON_WORKER - len(self.packs))

    def add(self, pack: str) -> None:
        """`pack` is sent to it."""
        self.packs.add(pack)
        self.unmade.add(pack)

    def made(self, pack: str) -> None:
        """It is done with `pack`, whose outcome it has yet."""
        self.unmade.discard(pack)

    def back(self, pack: str) -> None:
        """`pack` is on it no more."""
        self.packs.discard(pack)
        self.unmade.discard(pack)
        if not self.packs:
            self.has_suspect = False


def known_by(facts: Mapping[str, Any]) -> tuple[object, object]:
    """What the scheduler says of a worker that it does not say of another at its address: each has a folder."""
    return facts.get("id"), facts.get("local_directory")


class Workers:
    """For one thread at a time."""

    def __init__(self) -> None:
        self._all: dict[str, Worker] = {}
        self.why_unfit = ""

    def update(self, found: Mapping[str, Mapping[str, Any]]) -> tuple[list[Worker], list[Worker]]:
        """Take over what the scheduler says; returns those that are new, and those that are gone."""
        gone = [worker for address, worker in self._all.items() if known_by(found.get(address, {})) != worker.known_by]
        for worker in gone:
            del self._all[worker.address]
        new: list[Worker] = []
        for address, facts in found.items():
            if address not in self._all:
                self._all[address] = worker = Worker(address, facts)
                new.append(worker)
            self._all[address].takes_tasks = facts.get("status", "running") == "running"
        return new, gone

    def clear(self) -> None:
        """Forget all of them."""
        self._all = {}

    def __len__(self) -> int:
        return len(self._all)

    def threads(self) -> int:
        """How many there are on all that get packs."""
        return sum(worker.threads for worker in self._all.values() if worker.is_fit and worker.takes_tasks)

    def are_all_unfit(self) -> bool:
        """Whether there are workers, and none of them has this library."""
        return bool(self._all) and all(worker.is_fit is False for worker in self._all.values())

    def with_most_room(self, takes_long: bool) -> Worker | None:
        """Who gets the next pack; None if all have enough."""
        best = max(self._all.values(), key=lambda worker: worker.room(takes_long) / worker.threads, default=None)
        return best if best is not None and best.room(takes_long) > 0 else None

    def for_suspect(self, busy: Container[Worker]) -> Worker | None:
        """One that is not `busy`, for a pack that may kill it; if there is none, one is kept from getting more."""
        fit = [worker for worker in self._all.values() if worker.is_fit and worker.takes_tasks]
        for worker in fit:
            if worker not in busy:
                worker.has_suspect = True
                return worker
        if fit and not any(worker.has_suspect for worker in fit):
            min(fit, key=lambda worker: len(worker.packs)).has_suspect = True
        return None
