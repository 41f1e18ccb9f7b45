"""A service that counts what it was asked to start, and programs that use it one after the other, with one journal."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE

from more_executors import PollExecutor, SyncExecutor
from more_executors._core import StartChange
from more_executors.journal import Journal, Keys, _begun_marks
from more_executors.journal._keys import text_of_key
from more_executors.journal._start_records import MEANT


class Service:
    """Its tasks end as soon as they are polled, unless it is slow; those in `failing` fail."""

    def __init__(self) -> None:
        self.starts: list[Any] = []
        self.is_slow = False
        self.failing: dict[Any, BaseException] = {}
        self.refusing: dict[Any, BaseException] = {}  # what starting raises
        self.results: dict[Any, Any] = {}
        self.cancelled: list[Any] = []

    def start(self, name: Any) -> dict[str, Any]:
        if name in self.refusing:
            raise self.refusing[name]
        self.starts.append(name)
        return {"id": name}

    def poll(self, descriptors: Sequence[Any]) -> None:
        for descriptor in descriptors:
            name = descriptor.result["id"]
            if self.is_slow:
                continue
            if name in self.failing:
                descriptor.yield_exception(self.failing[name])
            else:
                descriptor.yield_result(self.results.get(name, f"{name} is published"))

    def cancel(self, result: dict[str, Any]) -> bool:
        self.cancelled.append(result["id"])
        return True

    def forget(self) -> None:
        """Let go of errors, which refer to who raised them."""
        self.failing.clear()
        self.refusing.clear()

    @property
    def counts(self) -> Counter[Any]:
        return Counter(self.starts)


def wait_until(holds: Callable[[], bool]) -> None:
    """For a moment at most: without a GIL, a thread may see a future done just before all others are told."""
    until = time.monotonic() + 0.2
    while not holds() and time.monotonic() < until:
        threading.Event().wait(0.001)


def journal_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.endswith("-journal")}


class Program:
    """One run: an executor with a journal."""

    def __init__(
        self,
        path: Path,
        service: Service,
        keys: Keys | None = None,
        delegate: Executor | None = None,
        **options: Any,
    ) -> None:
        self.service = service
        self.journal = Journal(path)
        others = journal_threads()
        self.executor: PollExecutor[Any, Any, Any] = PollExecutor(
            SyncExecutor() if delegate is None else delegate,
            options.pop("poll_fn", service.poll),
            default_interval=options.pop("default_interval", 0.005),
            journal=self.journal,
            keys=keys,
            **options,
        )
        self._writers = journal_threads() - others
        self._is_over = False

    def publish(self, key: Any) -> Future[Any]:
        return self.executor.submit_once(key, self.service.start, key)

    def published(self, key: Any) -> Any:
        """The result of `key`, once the journal has been told as well."""
        try:
            return self.publish(key).result(PATIENCE)
        finally:
            book = self.executor._keyed_submits._book  # type: ignore[union-attr]
            wait_until(lambda: text_of_key(key) not in [start.text for start in list(book._starts.values())])

    def kill(self) -> None:
        """As far as that can be had in one process: nothing that happens from now on is recorded."""
        if not self._is_over:
            self.executor._end_with_interpreter()
            self.end()

    def end(self) -> None:
        self._is_over = True
        self.executor.shutdown()
        for writer in self._writers:  # which may still go on after `kill`, and so keep the file open
            writer.join(PATIENCE)
        self.journal.close()

    def states(self) -> dict[str, str]:
        """What is on record of each key."""
        assert self.executor.flush_journal(PATIENCE)
        rows = self.journal._file.select("SELECT key, state FROM starts ORDER BY number", ())
        return dict(rows)


def leave_in_doubt(path: Path, *keys: Any, namespace: str = "", token: str | None = None) -> None:
    """Have it on record that these were meant to be started, as a program was killed then."""
    with Journal(path) as journal:
        records = journal.start_records(namespace)
        first = records.first_free
        records.write(StartChange(first + i, text_of_key(key), MEANT, token) for i, key in enumerate(keys))


def copy_of(path: Path, name: str = "killed") -> Path:
    """A copy of what a program would leave that is killed now, in a folder of that name."""
    folder = path.parent / name
    folder.mkdir()
    for ending in ("", "-wal", "-begun"):  # in this order: if more is marked than there are rows, no harm is done
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(f"{path}{ending}", folder)
    return folder / path.name


@pytest.fixture(autouse=True)
def boot_id(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have it known which boot it is, also where the machine does not say so: as in a container without /proc."""
    file = tmp_path_factory.mktemp("boot") / "id"
    file.write_text("this one\n")
    monkeypatch.setattr(_begun_marks, "BOOT_ID", file)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.forget()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def run(path: Path, service: Service) -> Iterator[Callable[..., Program]]:
    """Begins a program; the one before is ended first."""
    programs: list[Program] = []

    def begin(**options: Any) -> Program:
        for program in programs:
            program.kill()
        programs.append(Program(path, service, **options))
        return programs[-1]

    yield begin
    while programs:
        programs.pop().kill()
