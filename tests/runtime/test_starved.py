"""No memory for a moment: every future ends, every thread goes on, and what is counted is right afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import more_executors

pytest.importorskip("_testcapi", reason="it takes CPython's own test module to have allocations fail")

STARVED = Path(__file__).parents[1] / "starved"
FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = str(Path(more_executors.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": found, "MORE_EXECUTORS_PROMETHEUS": "0"}
    command = [sys.executable, "-X", "faulthandler", str(STARVED / "main.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, env=environment)


def names() -> list[str]:
    """Of the operations."""
    listed = run("--list")
    assert listed.returncode == 0, listed.stderr
    return listed.stdout.split()


@pytest.mark.long
@pytest.mark.skipif(FREE_THREADED, reason="there, CPython itself does not always survive a lack of memory")
@pytest.mark.parametrize("name", names())
def test_an_operation_of_which_an_allocation_fails(name: str) -> None:
    ended = run(name)
    # What is printed meanwhile is the interpreter's own: it reports what it has no memory to raise.
    assert ended.returncode == 0, ended.stderr[-5000:]
