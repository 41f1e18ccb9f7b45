"""The examples in `typed` run as they are written; mypy and pyright find what is wrong in them, and nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import pkgutil
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
EXACT = sorted((TYPED / "exact").glob("*.py"))
FAILING = sorted((TYPED / "failing").glob("*.py"))
PACKAGE = Path(more_executors.__file__).parent


def public_modules() -> Iterable[str]:
    return (module.name for module in pkgutil.iter_modules([str(PACKAGE)]) if not module.name.startswith("_"))


Complaints = dict[str, dict[int, str]]  # of each file, the lines


@pytest.fixture(scope="module")
def package_with_stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is when it is installed: a build puts stubs in it that the source does not have."""
    if (PACKAGE / "__init__.pyi").exists():
        return PACKAGE
    built = tmp_path_factory.mktemp("built")
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(built)]
    subprocess.run(command, cwd=PACKAGE.parent, check=True, capture_output=True, timeout=CHILD_PATIENCE)
    return built / PACKAGE.name


def test_the_package_says_it_is_typed() -> None:
    for name in ("py.typed", "_core.pyi"):
        assert (PACKAGE / name).exists()


def test_types_are_in_the_source(package_with_stubs: Path) -> None:
    if package_with_stubs != PACKAGE:
        assert [*PACKAGE.rglob("*.pyi")] == [PACKAGE / "_core.pyi"]
    modules = {path.relative_to(package_with_stubs).with_suffix("") for path in package_with_stubs.rglob("*.py")}
    stubs = {path.relative_to(package_with_stubs).with_suffix("") for path in package_with_stubs.rglob("*.pyi")}
    assert stubs == {*modules, Path("_core")}


def parameters_of(method: ast.FunctionDef) -> list[str]:
    """Their names as they stand in a signature, without the first; `*` and `**` have no name."""
    arguments = method.args
    names = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args][1:]]
    if arguments.vararg or arguments.kwonlyargs:
        names.append("*")
    names += [argument.arg for argument in arguments.kwonlyargs]
    return names + ["**"] if arguments.kwarg else names


@pytest.mark.parametrize("module", ["_chaining.py", "_bound.py"])
def test_methods_that_are_made_at_run_time_have_the_parameters_that_type_checkers_are_shown(module: str) -> None:
    shown: dict[str, list[list[str]]] = defaultdict(list)
    for block in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for method in block.body:
                if isinstance(method, ast.FunctionDef):
                    shown[method.name].append(parameters_of(method))
    assert {"with_map", "with_poll", "with_retry"} <= {*shown}
    for name, faces in shown.items():
        made = ast.parse(f"def made{inspect.signature(getattr(more_executors.Executors, name))}: ...").body[0]
        assert isinstance(made, ast.FunctionDef)
        overloads = faces if len(faces) == 1 else faces[:-1]  # the last one is for all
        assert [face for face in overloads if face != parameters_of(made)] == []


@pytest.mark.parametrize("example", [*PASSING, *EXACT], ids=[path.stem for path in [*PASSING, *EXACT]])
def test_a_typed_example_does_what_its_types_say(example: Path) -> None:
    runpy.run_path(str(example))["main"]()


def mypy(files: Iterable[Path], scratch: Path, *more: str, package: Path = PACKAGE) -> Complaints:
    options = ["--strict", "--python-version=3.10", "--config-file=", f"--cache-dir={scratch / 'cache'}", *more]
    output = output_of("mypy", *options, "--no-pretty", "--hide-error-context", *files, package=package)
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


def output_of(*command: object, package: Path = PACKAGE) -> str:
    words = [sys.executable, "-m", *map(str, command)]
    installed = "site-packages" in package.parts
    # Neither finds a package that is installed in place by itself.
    where = {} if installed else {"MYPYPATH": str(package.parent)}
    environment = {**os.environ, **where}
    cwd = TYPED if installed else package.parent
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


# -- for those who read stubs only ---------------------------------------------------------------------------------

STUBS_ONLY = ("--follow-imports=skip", "--disallow-any-expr")
PUBLIC = ["more_executors", *(f"more_executors.{name}" for name in sorted(public_modules()))]


only_with_mypy = pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")


@only_with_mypy
def test_programs_are_typed_throughout_for_a_checker_that_reads_stubs_only(
    package_with_stubs: Path, tmp_path: Path
) -> None:
    assert EXACT
    assert mypy(EXACT, tmp_path, *STUBS_ONLY, package=package_with_stubs) == {}


@only_with_mypy
def test_such_a_checker_finds_a_type_for_every_public_name(package_with_stubs: Path, tmp_path: Path) -> None:
    names = [f"{module}.{name}" for module in PUBLIC for name in names_of(module)]
    program = tmp_path / "program.py"
    imports = [f"import {module}" for module in PUBLIC]
    program.write_text("\n".join([*imports, *(f"reveal_type({name})" for name in names)]))
    options = ["--config-file=", f"--cache-dir={tmp_path / 'cache'}", "--follow-imports=skip", "--no-pretty"]
    output = output_of("mypy", *options, program, package=package_with_stubs)
    found = dict(re.findall(r"^.+\.py:(\d+): note: Revealed type is \"(.*)\"$", output, re.MULTILINE))
    types = {name: found[str(line)] for line, name in enumerate(names, len(imports) + 1)}
    assert {name: text for name, text in types.items() if text == "Any"} == {}


def names_of(module: str) -> Iterable[str]:
    """What may be imported from a public module: what it says, and what the package has besides."""
    names = set(importlib.import_module(module).__all__)
    if module == "more_executors":
        names |= {name for name, value in vars(more_executors).items() if isinstance(value, type)}
        names.add("progress")
    return sorted(names)
