"""Tasks with keys: meant, started, done, and all of that on disk, in processor time of all threads.

The reference is the same with a journal, without keys. What starts tasks does nothing, on a pool of 16 threads.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from more_executors import Executors, Journal

from .measuring import Bench
from .rows import OURS
from .volume_rows import KEYED, NO_KEYS

ROUNDS = 3


def start(name: str) -> str:
    return name


def resolve_all(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


def seconds_each(path: Path, count: int, keyed: bool) -> float:
    names = [f"object-{number}" for number in range(count)]
    with Journal(path) as journal:
        executor = Executors.thread_pool(16).with_poll(resolve_all, default_interval=0.05, journal=journal)
        with executor:
            began = time.process_time()
            if keyed:
                futures = executor.submit_many_once(start, names)
            else:
                futures = [executor.submit(start, name) for name in names]
            for future in futures:
                future.result()
            assert executor.flush_journal()
            return (time.process_time() - began) / count


@pytest.mark.parametrize(("who", "keyed"), [(OURS, True), (NO_KEYS, False)])
def test_keys(bench: Bench, tmp_path: Path, who: str, keyed: bool) -> None:
    count = bench.size(50_000)
    paths = (tmp_path / f"{number}.db" for number in range(100))
    bench.value(KEYED, who, lambda: min(seconds_each(next(paths), count, keyed) for _ in range(ROUNDS)))
