"""The pages for those who change the library: what they name is there, and what is there they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PAGES = (ARCHITECTURE, ROOT / "CONTRIBUTING.md")
SOURCES = sorted((ROOT / "src_c").rglob("*.pxi"))
ENDINGS = (".cfg", ".ini", ".h", ".in", ".json", ".md", ".pxi", ".py", ".pyi", ".pyx", ".toml", ".yaml", ".yml")
FOLDERS = (
    ".ci",
    ".github",
    "benchmarks",
    "changes",
    "docs",
    "examples",
    "findings",
    "more_executors",
    "src_c",
    "tests",
)
TO_BE_MADE = ("more_executors/delay.py", "docs/delay.md", "tests/executors/test_delay.py", "count.py", "docs/_build")
NOT_IN_THE_SDIST = (".github", ".pre-commit-config.yaml", "changes", "findings")

pytestmark = pytest.mark.skipif(not (SOURCES and all(page.exists() for page in PAGES)), reason="the source is not here")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def paths_in(text: str) -> Iterator[str]:
    """The files and folders that a page names: in backticks, or in a block."""
    for quoted in re.findall(r"```.*?^```|`[^`\n]+`", text, re.DOTALL | re.MULTILINE):
        for word in re.findall(r"[\w./*+-]+", quoted):
            in_a_folder = word.partition("/")[0] in FOLDERS and "/" in word
            if in_a_folder or ("/" not in word and word.endswith(ENDINGS) and word not in ENDINGS):
                yield word.removesuffix("/").removesuffix(".")


def is_there(name: str) -> bool:
    """Whether there is such a file, in its folder or, if only its name is given, in some folder."""
    if name.partition("/")[0] in NOT_IN_THE_SDIST and not (ROOT / ".git").exists():
        return True
    if (ROOT / name).exists() or name in TO_BE_MADE:
        return True
    return "/" not in name and any(next((ROOT / folder).rglob(name), None) for folder in FOLDERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = set(paths_in(text_of(page)))
    assert len(named) > 10
    assert [name for name in sorted(named) if not is_there(name)] == []


def test_a_file_that_is_not_there_is_found() -> None:
    text = "`src_c/gone.pxi`: `Gone`, `docs/` and `more_executors.poll`\n```console\npython tests/gone.py x.py\n```\n"
    assert list(paths_in(text)) == ["src_c/gone.pxi", "docs", "tests/gone.py", "x.py"]
    assert [is_there(name) for name in paths_in(text)] == [False, True, False, False]


def names_in(text: str) -> Iterator[tuple[str, str]]:
    """Each file with each of the names that stand after it, after a colon, and are separated by commas and words."""
    for path, names in re.findall(r"`([\w./]+\.\w+)`: ((?:`\w[\w.]*`(?:, | and |, then )?)+)", text):
        for name in re.findall(r"`([\w.]+)`", names):
            yield path, name


def defines(source: str, name: str) -> bool:
    """Whether `source` defines the class or function; a method has to be there, if not in that class."""
    return all(re.search(rf"\b(class|def|cdef|cpdef)\b[^\n=(]*\b{part}\b[(:]", source) for part in name.split("."))


def test_every_class_and_function_is_in_the_file_before_it() -> None:
    named = [(path, name) for path, name in names_in(text_of(ARCHITECTURE)) if "/" in path]
    assert len(named) > 50
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in {path for path, _ in named}}
    assert [(path, name) for path, name in named if not defines(sources[path], name)] == []


def test_every_method_that_is_named_is_somewhere() -> None:
    everything = [*SOURCES, *(ROOT / "more_executors").rglob("*.py")]
    sources = [source.read_text(encoding="utf-8") for source in everything]
    named = set(re.findall(r"`([A-Z]\w*[a-z]\w*\.\w+)`", text_of(ARCHITECTURE)))
    assert len(named) > 30
    assert [name for name in sorted(named) if not any(defines(source, name) for source in sources)] == []


def test_what_is_not_defined_is_found() -> None:
    source = "class A(B):\n    def here(self):\n        return gone(1)\ncdef class C:\n    cdef int c(self) noexcept:\n"
    assert [defines(source, name) for name in ("A.here", "C.c", "A.gone", "B")] == [True, True, False, False]


def folders_of_sources() -> list[Path]:
    packages = [path.parent for path in (ROOT / "more_executors").rglob("__init__.py")]
    return sorted({*packages, *(path.parent for path in SOURCES)})


@pytest.mark.parametrize("folder", folders_of_sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_page_says_what_is_in_every_folder(folder: Path) -> None:
    assert f"\n| `{folder.relative_to(ROOT).as_posix()}/` | " in text_of(ARCHITECTURE)


def sections() -> Iterator[str]:
    """The classes whose objects have a section that their own methods enter; a table by the name of its base."""
    bases: dict[str, str] = {}
    entering = set()
    for source in SOURCES:
        name = ""
        for line in source.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"cdef class (\w+)(?:\((\w+)\))?:", line):
                name = found[1]
                bases[name] = found[2] or ""
            elif "critical_section(self)" in line:
                entering.add(name)
            elif re.search(r"critical_section\((\w+\.)*future\)", line):
                entering.add("FutureCore")
    ends = ("", "DoneHook", "FutureCore", "FutureSource")
    for name in entering:
        while name in bases and name != "TaskTable" and bases[name] not in ends:
            name = bases[name]
        yield name


def test_the_table_of_sections_has_every_object_that_has_one() -> None:
    _, _, rest = text_of(ARCHITECTURE).partition("| section of | guards | in |\n")
    rows = [row for row in rest.partition("\n\n")[0].splitlines() if "---" not in row]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert listed == set(sections())
