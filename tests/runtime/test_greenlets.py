"""Where gevent or eventlet make greenlets of threads: everything works, or one error says at once what does not."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import more_executors

HERE = Path(__file__).parents[1] / "greenlets"


@pytest.mark.parametrize("scenarios", ["chains", "shutdown", "polling", "waiting", "late"])
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_among_greenlets(library: str, scenarios: str) -> None:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    environment = {**os.environ, "PYTHONPATH": str(Path(more_executors.__file__).parent.parent)}
    command = [sys.executable, "-W", "error", str(HERE / "run.py"), library, scenarios]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert ended.stdout, "nothing was run"
    assert (ended.returncode, ended.stderr) == (0, ""), f"in the last of these: {ended.stdout}"
