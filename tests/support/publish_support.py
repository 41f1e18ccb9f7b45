"""What the tests of the publish demo share: its service as a process, and its modules."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import PATIENCE

requests = pytest.importorskip("requests")
DEMO = Path(__file__).parents[2] / "examples" / "publish"


@contextmanager
def modules_of_the_demo() -> Iterator[Callable[[str], ModuleType]]:
    """Imports modules of the demo, which are forgotten afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(DEMO))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(DEMO))
        for name in set(sys.modules) - before:
            if str(DEMO) in (getattr(sys.modules[name], "__file__", None) or ""):
                del sys.modules[name]


class Service:
    """A service process with some faults, which can be killed and started again."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.ledger = folder / "ledger"
        self._command = [sys.executable, str(DEMO / "service.py"), "--duration=60", f"--state={self.ledger}"]
        self.stack = stack
        self._port = 0
        self.session = stack.enter_context(requests.Session())

    def start(self, **faults: float) -> None:
        command = [*self._command, f"--port={self._port}", f"--faults={json.dumps(faults)}"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process = self.stack.enter_context(process)
        self.stack.callback(process.kill)
        assert process.stdout is not None
        self._port = json.loads(process.stdout.readline())["port"]
        self.url = f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def call(self, method: str, path: str, **details: Any) -> Any:
        return self.session.request(method, self.url + path, timeout=PATIENCE, **details)

    def publish(self, object_id: str) -> Any:
        return self.call("POST", f"/object/{object_id}/publish")

    def find(self, *object_ids: str) -> dict[str, str]:
        found = self.call("POST", "/tasks/find", json=object_ids).json()
        return {task["object_id"]: task["task_id"] for task in found}

    def tasks(self, object_id: str) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = self.call("GET", "/books").json()["objects"].get(object_id, [])
        return tasks
