"""The publish demo as its users run it: a process with options, output, an exit code and Ctrl-C."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from support import CHILD_PATIENCE, PATIENCE

from more_executors import RateLimit, TaskMissing

for package in ("aiohttp", "matplotlib", "rich"):
    pytest.importorskip(package)
requests = pytest.importorskip("requests")

DEMO = Path(__file__).parents[2] / "examples" / "publish"
PNG = b"\x89PNG\r\n\x1a\n"
COUNT = re.compile(r"^  (finished|failed|cancelled|never submitted|sum) +([\d,]+)", re.MULTILINE)


def start(*options: str) -> subprocess.Popen[str]:
    """The demo in a process group of its own. Its service inherits stderr, which thus ends after both did."""
    return subprocess.Popen(
        [sys.executable, str(DEMO), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
    )


def counts(output: str, tasks: int) -> dict[str, int]:
    """The counts of the summary, which have to add up to ``tasks``."""
    found = {name: int(number.replace(",", "")) for name, number in COUNT.findall(output)}
    assert len(found) == 5, output
    assert found.pop("sum") == sum(found.values()) == tasks
    return found


@pytest.mark.parametrize("how", [(), ("--async",)], ids=["by threads", "by coroutines"])
def test_publishes_everything(tmp_path: Path, how: tuple[str, ...]) -> None:
    picture = tmp_path / "publish.png"
    rates = ("--failure-rate=0.2", "--reject-rate=0.05", "--cancel-rate=0.2")
    process = start("--tasks=400", "--duration=1", "--interval=0.2", *rates, *how, f"--output={picture}")
    output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, errors) == (0, "")
    found = counts(output, 400)
    assert found["never submitted"] == 0
    assert found["finished"] > 200
    assert found["failed"] > 40
    assert found["cancelled"] > 0
    assert "disk full" in output
    assert "the object is locked" in output
    assert picture.read_bytes().startswith(PNG)
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.parametrize(("seconds", "times"), [(0.0, 1), (0.0, 2), (0.2, 1), (1.0, 1), (1.0, 2), (3.0, 1)])
def test_interrupted(tmp_path: Path, seconds: float, times: int) -> None:
    process = start("--tasks=2000", "--duration=60", f"--output={tmp_path / 'publish.png'}")
    assert process.stdout is not None
    process.stdout.readline()  # Only now is it certain that Python itself has started.
    time.sleep(seconds)
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
    output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, errors) == (130, "interrupted\n")
    found = counts(output, 2000)
    assert found["finished"] == 0
    assert found["cancelled"] + found["never submitted"] > 1900
    assert "every future agrees with it" in output or times > 1
    assert list(tmp_path.iterdir()) == []


def test_interrupted_while_the_service_starts(tmp_path: Path) -> None:
    script = """
import os, signal, sys, threading, time
sys.path.insert(0, sys.argv[1])
from interrupts import Interrupts
interrupts = Interrupts()
interrupts.install()
from options import parse
from service_process import ServiceProcess

def press_ctrl_c():
    while True:
        os.killpg(0, signal.SIGINT)
        time.sleep(0.0001)

threading.Thread(target=press_ctrl_c, daemon=True).start()
options = parse(["--output=" + sys.argv[2]])
for _ in range(10):
    with ServiceProcess(options, options.output.with_name("ledger")) as service:
        assert service.running
interrupts.ignore()
print(interrupts.count > 10)
"""
    command = [sys.executable, "-c", script, str(DEMO), str(tmp_path / "publish.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_PATIENCE, start_new_session=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_killed(tmp_path: Path) -> None:
    process = start("--tasks=2000", "--duration=60", f"--output={tmp_path / 'publish.png'}")
    time.sleep(2.0)
    process.kill()
    process.communicate(timeout=CHILD_PATIENCE)


@pytest.mark.parametrize(
    "options",
    [
        ("--tasks", "0"),
        ("--tasks", "many"),
        ("--workers", "-1"),
        ("--failure-rate", "1.5"),
        ("--batch-size", "0"),
        ("--publishes", "0"),
        ("--searches", "0"),
        ("--cancel-rate", "nan"),
        ("--duration", "-1"),
        ("--interval", "0"),
        ("--port", "65536"),
        ("--cluster", "1"),
        ("--output", "publish.txt"),
        ("--output", "no/such/folder/publish.png"),
    ],
)
def test_wrong_value(options: tuple[str, str]) -> None:
    process = start(*options)
    output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, output) == (2, "")
    assert errors.startswith(f"publish: error: argument {options[0]}: ")
    assert errors.count("\n") == 1


@pytest.fixture
def service() -> Iterator[str]:
    command = [sys.executable, str(DEMO / "service.py"), "--duration=60"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        process.stdin.close()
        assert process.wait(CHILD_PATIENCE) == 0


def test_service(service: str) -> None:
    def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = requests.request(method, service + path, data=body, timeout=PATIENCE)
        return response.status_code, response.json()

    _, answer = call("POST", "/object/one/publish")
    task_id = answer["task_id"]
    running = {"task_id": task_id, "state": "running"}
    assert call("GET", f"/tasks/{task_id}") == (200, running)
    assert call("POST", "/tasks/search", json.dumps([task_id, "unknown"])) == (200, [running])
    found = {"object_id": "one", "task_id": task_id}
    assert call("POST", "/tasks/find", json.dumps(["one", "unknown"])) == (200, [found])
    assert call("DELETE", f"/tasks/{task_id}") == (200, {"task_id": task_id, "cancelled": True})
    assert call("DELETE", f"/tasks/{task_id}") == (200, {"task_id": task_id, "cancelled": False})
    assert call("GET", f"/tasks/{task_id}")[1]["state"] == "cancelled"
    assert call("GET", "/tasks/unknown") == (404, {"error": "no such task"})
    assert call("DELETE", "/tasks/unknown") == (404, {"error": "no such task"})
    assert call("POST", "/object/a%20b/publish")[0] == 400
    for body in ("", "{", "{}", "[1]", "[" * 100_000, json.dumps(["x"] * 10_001)):
        assert call("POST", "/tasks/search", body)[0] == call("POST", "/tasks/find", body)[0] == 400


class JournalWriter:
    """A descriptor that notes how it was resolved."""

    def __init__(self, result: str) -> None:
        self.result = result
        self.outcome: Any = None

    def yield_result(self, value: Any = None) -> None:
        self.outcome = value

    def yield_exception(self, exc: Exception) -> None:
        self.outcome = exc


def test_client(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DEMO))
    module = importlib.import_module("client")
    patience = module.Patience(1, lambda: False)
    client = module.PublishClient(service, publish_limit=RateLimit(1000), patience=patience, missing_after=0)
    ids = [client.publish(name) for name in "abcd"]
    assert client.find(["a", "x", "c"]) == {"a": ids[0], "c": ids[2]}
    running, one, two, three, unknown = (JournalWriter(task_id) for task_id in (*ids, "x"))
    assert client.cancel_task(one.result) is True
    assert client.cancel_task(unknown.result) is False
    assert client.cancel_tasks([two.result, one.result, "x", three.result]) == [True, False, False, True]

    with monkeypatch.context() as broken:
        broken.setattr(client, "_url", "http://127.0.0.1:1")
        with pytest.raises(module.UnavailableError, match="no answer"):
            client.poll([running, one, unknown])
        assert client.cancel_tasks([running.result]) == [False]
        with pytest.raises(module.NotSentError, match="no answer"):
            client.publish("e")
    assert [running.outcome, one.outcome, unknown.outcome] == [None, None, None]
    assert client.find(["a", "b"]) == {"a": ids[0]}  # the other one is cancelled

    client.poll([running, one, unknown])
    assert running.outcome is None
    assert isinstance(one.outcome, CancelledError)
    assert isinstance(unknown.outcome, TaskMissing)
    client.close()
