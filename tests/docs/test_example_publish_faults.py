"""The publish demo with everything going wrong at once, and each fault of its service by itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import CHILD_PATIENCE

from more_executors import RateLimit, StartInDoubt, Throttled

for package in ("aiohttp", "matplotlib", "rich"):
    pytest.importorskip(package)
requests = pytest.importorskip("requests")

from publish_support import DEMO, Service, modules_of_the_demo  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
KINDS = ("500", "dropped", "left out", "slow", "vanished")  # a slow machine does not get to too many requests


@pytest.mark.long
@pytest.mark.parametrize(
    "how", [pytest.param((), id="by threads"), pytest.param(("--async",), id="by coroutines", marks=pytest.mark.soak)]
)
def test_every_one_of_5000_tasks_is_accounted_for_while_everything_goes_wrong(
    tmp_path: Path, how: tuple[str, ...]
) -> None:
    picture = tmp_path / "publish.png"
    work = ("--faults", "--tasks=5000", "--duration=2", "--interval=0.2", "--publishes=5000", *how)
    options = (*work, f"--output={picture}")
    done = subprocess.run([sys.executable, str(DEMO), *options], capture_output=True, text=True, timeout=CHILD_PATIENCE)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    counts = {
        name: int(number.replace(",", "")) for name, number in re.findall(r"^  (\w+) +([\d,]+)", done.stdout, re.M)
    }
    assert counts["finished"] + counts["failed"] + counts["cancelled"] == counts["sum"] == 5000
    for kind in KINDS:
        assert re.search(rf"\b{kind}: [1-9]", done.stdout), done.stdout
    assert "killed and started again" in done.stdout
    assert "TaskMissing" in done.stdout
    assert "0 objects published twice\nevery future agrees with it" in done.stdout
    assert picture.read_bytes().startswith(PNG)


@pytest.mark.long
@pytest.mark.parametrize("seconds", [1.0, 2.5, 4.0])
def test_everything_is_cancelled_after_ctrl_c_while_everything_goes_wrong(tmp_path: Path, seconds: float) -> None:
    options = ("--faults", "--tasks=2000", "--duration=60", "--interval=0.2", f"--output={tmp_path / 'publish.png'}")
    command = [sys.executable, str(DEMO), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # only now is it certain that Python itself has started
        time.sleep(seconds)  # any moment will do
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert "0 objects published twice\nevery future agrees with it" in output


@pytest.fixture
def example() -> Iterator[Callable[[str], ModuleType]]:
    with modules_of_the_demo() as imported:
        yield imported


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with ExitStack() as stack:
        yield Service(tmp_path, stack)


def test_a_task_whose_start_was_not_answered_is_found_by_its_object(service: Service) -> None:
    service.start(error_rate=0.4, drop_rate=0.4)
    answered, unanswered = {}, []
    for number in range(40):
        try:
            answered[f"object-{number}"] = service.publish(f"object-{number}").json()["task_id"]
        except (requests.ConnectionError, KeyError):
            unanswered.append(f"object-{number}")
    service.kill()
    service.start()
    assert answered
    assert service.find(*answered) == answered
    tasks = {object_id: service.tasks(object_id) for object_id in unanswered}
    found = service.find(*unanswered)
    assert 0 < len(found) < len(unanswered)
    assert found == {object_id: task["task_id"] for object_id in tasks for task in tasks[object_id]}


def test_a_service_waits_until_the_one_before_has_ended(service: Service) -> None:
    service.start()
    task_id = service.publish("one").json()["task_id"]
    threading.Timer(0.3, service.kill).start()
    another = Service(service.ledger.parent, service.stack)
    another.start()
    assert another.find("one") == {"one": task_id}


def test_too_many_requests_are_told_when_to_come_back(service: Service) -> None:
    service.start(publish_limit=0.001, retry_after=7)
    assert service.publish("one").ok
    refused = service.publish("two")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert service.call("POST", "/tasks/search", json=[]).json() == []
    assert service.tasks("two") == []


def test_nobody_knows_a_task_that_has_vanished_but_the_books_do(service: Service, example: Any) -> None:
    service.start(vanish_rate=1.0)
    task_id = service.publish("one").json()["task_id"]
    service.kill()
    task = example("task")
    faults = example("faults").Faults(vanish_rate=1.0)
    fate = task.Fate.of("one", task.Settings(duration=60, faults=faults))
    entry = json.loads(service.ledger.read_text())
    entry[-1] -= fate.vanishes  # made so long ago that it has vanished by now
    service.ledger.write_text(f'{json.dumps(entry)}\n["task", "of this line nobody has been to')
    service.start(vanish_rate=1.0)

    assert [vanished["state"] for vanished in service.tasks("one")] == ["vanished"]
    assert service.call("POST", "/tasks/search", json=[task_id]).json() == []
    assert service.call("POST", "/tasks/cancel", json=[task_id]).json() == []
    assert service.find("one") == {}
    assert service.call("GET", f"/tasks/{task_id}").status_code == 404
    assert service.call("DELETE", f"/tasks/{task_id}").status_code == 404


def test_a_client_in_doubt_says_so_and_withdraws_what_there_is(service: Service, example: Any) -> None:
    client, patience = example("client"), example("patience")
    service.start(error_rate=1.0)
    hasty = patience.Patience(1, lambda: False)
    publisher = client.PublishClient(service.url, publish_limit=RateLimit(1000), patience=hasty, missing_after=0)
    names = [f"object-{number}" for number in range(10)]
    for name in names:
        with pytest.raises(StartInDoubt, match=name) as doubt:
            publisher.publish(name)
        assert str(doubt.value.__cause__) == "something went wrong"
    made = [name for name in names if service.tasks(name)]
    assert 0 < len(made) < 10

    service.kill()
    with pytest.raises(patience.UnavailableError, match="no answer: ConnectionError"):
        publisher.search(["x"])
    service.start()
    publisher.withdraw(names)
    assert [task["state"] for name in names for task in service.tasks(name)] == ["cancelled"] * len(made)
    assert service.find(*names) == {}
    publisher.close()


def test_a_client_told_to_come_back_keeps_its_limit_down(service: Service, example: Any) -> None:
    client, patience = example("client"), example("patience")
    service.start(publish_limit=0.001, retry_after=3)
    limit = RateLimit(1000, burst=10)
    publisher = client.PublishClient(service.url, publish_limit=limit, patience=patience.Patience(1, lambda: False))
    publisher.publish("one")
    with pytest.raises(Throttled) as throttled:
        publisher.publish("two")
    assert throttled.value.retry_after == 3
    assert limit.rate == 500
    assert limit.try_take() > 2
    publisher.close()


@pytest.mark.parametrize("faults", ["", "[]", '{"no such": 1}', '{"drop_rate": -1}', '{"drop_rate": "often"}'])
def test_wrong_faults_are_refused_in_one_line(faults: str) -> None:
    command = [sys.executable, str(DEMO / "service.py"), f"--faults={faults}"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=CHILD_PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("service.py: error: argument --faults: expected ")
    assert done.stderr.count("\n") == 1
