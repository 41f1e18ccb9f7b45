"""The publish demo with a cluster of Dask, one of whose workers is killed."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import CHILD_PATIENCE, PATIENCE

for package in ("aiohttp", "distributed", "matplotlib", "requests", "rich"):
    pytest.importorskip(package)
psutil = pytest.importorskip("psutil")

from publish_support import DEMO, modules_of_the_demo  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, str(DEMO), "--cluster=2", f"--output={folder / 'cluster.png'}", *options]


def test_publishes_everything_once_though_a_worker_is_killed(tmp_path: Path) -> None:
    options = ("--tasks=600", "--duration=2", "--interval=0.2", "--publishes=400")
    done = subprocess.run(command(tmp_path, *options), capture_output=True, text=True, timeout=CHILD_PATIENCE)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    counts = dict(re.findall(r"^  (finished|failed|cancelled|never submitted|sum) +(\d+)", done.stdout, re.M))
    assert int(counts["finished"]) > 500
    assert (counts["never submitted"], counts["sum"]) == ("0", "600")
    assert re.search(r"^          worker 1: \d+ \+ \d+   worker 2: \d+ \+ \d+$", done.stdout, re.M), done.stdout
    assert re.search(r"^4 shards; worker 1 killed after [\d.]+ s, worker 3 added after [\d.]+ s$", done.stdout, re.M)
    assert re.search(
        r"^[2-9] shards lost with their worker, \d+ made anew; [1-9]\d* tasks adopted again$", done.stdout, re.M
    )
    assert re.search(r"^Dask('s dashboard: http:| has no dashboard)", done.stdout, re.M)
    assert "0 objects published twice\nevery future agrees with it" in done.stdout
    assert (tmp_path / "cluster.png").read_bytes().startswith(PNG)
    assert "the worker tcp:" in (tmp_path / "cluster.log").read_text()


def test_nothing_of_the_cluster_is_left_of_a_run_that_is_killed(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--tasks=9"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    children: list[Any] = []
    until = time.monotonic() + PATIENCE
    while len(children) < 4:  # the service, a scheduler and two workers, which perhaps have not connected yet
        assert time.monotonic() < until
        time.sleep(0.02)
        children = psutil.Process(process.pid).children()
    process.kill()
    process.wait(PATIENCE)
    _, left = psutil.wait_procs(children, PATIENCE)
    assert left == []


@pytest.fixture
def example() -> Iterator[Callable[[str], ModuleType]]:
    with modules_of_the_demo() as imported:
        yield imported


@pytest.mark.parametrize("other", ["--faults", "--async"])
def test_a_cluster_goes_with_no_other_variant(example: Any, capsys: pytest.CaptureFixture[str], other: str) -> None:
    with pytest.raises(SystemExit) as ended:
        example("options").parse(["--cluster=2", other])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "publish: error: argument --cluster: not with --faults or --async\n"


def test_the_progress_says_where_each_shard_is_and_how_much_it_has(example: Any) -> None:
    from rich.console import Console

    sample = example("tally").Sample(1.0, 4000, 10, 0, 0, 3000, (1200, 7, 1300, 500), (2, 0, 1, 2))
    progress = example("shard_progress")
    assert progress.shard_line(sample) == "\n          no worker: 7   worker 1: 1,300   worker 2: 500 + 1,200"
    assert progress.shard_line(example("tally").Sample(1.0, 1, 0, 0, 0, 1)) == ""
    output = io.StringIO()
    Console(file=output, width=60).print(progress.shard_table(sample))
    rows = re.findall(r"^shard (\d) +(no worker|worker \d) +([\d,]+) (█*)", output.getvalue(), re.M)
    assert [row[:3] for row in rows] == [
        ("0", "worker 2", "1,200"),
        ("1", "no worker", "7"),
        ("2", "worker 1", "1,300"),
        ("3", "worker 2", "500"),
    ]
    assert len(rows[2][3]) > len(rows[0][3]) > len(rows[3][3]) > len(rows[1][3])
