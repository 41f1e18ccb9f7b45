"""The examples in `typed` run as they are written; mypy and pyright find what is wrong in them, and nothing else."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import CHILD_PATIENCE

import more_executors

TYPED = Path(__file__).parent / "typed"
PASSING = sorted((TYPED / "passing").glob("*.py"))
FAILING = sorted((TYPED / "failing").glob("*.py"))
PACKAGE = Path(more_executors.__file__).parent

Complaints = dict[str, dict[int, str]]  # of each file, the lines


def test_the_package_says_it_is_typed() -> None:
    for name in ("py.typed", "_core.pyi", "_chaining.pyi", "executors.pyi", "futures/collect.pyi"):
        assert (PACKAGE / name).exists()


@pytest.mark.parametrize("example", PASSING, ids=[path.stem for path in PASSING])
def test_a_typed_example_does_what_its_types_say(example: Path) -> None:
    runpy.run_path(str(example))["main"]()


def mypy(files: Iterable[Path], scratch: Path) -> Complaints:
    options = ["--strict", "--python-version=3.10", "--config-file=", f"--cache-dir={scratch / 'cache'}"]
    output = output_of("mypy", *options, "--no-pretty", "--hide-error-context", *files)
    found: Complaints = defaultdict(dict)
    for path, line, message in re.findall(r"^(.+\.py):(\d+): error: (.*)$", output, re.MULTILINE):
        found[Path(path).name][int(line)] = message
    assert re.search(r"^(Found \d+ error|Success: )", output, re.MULTILINE), output
    return found


def pyright(files: Iterable[Path], scratch: Path) -> Complaints:
    options = [f"--pythonpath={sys.executable}", "--pythonversion=3.10", "--outputjson"]
    report = json.loads(output_of("pyright", *options, *files))
    found: Complaints = defaultdict(dict)
    for complaint in report["generalDiagnostics"]:
        line = complaint["range"]["start"]["line"] + 1
        found[Path(complaint["file"]).name][line] = complaint["message"]
    return found


def output_of(*command: object) -> str:
    words = [sys.executable, "-m", *map(str, command)]
    installed = "site-packages" in PACKAGE.parts
    # Neither finds a package that is installed in place by itself.
    where = {} if installed else {"MYPYPATH": str(PACKAGE.parent)}
    environment = {**os.environ, **where}
    cwd = TYPED if installed else PACKAGE.parent
    return subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=CHILD_PATIENCE
    ).stdout


def checker(function: Callable[[Iterable[Path], Path], Complaints]) -> object:
    missing = find_spec(function.__name__) is None
    reason = f"{function.__name__} is not installed"
    return pytest.param(function, marks=pytest.mark.skipif(missing, reason=reason), id=function.__name__)


CHECKERS = pytest.mark.parametrize("check", [checker(mypy), checker(pyright)])


@CHECKERS
def test_a_type_checker_finds_nothing_wrong_in_what_is_right(
    check: Callable[[Iterable[Path], Path], Complaints], tmp_path: Path
) -> None:
    assert PASSING
    assert check(PASSING, tmp_path) == {}


@CHECKERS
def test_a_type_checker_finds_each_line_that_is_wrong_and_no_other(
    check: Callable[[Iterable[Path], Path], Complaints], tmp_path: Path
) -> None:
    found = check(FAILING, tmp_path)
    for example in FAILING:
        lines = enumerate(example.read_text().splitlines(), 1)
        wrong = {number: line.strip() for number, line in lines if "# wrong: " in line}
        assert wrong
        complaints = found[example.name]
        assert {n: line for n, line in wrong.items() if n not in complaints} == {}, f"not found in {example.name}"
        assert {n: text for n, text in complaints.items() if n not in wrong} == {}, f"not wrong in {example.name}"
