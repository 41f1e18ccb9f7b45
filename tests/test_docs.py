"""The guide in docs/: its code runs, prints what it says, and leaves nothing behind.

A page is run from top to bottom in one namespace. Its fenced blocks are

* `python`: executed. What it prints must be in a block `output` right after it, where `...` stands for anything, as in
  doctest; without such a block it must print nothing.
* `console`: commands for a shell, which are not executed.
* `{...}`: directives of Sphinx.

There are no others, and no Python that is not executed.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import more_executors
from more_executors import metrics

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FENCED = re.compile(r"^```(\S*)\n(.*?)^```$(\n\n```output\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[tuple[str, int, str, str]]:
    """What each block of a page is, the line it begins on, its text, and the output it says it has."""
    text = page.read_text(encoding="utf-8")
    for block in FENCED.finditer(text):
        kind, content, _, output = block.groups()
        yield kind, text.count("\n", 0, block.start(2)), content, output or ""


def programs(page: Path) -> list[tuple[int, str, str]]:
    return [(line, code, output) for kind, line, code, output in blocks(page) if kind == "python"]


def checked_run(page: Path, line: int, code: str, expected: str, names: dict[str, object]) -> None:
    """Execute one block, under line numbers of the page, and compare what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * line + code, page.name, "exec"), names)
    example = doctest.Example(code, expected)
    checker = doctest.OutputChecker()
    if not checker.check_output(expected, printed.getvalue(), doctest.ELLIPSIS):
        difference = checker.output_difference(example, printed.getvalue(), doctest.ELLIPSIS)
        pytest.fail(f"{page.name}, the block at line {line + 1}:\n{difference}", pytrace=False)


@pytest.mark.parametrize("page", [page for page in PAGES if programs(page)], ids=lambda page: page.name)
def test_the_code_of_a_page_runs_and_prints_what_it_says(page: Path) -> None:
    if page.name == "metrics.md" and not metrics.enabled:
        pytest.skip("needs prometheus_client, and metrics that are not switched off")
    names: dict[str, object] = {"__name__": "guide"}
    try:
        for line, code, expected in programs(page):
            checked_run(page, line, code, expected, names)
    finally:
        names.clear()


def test_every_block_is_of_a_known_kind() -> None:
    for page in PAGES:
        fences = len(re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE))
        found = list(blocks(page))
        assert 2 * (len(found) + sum(bool(output) for *_, output in found)) == fences, page.name
        assert {kind for kind, *_ in found if not kind.startswith("{")} <= {"python", "console"}, page.name


def test_the_index_lists_every_page() -> None:
    listed = [
        name
        for kind, _, content, _ in blocks(DOCS / "index.md")
        if kind == "{toctree}"
        for name in content.splitlines()
        if name and not name.startswith(":")
    ]
    assert sorted(listed) == sorted(page.stem for page in PAGES if page.stem != "index")


def test_the_reference_has_every_public_name() -> None:
    entries = re.findall(
        r"^\.\. auto\w+:: more_executors\.([\w.]+)$", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(entry.split(".")[-1] for entry in entries) == sorted(set(more_executors.__all__) - {"futures"})
    for entry in entries:
        module, _, name = f"more_executors.{entry}".rpartition(".")
        assert getattr(sys.modules[module], name) is getattr(more_executors, name)


@pytest.mark.skipif(not all(map(find_spec, ("sphinx", "furo", "myst_parser"))), reason="needs the extra `docs`")
def test_sphinx_builds_it_without_a_warning(tmp_path: Path) -> None:
    options = ["-W", "-n", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(tmp_path / "html")]
    build = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert (build.returncode, build.stderr) == (0, "")
    assert "yield_result" in (tmp_path / "html" / "api.html").read_text(encoding="utf-8")
