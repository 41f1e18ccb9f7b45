"""The README's programs run as they stand there; the second one can be killed at any time, and be run again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import CHILD_PATIENCE

for package in ("requests", "aiohttp"):
    pytest.importorskip(package)

from publish_fake import FakeService, fake_service  # noqa: E402

ROOT = Path(__file__).parents[2]
OBJECTS = [f"object-{number}" for number in range(100)]
ONCE_EACH = dict.fromkeys(OBJECTS, 1)
ALL_PUBLISHED = sorted(f"published by task-of-{name}" for name in OBJECTS)
WORKERS = 16
INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # it may have been ignored

only_posix = pytest.mark.skipif(sys.platform == "win32", reason="there, no other process can press Ctrl-C")


@pytest.fixture(params=[0, 1], ids=["the first program", "the second program"])
def which(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def fake() -> Iterator[FakeService]:
    with fake_service() as service:
        yield service


def start(which: int, url: str, folder: Path) -> subprocess.Popen[str]:
    """A program of the README, as a process in `folder`, with this service and these objects."""
    text = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[which]
    for name, value in (("SERVICE", repr(url)), ("OBJECTS", repr(OBJECTS))):
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1
    program = folder / "program.py"
    program.write_text(INTERRUPTIBLE + text, encoding="utf-8")
    return subprocess.Popen([sys.executable, "-u", str(program)], cwd=folder, text=True, stdout=subprocess.PIPE)


def run(which: int, url: str, folder: Path) -> list[str]:
    """What it prints when nothing disturbs it."""
    with start(which, url, folder) as process:
        output, _ = process.communicate(timeout=CHILD_PATIENCE)
    assert process.returncode == 0, output
    return output.splitlines()


def test_they_publish_every_object_of_the_demos_service(which: int, tmp_path: Path) -> None:
    service = str(ROOT / "examples" / "publish" / "service.py")
    command = [sys.executable, service, "--duration=0.3", "--failure-rate=0.2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            lines = run(which, f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}", tmp_path)
        finally:
            process.stdin.close()
            process.wait(CHILD_PATIENCE)
    assert len(lines) == len(OBJECTS)
    assert {line.split()[0] for line in lines} == {"failed:", "published"}


def test_a_search_that_fails_once_fails_no_future(which: int, fake: FakeService, tmp_path: Path) -> None:
    fake.state = "finished"
    fake.failing_searches = 1
    lines = run(which, fake.url, tmp_path)
    assert not [line for line in lines if "failed" in line]
    assert fake.failing_searches == 0
    assert fake.starts == ONCE_EACH


@pytest.mark.parametrize("moment", ["while tasks are started", "when all are started"])
def test_the_second_program_is_killed_and_run_again_and_starts_nothing_twice(
    fake: FakeService, tmp_path: Path, moment: str
) -> None:
    # 1. 40 tasks are started. Each thread of the pool asks for one more, and waits: so it is done with those before.
    #    Or all are started, and have been asked about. 2. The program is killed. 3. It is run again, to the end.
    while_starting = moment.startswith("while")
    if while_starting:
        fake.hold_after = 40
    with start(1, fake.url, tmp_path) as process:
        if while_starting:
            fake.wait_until(lambda: fake.held == WORKERS)  # 1
        else:
            fake.wait_until(lambda: len(fake.searched) == len(OBJECTS))  # 1
        process.kill()  # 2
        process.wait(CHILD_PATIENCE)
    fake.let_go(start=False)
    assert sum(fake.starts.values()) == (40 if while_starting else len(OBJECTS))

    fake.hold_after, fake.state = float("inf"), "finished"
    assert sorted(run(1, fake.url, tmp_path)) == ALL_PUBLISHED  # 3
    assert fake.starts == ONCE_EACH
    assert len(fake.asked_for) >= (WORKERS if while_starting else 0)

    fake.searched.clear()
    fake.asked_for.clear()
    assert sorted(run(1, fake.url, tmp_path)) == ALL_PUBLISHED
    assert fake.starts == ONCE_EACH
    assert not fake.searched
    assert not fake.asked_for


@only_posix
def test_ctrl_c_cancels_all_tasks_of_the_first_program(fake: FakeService, tmp_path: Path) -> None:
    # 1. 40 tasks are started, and the threads of the pool wait for 16 more. 2. Ctrl-C: those that are started are
    # cancelled. 3. The others are started all the same. 4. They are cancelled, too.
    fake.hold_after = 40
    with start(0, fake.url, tmp_path) as process:
        fake.wait_until(lambda: fake.held == WORKERS)  # 1
        process.send_signal(signal.SIGINT)  # 2
        fake.wait_until(lambda: len(fake.cancelled) == 40)
        fake.let_go(start=True)  # 3
        output, _ = process.communicate(timeout=CHILD_PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert output.splitlines() == ["Ctrl-C: cancelling all tasks"]
    assert fake.cancelled == {f"task-of-{name}" for name in fake.starts}  # 4
    assert len(fake.cancelled) >= 40 + WORKERS


@only_posix
def test_ctrl_c_leaves_the_tasks_of_the_second_program_to_the_next_run(fake: FakeService, tmp_path: Path) -> None:
    # 1. 40 tasks are started, and the threads of the pool wait for 16 more. 2. Ctrl-C. 3. Those are started all the
    # same. 4. The next run waits for all of them, and starts the others.
    fake.hold_after = 40
    with start(1, fake.url, tmp_path) as process:
        assert process.stdout is not None
        fake.wait_until(lambda: fake.held == WORKERS)  # 1
        process.send_signal(signal.SIGINT)  # 2
        assert process.stdout.readline().startswith("Ctrl-C: ")
        fake.let_go(start=True)  # 3
        output, _ = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, output) == (-signal.SIGINT, "")
    assert sum(fake.starts.values()) >= 40 + WORKERS
    assert not fake.cancelled

    fake.hold_after, fake.state = float("inf"), "finished"
    assert sorted(run(1, fake.url, tmp_path)) == ALL_PUBLISHED  # 4
    assert fake.starts == ONCE_EACH
