"""A cluster for all tests of a module that do it no harm, and a client of it.

Both end with the module: a client has threads, which tests of other folders would meet in the same process.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

if not getattr(sys, "_is_gil_enabled", lambda: True)():
    # Dask's profiler looks at the frames of threads that run meanwhile, which without a GIL ends workers now and then.
    os.environ.setdefault("DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED", "False")  # before Dask is imported

with suppress(ImportError):
    from dask_support import Cluster, cluster_of
    from shard_support import Books, FakeWorkers, Gate, fake_workers, new_books, new_gate


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_of(tmp_path_factory.mktemp("cluster"), 2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(cluster: Cluster) -> Iterator[Any]:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        future = client.submit(int)
        future.result(60)
        called = threading.Event()
        future.add_done_callback(lambda _: called.set())  # by a thread of Dask's that stays
        assert called.wait(60)
        del future
        yield client


@pytest.fixture
def books() -> Books:
    """A service that tasks of shards are started on."""
    return new_books()


@pytest.fixture
def workers() -> Iterator[FakeWorkers]:
    """Two for shards, which are in this process."""
    with fake_workers() as workers:
        yield workers


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Holds what the start functions of `shard_support` do."""
    gate = new_gate()
    yield gate
    gate.go.set()
