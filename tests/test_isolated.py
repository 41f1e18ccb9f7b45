"""What shows only in a process of its own: how it ends, forks, leaks and imports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import CHILD_PATIENCE

import more_executors

SCRIPTS = sorted((Path(__file__).parent / "isolated").glob("*.py"))
PACKAGE = Path(more_executors.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python, with the library that this process has."""
    found = str(PACKAGE.parent)
    environment = os.environ if cwd else {**os.environ, "PYTHONPATH": found}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=CHILD_PATIENCE, cwd=cwd, env=environment)


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_script_ends_well_and_prints_nothing(script: Path) -> None:
    ended = run("-W", "error", "-X", "faulthandler", str(script))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_modules_of_packages_within_the_package_are_found() -> None:
    assert {"more_executors", "more_executors.poll", "more_executors.futures", "more_executors.futures.proxy"} <= {
        *MODULES
    }


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_imported_alone(module: str) -> None:
    code = (
        f"import sys; sys.path.append({str(PACKAGE.parent)!r}); import {module}; print(hasattr(sys, '_is_gil_enabled'))"
    )
    ended = run("-I", "-W", "error", "-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_importing_leaves_the_gil_off_where_it_is() -> None:
    code = """if True:
        import sys
        enabled = getattr(sys, "_is_gil_enabled", lambda: True)
        before = enabled()
        import more_executors
        assert enabled() == before
    """
    ended = run("-W", "error", "-c", code, cwd=PACKAGE.parent)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_without_the_compiled_part_the_import_says_what_to_do(tmp_path: Path) -> None:
    compiled = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "more_executors", ignore=compiled)
    ended = run("-S", "-c", "import more_executors", cwd=tmp_path)  # -S: no editable install in the way
    assert ended.returncode == 1
    assert "ImportError: more_executors._core, the compiled part of more_executors, has not been built" in ended.stderr
    assert "pip install" in ended.stderr
