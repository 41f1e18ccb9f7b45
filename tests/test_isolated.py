"""What shows only in a process of its own: how it ends, forks, leaks and imports."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import CHILD_PATIENCE

import more_executors

SCRIPTS = sorted((Path(__file__).parent / "isolated").glob("*.py"))
PACKAGE = Path(more_executors.__file__).parent
# What is logged of a coroutine if the machine has so much else to do that a step of it takes a tenth of a second.
HELD_UP = re.compile(r"^\S+ blocked the event loop of \S+ for [0-9.]+ s: .+\n", re.MULTILINE)
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if "dask" not in path.parts or importlib.util.find_spec("distributed") is not None
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
    assert (ended.returncode, ended.stdout, HELD_UP.sub("", ended.stderr)) == (0, "", "")


def test_modules_of_packages_within_the_package_are_found() -> None:
    assert {"more_executors", "more_executors.poll", "more_executors.futures", "more_executors.futures.proxy"} <= {
        *MODULES
    }


IMPORT_ALONE = """if True:
    import os, sys
    sys.path.append(sys.argv[1])
    modules = sys.argv[2:]
    if len(modules) == 1:
        __import__(modules.pop())
    elif modules:
        import more_executors  # which the import of any other begins with
        if any(".dask" in module for module in modules):
            import distributed  # as those of that package do, and it takes half a second
    for module in modules:  # a fork is quicker than to begin with all of Python
        if module in sys.modules:
            continue
        child = os.fork()
        if not child:
            status = 1
            try:
                __import__(module)
                status = 0
            finally:
                if status:
                    sys.excepthook(*sys.exc_info())
                os._exit(status)
        if os.waitpid(child, 0)[1]:
            print("cannot be imported alone:", module)
"""


@pytest.mark.parametrize("modules", [MODULES] if hasattr(os, "fork") else [[module] for module in MODULES])
def test_each_module_can_be_imported_alone(modules: list[str]) -> None:
    ended = run("-I", "-W", "error", "-c", IMPORT_ALONE, str(PACKAGE.parent), *modules)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


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
