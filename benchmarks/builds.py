"""A release build of another commit, in a folder of its own, kept for the next time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("BENCH_CACHE") or ROOT / ".cache")  # what is kept for the next time
BUILDS = CACHE / "builds"
KEPT = 5
SOURCES = ("src_c", "more_executors", "build_steps", "setup.py", "pyproject.toml")  # of a build


class NothingToCompareError(Exception):
    """There is no other commit here; why is in the message."""


@dataclass(frozen=True)
class Other:
    """A commit to compare this tree with, and how it was chosen."""

    commit: str
    chosen: str

    def __str__(self) -> str:
        return f"{self.commit[:10]} ({self.chosen})"


def chosen_by_user(name: str) -> Other:
    """The commit of this name. Raises NothingToCompareError if there is none."""
    commit = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if commit is None:
        raise NothingToCompareError(f"this clone has no commit {name!r}{shallow()}")
    return Other(commit, name)


def chosen_by_default() -> Other:
    """Where this branch left the main one; on that itself, what it was before the last change."""
    head = git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head is None:
        raise NothingToCompareError("this is no clone of the repository")
    for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
        base = git("merge-base", "HEAD", name)
        if base and base != head:
            return Other(base, f"where this branch left {name}")
    if git("status", "--porcelain", "--", *SOURCES):
        return Other(head, "HEAD, without what is not committed")
    parent = git("rev-parse", "--verify", "--quiet", "HEAD^")
    if parent is None:
        raise NothingToCompareError(f"HEAD has no parent here{shallow()}")
    return Other(parent, "the parent of HEAD")


def has_same_sources(commit: str) -> bool:
    """Whether what is built of this tree is what is built of that commit."""
    return git("diff", "--quiet", commit, "--", *SOURCES) is not None and not git(
        "ls-files", "--others", "--exclude-standard", "--", *SOURCES
    )


def shallow() -> str:
    is_shallow = git("rev-parse", "--is-shallow-repository") == "true"
    return "; the clone is shallow: git fetch --unshallow" if is_shallow else ""


def git(*arguments: str) -> str | None:
    """What a git command says, or None if it fails."""
    if shutil.which("git") is None:
        return None
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout.strip()


def built(commit: str) -> Path:
    """The folder that has the package `more_executors` of this commit, built by this Python."""
    target = BUILDS / key(commit)
    if not target.exists():
        BUILDS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILDS) as name:
            package = build(commit, Path(name))
            (Path(name) / "done").mkdir()
            package.rename(Path(name) / "done" / package.name)
            (Path(name) / "done").rename(target)
    os.utime(target)
    forget_old()
    return target


def build(commit: str, scratch: Path) -> Path:
    """Build it in a virtual environment of its own; returns the package there."""
    source, environment = scratch / "source", scratch / "venv"
    source.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "x", "-C", str(source)], input=archive.stdout, check=True)
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*pip, *tools()], check=True)
    variables = {**os.environ, "MORE_EXECUTORS_BUILD": "release"}
    subprocess.run([*pip, "--no-build-isolation", "--no-deps", str(source)], env=variables, check=True)
    return next(environment.glob("lib*/python*/site-packages/more_executors"))


def tools() -> list[str]:
    """What a build needs, in the versions that this tree is built with."""
    return [requirement("cython", "cython==3.3.*"), requirement("setuptools", "setuptools>=77")]


def requirement(name: str, otherwise: str) -> str:
    try:
        return f"{name}=={version(name)}"
    except PackageNotFoundError:
        return otherwise


def key(commit: str) -> str:
    """The name of a build: all that decides what comes out."""
    compiler = [str(sysconfig.get_config_var(name)) for name in ("SOABI", "CC", "CFLAGS", "VERSION")]
    variables = [os.environ.get(name, "") for name in ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")]
    rest = "\n".join([sys.version, sys.base_prefix, *tools(), *compiler, *variables])
    return f"{commit}-{hashlib.sha256(rest.encode()).hexdigest()[:12]}"


def forget_old() -> None:
    done = [path for path in BUILDS.iterdir() if len(path.name.partition("-")[0]) == 40]  # the others are being made
    for old in sorted(done, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
