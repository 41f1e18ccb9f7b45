"""Building from source says in one sentence what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import CHILD_PATIENCE

ROOT = Path(__file__).parent.parent

pytestmark = [
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="setup.py is in the source only"),
    pytest.mark.skipif(find_spec("Cython") is None, reason="Cython is not installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="there, setuptools finds the compiler"),
]

BUILD = """
import runpy, sys, sysconfig
sys.argv = ["setup.py", "-q", "build", "--build-base", sys.argv[1]]
if sys.argv[-1].endswith("no-headers"):
    real = sysconfig.get_path
    sysconfig.get_path = lambda name, *more, **named: "no-headers" if name == "include" else real(name, *more, **named)
runpy.run_path("setup.py", run_name="__main__")
"""


def build(folder: Path, **environment: str) -> str:
    """What a build that fails says."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=CHILD_PATIENCE,
    )
    assert done.returncode == 1, done
    assert not folder.exists(), "it began to build"
    return done.stderr


def test_without_a_compiler(tmp_path: Path) -> None:
    said = build(tmp_path / "built", CC="no-such-compiler -O3")
    assert "'no-such-compiler' is not there: install one (" in said
    assert len(said.splitlines()) == 1


def test_without_headers(tmp_path: Path) -> None:
    said = build(tmp_path / "no-headers")
    assert "no-headers/Python.h is not there: install it (" in said
    assert len(said.splitlines()) == 1
