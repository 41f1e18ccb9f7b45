"""Which worker gets a call."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import echo, wait_for, wait_until
from support import PATIENCE

from more_executors.dask import DaskExecutor


def test_no_call_waits_behind_another_while_a_worker_is_idle(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comes back while the thread that sends is at something else, and two are submitted then."""
    calls = [str(tmp_path / f"call-{number}") for number in range(4)]

    def begun(numbers: slice) -> bool:
        return all(Path(call).exists() for call in calls[numbers])

    def release(numbers: slice) -> None:
        for call in calls[numbers]:
            Path(f"{call}.go").touch()

    with DaskExecutor(client) as executor:
        dispatcher = executor._dispatcher
        workers = dispatcher._workers
        monkeypatch.setattr(dispatcher._size, "takes_long", lambda: False)  # whatever these calls do
        wait_until(lambda: executor.submit(echo).result(PATIENCE) == [] and workers.threads() == 2)
        wait_until(lambda: not any(worker.packs for worker in workers._all.values()))
        futures = [executor.submit(wait_for, call) for call in calls[:2]]
        wait_until(lambda: begun(slice(2)))
        release(slice(1))  # that of the worker which is preferred when both are idle
        wait_until(lambda: [len(worker.packs) for worker in workers._all.values()] == [0, 1])

        look, is_looking, goes_on = dispatcher._look, threading.Event(), threading.Event()

        def look_once() -> None:
            monkeypatch.setattr(dispatcher, "_look", look)
            is_looking.set()
            assert goes_on.wait(PATIENCE)

        try:
            monkeypatch.setattr(dispatcher, "_look", look_once)
            dispatcher._waker.set()
            assert is_looking.wait(PATIENCE)
            release(slice(2))
            assert futures[1].result(PATIENCE)
            futures += [executor.submit(wait_for, call) for call in calls[2:]]
            goes_on.set()
            wait_until(lambda: begun(slice(4)))
        finally:
            goes_on.set()
            release(slice(4))
        assert [future.result(PATIENCE) for future in futures] == calls
