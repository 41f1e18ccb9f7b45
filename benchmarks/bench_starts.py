"""Starting tasks on the demo's HTTP service, which has a process of its own: by coroutines, and by threads.

The reference is `Executors.thread_pool(16)` with `requests`, a session for each thread, as in the README. In wall time,
and in processor time of this process, which makes the requests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest

from more_executors import Executors

from .measuring import Bench
from .rows import BY_THREADS, OURS, STARTS, STARTS_CPU

for package in ("aiohttp", "requests"):
    pytest.importorskip(package)

import aiohttp  # noqa: E402
import requests  # noqa: E402

SERVICE = Path(os.environ["BENCH_TREE"], "examples", "publish", "service.py")
WORKERS = 16
AT_ONCE = 100  # requests: more do not make such a service faster

Figures = tuple[float, float]  # seconds for each task: of the clock, and of processors


@contextmanager
def service() -> Iterator[str]:
    """The URL of a service; it ends with its input."""
    command = [sys.executable, str(SERVICE), "--duration=3600"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        finally:
            process.stdin.close()


def timed(run: Callable[[], object], count: int) -> Figures:
    began, began_work = time.perf_counter(), time.process_time()
    run()
    return (time.perf_counter() - began) / count, (time.process_time() - began_work) / count


@lru_cache
def by_coroutines(count: int) -> Figures:
    with service() as url:

        async def opened() -> None:
            connector = aiohttp.TCPConnector(limit=AT_ONCE)
            sessions.append(aiohttp.ClientSession(connector=connector))

        async def closed() -> None:
            await sessions[0].close()

        async def start(number: int) -> str:
            async with sessions[0].post(f"{url}/object/object-{number}/publish") as response:
                return str((await response.json())["task_id"])

        def run() -> None:
            with Executors.event_loop(AT_ONCE, open_fn=opened, close_fn=closed) as executor:
                futures = [executor.submit(start, number) for number in range(count)]
                assert len({future.result() for future in futures}) == count

        sessions: list[aiohttp.ClientSession] = []
        return timed(run, count)


@lru_cache
def by_threads(count: int) -> Figures:
    with service() as url:

        def start(number: int) -> str:
            if not hasattr(local, "session"):
                local.session = requests.Session()
                local.session.trust_env = False  # a local service needs no proxy; looking for one is slow
                sessions.append(local.session)
            return str(local.session.post(f"{url}/object/object-{number}/publish", timeout=60).json()["task_id"])

        def run() -> None:
            with Executors.thread_pool(WORKERS) as executor:
                futures = [executor.submit(start, number) for number in range(count)]
                assert len({future.result() for future in futures}) == count

        sessions: list[requests.Session] = []
        local = threading.local()
        try:
            return timed(run, count)
        finally:
            for session in sessions:
                session.close()


@pytest.mark.parametrize(("who", "measured"), [(OURS, by_coroutines), (BY_THREADS, by_threads)])
@pytest.mark.parametrize(("row", "which"), [(STARTS, 0), (STARTS_CPU, 1)])
def test_starts(bench: Bench, row: object, which: int, who: str, measured: Callable[[int], Figures]) -> None:
    count = bench.size(50_000)
    bench.value(row, who, lambda: measured(count)[which])  # type: ignore[arg-type]
