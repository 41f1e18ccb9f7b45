"""Keeping tasks on record, and watching them."""

# pyright: strict

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from more_executors import Executors, Journal, PollDescriptor
from more_executors.journal import JSON, Codec, JournalLike
from more_executors.progress import as_completed, progress

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def start(job: str) -> int:
    return len(job)


def poll(descriptors: list[PollDescriptor[int, str]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(f"{descriptor.result}")


class Text:
    """A codec of one's own."""

    def encode(self, value: Any) -> str:
        return json.dumps(value)

    def decode(self, encoded: str | bytes) -> Any:
        return json.loads(encoded)


def recorded(path: Path) -> None:
    codec: Codec = Text()
    with Journal(path, codec=codec) as journal:
        assert_type(journal, Journal)
        assert_type(len(journal), int)
        journal.write([(1, 5)], [])
        recording: JournalLike = journal
        with Executors.sync().with_poll(poll, journal=recording) as executor:
            for result, future in executor.resume():
                assert_type(result, int)
                assert_type(future, Future[str])
                assert future.result(timeout=10) == f"{result}"
            assert_type(executor.flush_journal(), bool)
        assert_type(journal.outstanding(), Iterator[tuple[int, Any]])
    Journal(str(path), codec=JSON).close()


def shown() -> None:  # not called: tqdm need not be there
    with Executors.sync().with_poll(poll) as executor, progress(executor, total=2, unit="job"):
        futures = [executor.submit(start, job) for job in ("one", "three")]
        with progress(futures, desc="starting", interval=1) as bar:
            bar.refresh()
        for future in as_completed(futures, timeout=10, desc="starting"):
            assert_type(future, Future[str])


def main() -> None:
    if find_spec("_sqlite3") is not None:
        with TemporaryDirectory() as directory:
            recorded(Path(directory, "tasks.db"))
