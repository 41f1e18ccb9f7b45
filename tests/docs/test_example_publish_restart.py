"""The publish demo is killed, and run again: it publishes what is left, and nothing twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import CHILD_PATIENCE, PATIENCE

for package in ("aiohttp", "matplotlib", "requests", "rich"):
    pytest.importorskip(package)

from publish_support import DEMO, modules_of_the_demo  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
FOUND = re.compile(r"^run (\d+): ([\d,]+) done, ([\d,]+) going on, ([\d,]+) in doubt, ([\d,]+) new$", re.M)
SUBMITTED, FINISHED, POLLED = 1, 2, 5  # their places in a sample


class Demo:
    """A demo that publishes few objects in a folder of its own, run after run."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.picture = folder / "publish.png"
        self.state = folder / "publish.state"
        self._runs = 0
        self._command = [sys.executable, str(DEMO), "--interval=0.2", f"--output={self.picture}", *options]

    def start(self) -> subprocess.Popen[str]:
        self._runs += 1
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        return subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
            start_new_session=True,
        )

    def _last_sample(self) -> list[float]:
        """That of the run that goes on."""
        file = self.state / "runs"
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        entries = [json.loads(line) for line in lines]
        samples: list[list[float]] = [[0.0] * 6]
        if sum("began" in entry for entry in entries) == self._runs:
            samples += entries[-1].get("samples", ())
        return samples[-1]

    def wait_until(self, process: subprocess.Popen[str], reached: Callable[[list[float]], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not reached(self._last_sample()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.02)

    def kill_when(self, reached: Callable[[list[float]], bool]) -> None:
        process = self.start()
        self.wait_until(process, reached)
        process.kill()
        process.communicate(timeout=CHILD_PATIENCE)  # the service, which has the same stderr, ends as well
        assert self.state.exists()
        assert not self.picture.exists()

    def finish(self) -> str:
        process = self.start()
        output, errors = process.communicate(timeout=CHILD_PATIENCE)
        assert (process.returncode, errors) == (0, ""), output
        assert "0 objects published twice\nevery future agrees with it" in output
        assert self.picture.read_bytes().startswith(PNG)
        assert not self.state.exists()
        return output


def found_by(run: int, output: str) -> list[int]:
    """How many objects it has found done, going on, in doubt, and new."""
    match = FOUND.search(output)
    assert match is not None, output
    assert int(match[1]) == run
    said = match[0].partition(": ")[2]
    assert f"when it began: {said}\n" in output
    return [int(number.replace(",", "")) for number in match.groups()[1:]]


def sum_of(output: str) -> int:
    match = re.search(r"^  sum +([\d,]+)$", output, re.M)
    assert match is not None, output
    return int(match[1].replace(",", ""))


KINDS = [(), ("--faults", "--async"), pytest.param(("--cluster=2",), marks=[pytest.mark.long, pytest.mark.soak])]


@pytest.mark.parametrize("kind", KINDS, ids="".join)
def test_what_was_killed_in_the_middle_is_finished_by_the_next_run(tmp_path: Path, kind: tuple[str, ...]) -> None:
    demo = Demo(tmp_path, "--tasks=600", "--duration=1", "--publishes=120", *kind)
    demo.kill_when(lambda sample: sample[FINISHED] >= 50 and sample[POLLED] >= 50)
    output = demo.finish()
    done, going_on, in_doubt, new = found_by(2, output)
    left = in_doubt + new if "--cluster=2" in kind else new  # shards are asked for all of these at once
    assert min(done, going_on, left) > 0, output
    assert done + going_on + in_doubt + new == sum_of(output) == 600


def test_starts_that_were_in_doubt_are_asked_about(tmp_path: Path) -> None:
    # Requests take a long time here, so that there always are some without an answer.
    demo = Demo(tmp_path, "--tasks=60", "--duration=1", "--latency=0.6", "--cancel-rate=0")
    for _ in range(2):
        demo.kill_when(lambda sample: sample[SUBMITTED] > sample[POLLED] > 0)
    output = demo.finish()
    done, going_on, in_doubt, new = found_by(3, output)
    assert in_doubt > 0
    assert done + going_on + in_doubt + new == 60
    assert f"of {in_doubt} objects in doubt, the service had tasks for " in output


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs a system that tells of child processes")
def test_what_a_service_was_doing_that_was_killed_is_finished_by_the_next_run(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--tasks=600", "--duration=1", "--publishes=250")
    process = demo.start()
    demo.wait_until(process, lambda sample: sample[FINISHED] >= 50 and sample[POLLED] >= 50)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert process.returncode == 1
    assert errors.endswith("publish: error: the service ended too early; run this again to go on\n")
    assert "  never submitted        0\n" in output
    output = demo.finish()
    done, going_on, in_doubt, new = found_by(2, output)
    assert done >= 50
    assert going_on > 0
    assert done + going_on + in_doubt + new == sum_of(output) == 600


def test_a_picture_that_could_not_be_written_is_drawn_by_the_next_run(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--tasks=20", "--duration=0.1", "--failure-rate=0.5", "--cancel-rate=0")
    process = demo.start()
    demo.wait_until(process, lambda sample: sample[SUBMITTED] > 0)
    demo.picture.mkdir()
    output, errors = process.communicate(timeout=CHILD_PATIENCE)
    assert (process.returncode, errors[:30]) == (1, "publish: error: cannot write '"), output
    demo.picture.rmdir()
    assert found_by(2, demo.finish()) == [20, 0, 0, 0]


@pytest.fixture
def example() -> Iterator[Callable[[str], ModuleType]]:
    with modules_of_the_demo() as imported:
        yield imported


@pytest.fixture
def state_of(example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    parse, state = example("options").parse, example("state").State
    return lambda *options: state(parse(list(options)))


def begun(state: Any, example: Any) -> Any:
    state.runs.begin(example("runs").Run(1000.0))
    return state


def test_the_folder_is_for_runs_with_the_same_options(state_of: Any, example: Any) -> None:
    error = example("state").StateError
    state_of("--tasks=8").close()  # there was no run
    begun(state_of("--tasks=9", "--workers=3"), example).close()
    state = state_of("--tasks=9")
    with pytest.raises(error, match=r"'publish.state' is in use by a run that goes on"):
        state_of("--tasks=9")
    state.close()
    with pytest.raises(error, match=r"'publish.state' is of a run .* with tasks=9, not 10: .* with --fresh"):
        state_of("--tasks=10")
    begun(state_of("--tasks=10", "--fresh"), example).close()
    state = state_of("--tasks=10")
    assert len(state.runs.runs) == 1
    state.remove()
    assert not Path("publish.state").exists()
    state_of().close()


def test_a_folder_of_somebody_else_is_left_alone(state_of: Any, example: Any) -> None:
    error = example("state").StateError
    Path("mine").mkdir()
    Path("mine", "thesis.txt").write_text("To be or not")
    for more in ((), ("--fresh",)):
        with pytest.raises(error, match=r"'mine' is no folder of this program: 'thesis.txt' is in it"):
            state_of("--state=mine", *more)
    assert [path.name for path in Path("mine").iterdir()] == ["thesis.txt"]
    with pytest.raises(error, match=r"cannot use 'mine/thesis.txt'"):
        state_of("--state=mine/thesis.txt")


@pytest.mark.parametrize("name", ["options", "runs"])
def test_a_damaged_folder_is_refused_in_one_line(state_of: Any, example: Any, name: str) -> None:
    begun(state_of(), example).close()
    Path("publish.state", name).write_text("{}\n")
    with pytest.raises(example("state").StateError, match="it is damaged; begin anew with --fresh"):
        state_of()
    state_of("--fresh").close()


def test_what_there_is_to_tell_of_a_run_is_read_by_the_next(state_of: Any, example: Any) -> None:
    run, sample = example("runs").Run, example("tally").Sample
    first, second = run(1000.0), run(1020.0)
    state = state_of()
    state.runs.begin(first)
    for number in range(3):
        first.samples.append(sample(float(number), 10, number, 0, 0, 5))
        first.searches.append(number)
        first.delays += [0.5, 0.25]
        state.runs.update()
    first.killed = 1001.0
    first.marks.append((1001.5, "worker 1 killed"))
    first.samples.append(sample(3.0, 10, 3, 0, 0, 5, (2, 3), (1, 0)))
    state.runs.update()
    state.close()
    with Path("publish.state", "runs").open("a") as file:
        file.write('{"began": 10')  # killed in the middle of a line

    state = state_of()
    assert state.runs.runs == [first]
    assert first.outage == (1001.0, 1003.0)
    state.runs.begin(second)
    state.close()
    state = state_of()
    assert state.runs.runs == [first, second]
    state.close()


def test_the_time_line_leaves_out_most_of_the_time_in_which_nothing_ran(example: Any) -> None:
    run, sample = example("runs").Run, example("tally").Sample
    runs = [run(began, [sample(10.0, 0, 0, 0, 0, 0)]) for began in (1000.0, 2010.0, 2021.0)]
    line = example("timeline").TimeLine(runs)
    assert line.breaks == [(10.0, 13.0, 1000.0), (23.0, 24.0, 1.0)]  # at most a tenth of 30
    assert [line.at(moment) for moment in (1000, 1010, 1510, 2010, 2020, 2031)] == [0, 10, 11.5, 13, 23, 34]
    assert line.end == 34
