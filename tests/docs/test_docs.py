"""The guide in docs/: its code runs, prints what it says, and leaves nothing behind.

A page is run from top to bottom in one namespace, in which `__file__` is the page. Its fenced blocks are

* `python`: executed. What it prints must be in a block `output` right after it, where `...` stands for anything, as in
  doctest; without such a block it must print nothing.
* `console`: commands for a shell, which are not executed.
* `{...}`: directives of Sphinx.

There are no others, and no Python that is not executed.
"""

from __future__ import annotations

import contextlib
import doctest
import inspect
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from support import CHILD_PATIENCE

import more_executors
from more_executors import metrics

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)
# What pages need that is not there with the library, or with the extra `test`.
NEEDS = {
    "greenlets.md": ("gevent",),
    "recipes/aws_batch.md": ("boto3", "moto", "docker", "flask"),
    "recipes/http.md": ("aiohttp",),
    "services/queues.md": ("celery", "rq", "huey", "dramatiq", "fakeredis"),
    "services/aws.md": ("boto3",),
    "services/operations.md": ("grpc", "azure"),
}
NEED_METRICS = ("metrics.md", "watching.md")
FENCED = re.compile(r"^```(\S*)\n(.*?)^```$(\n\n```output\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


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
        exec(compile("\n" * line + code, name_of(page), "exec"), names)
    example = doctest.Example(code, expected)
    checker = doctest.OutputChecker()
    if not checker.check_output(expected, printed.getvalue(), doctest.ELLIPSIS):
        difference = checker.output_difference(example, printed.getvalue(), doctest.ELLIPSIS)
        pytest.fail(f"{name_of(page)}, the block at line {line + 1}:\n{difference}", pytrace=False)


@pytest.mark.parametrize("page", [page for page in PAGES if programs(page)], ids=name_of)
def test_the_code_of_a_page_runs_and_prints_what_it_says(page: Path) -> None:
    if page.name in NEED_METRICS and not metrics.enabled:
        pytest.skip("needs prometheus_client, and metrics that are not switched off")
    missing = [package for package in NEEDS.get(name_of(page), ()) if find_spec(package) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, of the extras `greenlets`, `recipes` and `aws`")
    names: dict[str, object] = {"__name__": "guide", "__file__": str(page)}
    try:
        for line, code, expected in programs(page):
            checked_run(page, line, code, expected, names)
    finally:
        names.clear()


def test_every_block_is_of_a_known_kind() -> None:
    for page in PAGES:
        fences = len(re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE))
        found = list(blocks(page))
        assert 2 * (len(found) + sum(bool(output) for *_, output in found)) == fences, name_of(page)
        assert {kind for kind, *_ in found if not kind.startswith("{")} <= {"python", "console"}, name_of(page)


def test_the_index_of_each_folder_lists_every_page() -> None:
    listed = [
        (index.parent / name).relative_to(DOCS).as_posix()
        for index in PAGES
        if index.name == "index.md"
        for kind, _, content, _ in blocks(index)
        if kind == "{toctree}"
        for name in content.splitlines()
        if name and not name.startswith(":")
    ]
    assert sorted(f"{name}.md" for name in listed) == sorted(set(map(name_of, PAGES)) - {"index.md"})


def test_the_reference_has_every_public_name() -> None:
    entries = re.findall(
        r"^\.\. auto\w+:: more_executors\.([\w.]+)$", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE
    )
    public = [name for name in dir(more_executors) if not name.startswith("_")]
    names = {name for name in public if not inspect.ismodule(getattr(more_executors, name))}
    beyond = {"progress.progress", "progress.as_completed", "asyncio.as_completed"}
    beyond |= {entry for entry in entries if entry.startswith(("dask.", "services."))}
    assert beyond <= set(entries)
    assert {entry.split(".")[-1] for entry in {*entries} - beyond} == names
    assert len(entries) == len(names) + len(beyond)
    for entry in entries:
        if entry.startswith("dask.") and find_spec("distributed") is None:
            continue
        module, _, name = f"more_executors.{entry}".rpartition(".")
        found = getattr(import_module(module), name)
        assert callable(found) if entry in beyond else found is getattr(more_executors, name)


@pytest.mark.skipif(not all(map(find_spec, ("sphinx", "furo", "myst_parser"))), reason="needs the extra `docs`")
def test_sphinx_builds_it_without_a_warning(tmp_path: Path) -> None:
    options = ["-W", "-n", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(tmp_path / "html")]
    build = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_PATIENCE, check=False)
    assert (build.returncode, build.stderr) == (0, "")
    assert "yield_result" in (tmp_path / "html" / "api.html").read_text(encoding="utf-8")
