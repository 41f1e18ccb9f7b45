"""Which commit a tree is compared with, in clones that the test makes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks").is_dir() or shutil.which("git") is None:
    pytest.skip("needs benchmarks/ and git", allow_module_level=True)

sys.path.append(str(ROOT))
try:
    from benchmarks import builds
finally:
    sys.path.remove(str(ROOT))


class Clone:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    def commit(self, text: str) -> str:
        (self.folder / "setup.py").write_text(text)
        self.git("add", "setup.py")
        self.git("commit", "-q", "-m", text)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Two commits on the branch `main`."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "clone"
    folder.mkdir()
    made = Clone(folder)
    made.git("init", "-q", "-b", "main")
    made.commit("first")
    made.commit("second")
    monkeypatch.setattr(builds, "ROOT", folder)
    return made


def test_on_a_branch_it_is_where_that_left_the_main_one(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.git("switch", "-q", "-c", "work")
    clone.commit("third")
    clone.commit("fourth")
    clone.git("switch", "-q", "main")
    clone.commit("elsewhere")
    clone.git("switch", "-q", "work")
    assert builds.chosen_by_default() == builds.Other(base, "where this branch left main")


def test_on_the_main_branch_it_is_the_parent(clone: Clone) -> None:
    assert builds.chosen_by_default() == builds.Other(clone.git("rev-parse", "HEAD^"), "the parent of HEAD")


def test_what_is_not_committed_is_compared_with_head(clone: Clone) -> None:
    (clone.folder / "setup.py").write_text("third")
    assert builds.chosen_by_default() == builds.Other(
        clone.git("rev-parse", "HEAD"), "HEAD, without what is not committed"
    )


def test_a_commit_of_other_files_has_the_same_sources(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.git("commit", "-q", "--allow-empty", "-m", "something else")
    assert builds.has_same_sources(base)
    assert not builds.has_same_sources(f"{base}^")
    (clone.folder / "src_c").mkdir()
    (clone.folder / "src_c" / "more.pxi").touch()
    assert not builds.has_same_sources(base)


def test_of_the_branch_of_an_origin_it_is_where_that_is(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.git("clone", "-q", str(clone.folder), "../other")
    other = Clone(clone.folder.parent / "other")
    other.commit("third")
    monkeypatch.setattr(builds, "ROOT", other.folder)
    assert builds.chosen_by_default() == builds.Other(base, "where this branch left origin/HEAD")


def test_a_shallow_clone_has_nothing_to_compare_with(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.git("clone", "-q", "--depth", "1", clone.folder.as_uri(), "../shallow")
    monkeypatch.setattr(builds, "ROOT", clone.folder.parent / "shallow")
    with pytest.raises(builds.NothingToCompareError, match="no parent here; the clone is shallow"):
        builds.chosen_by_default()
    with pytest.raises(builds.NothingToCompareError, match=r"no commit 'HEAD~1'; the clone is shallow"):
        builds.chosen_by_user("HEAD~1")


def test_what_is_no_clone_has_nothing_either(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "ROOT", clone.folder.parent)
    with pytest.raises(builds.NothingToCompareError, match="no clone"):
        builds.chosen_by_default()


def test_a_commit_may_be_named(clone: Clone) -> None:
    first = clone.git("rev-parse", "HEAD^")
    assert builds.chosen_by_user("main~1") == builds.Other(first, "main~1")
    with pytest.raises(builds.NothingToCompareError, match=r"no commit 'nowhere'$"):
        builds.chosen_by_user("nowhere")


def test_a_build_is_kept_for_the_next_time_and_old_ones_are_forgotten(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[str] = []

    def build(commit: str, scratch: Path) -> Path:
        made.append(commit)
        package = scratch / "venv" / "more_executors"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(commit)
        return package

    monkeypatch.setattr(builds, "BUILDS", tmp_path / "builds")
    monkeypatch.setattr(builds, "build", build)
    commits = [f"{number:040x}" for number in range(builds.KEPT + 2)]
    for commit in commits:
        for _ in range(2):
            assert (builds.built(commit) / "more_executors" / "__init__.py").read_text() == commit
    assert made == commits
    kept = sorted(path.name.partition("-")[0] for path in (tmp_path / "builds").iterdir())
    assert kept == commits[-builds.KEPT :]


def test_a_build_of_another_compiler_or_options_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    before = builds.key("a" * 40)
    assert builds.key("a" * 40) == before
    monkeypatch.setenv("CFLAGS", "-O0")
    assert builds.key("a" * 40) != before
