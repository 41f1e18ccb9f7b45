"""Running the benchmarks of this tree, over the library of this tree or over a build of another commit."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import builds, original

HERE = Path(__file__).parent

Report = dict[str, Any]  # of pytest-benchmark


def run(package: Path, scratch: Path, files: list[str], *options: str, name: str = "") -> tuple[Report, bool]:
    """Run these files, or all, over the `more_executors` in the folder `package`; whether all went well, too.

    The benchmarks are copied: beside the package of this tree they would find that one.
    """
    folder = scratch / "benchmarks"
    if not folder.exists():
        shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    report = scratch / f"report{name}.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *(str(folder / file) for file in files or ["."])]
    command += [f"--benchmark-json={report}", f"--benchmark-storage={scratch.as_uri()}", *options]
    tree = {"BENCH_CACHE": str(builds.CACHE), "BENCH_TREE": str(HERE.parent)}
    environment = {**os.environ, "PYTHONPATH": str(package), **tree}
    done = subprocess.run(command, cwd=scratch, env=environment, check=False)
    return json.loads(report.read_text()) if report.exists() else {"benchmarks": []}, done.returncode == 0


def about(report: Report, commit: str) -> dict[str, Any]:
    """Where, when, with what and of which commit this was measured."""
    cpu = report["machine_info"]["cpu"]
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "cpu": cpu.get("brand_raw", platform.processor()),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version() + ("" if gil() else " without a GIL"),
        "gil": gil(),
        "build profile": "release",  # no other one is measured
        "commit": commit,
        "versions": {
            "more-executors": version_of("more-executors"),
            "the original": original.VERSION,
            "pytest-benchmark": version_of("pytest-benchmark"),
        },
    }


def gil() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def this_commit() -> str:
    commit = builds.git("rev-parse", "HEAD") or "none"
    return commit + (" and changes to it" if builds.git("status", "--porcelain", "--", *builds.SOURCES) else "")


def version_of(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed: run from the checkout"
