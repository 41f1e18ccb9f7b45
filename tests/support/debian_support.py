"""Programs of Debian's packages, for the tests against real services: they are here, or got, or it is said why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def unpacked(package: str, *programs: str) -> list[str]:
    """Where `programs` are: on the path, or in `package`, which is unpacked into a cache and not installed."""
    here = [path for path in map(shutil.which, programs) if path]
    if len(here) == len(programs):
        return here
    folder = cache() / "debian" / package
    if not folder.exists():
        need_apt(programs)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            run("apt-get", "-q", "download", package, folder=made)
            run("dpkg", "-x", *map(str, Path(made).glob("*.deb")), "unpacked", folder=made)
            Path(made, "unpacked").rename(folder)
    return [str(folder / "usr" / "bin" / program) for program in programs]


def install(programs: tuple[str, ...], packages: tuple[str, ...]) -> None:
    """Install `packages`, unless all `programs` are here already."""
    if not all(map(shutil.which, programs)):
        need_apt(programs)
        run("apt-get", "-q", "install", "-y", "--no-install-recommends", *packages)


def need_apt(programs: tuple[str, ...]) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"{', '.join(programs)} not found, and only root can get them here, by apt-get")
    run("apt-get", "-q", "update")


def cache() -> Path:
    """The one of `.ci/run`."""
    of_the_user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("CACHE") or of_the_user / "more-executors-ci")


def run(*command: str, folder: str | None = None) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
