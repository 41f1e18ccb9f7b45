"""A Dask cluster on this machine: a scheduler and its workers, each of them a process."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from child import Child

MEMBER = Path(__file__).with_name("member.py")


class Cluster:
    """A cluster with ``count`` workers, which write to the file ``log``; leaving the ``with`` block ends it.

    There is nobody who would start a worker again: one that is killed is lost, as if its machine were.
    ``addresses`` has those of all workers there have been. Raises ServiceError if one does not start.
    """

    def __init__(self, count: int, log: Path) -> None:
        self.addresses: list[str] = []
        self._log = log
        self._workers: list[Child] = []
        with ExitStack() as stack:
            self._scheduler = self._member(stack, "scheduler")
            news = self._scheduler.news()
            self.address: str = news["address"]
            self.dashboard: int | None = news["dashboard"]
            workers = [self._member(stack, "worker", self.address) for _ in range(count)]
            for worker in workers:
                self._enter(worker)
            self._stack = stack.pop_all()

    def kill_one(self) -> int:
        """Kill the first worker; returns its number, counted from 1."""
        self._workers[0].kill()
        return 1

    def add_one(self) -> int:
        """Add a worker, and return its number when it is there."""
        self._enter(self._member(self._stack, "worker", self.address))
        return len(self._workers)

    def number_of(self, address: str) -> int:
        """The number of the worker with this address; 0 if there is none."""
        return self.addresses.index(address) + 1 if address in self.addresses else 0

    def _member(self, stack: ExitStack, role: str, *arguments: str) -> Child:
        with self._log.open("a") as log:
            member = Child(role, str(MEMBER), role, *arguments, errors=log)
        stack.callback(member.end)
        return member

    def _enter(self, worker: Child) -> None:
        self.addresses.append(worker.news()["address"])
        self._workers.append(worker)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.ask_to_end()  # all at the same time
        self._stack.close()
