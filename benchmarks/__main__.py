"""Run all benchmarks, print the tables, and write them down with the plot: `python -m benchmarks [--short]`.

    benchmarks/results.json     the rows with their targets, the value of each turn, and the machine
    docs/performance.md         the tables in it
    docs/outstanding.png        the plot

It also says which targets were missed. Those are for whoever works on the library, and are in no page of the guide.

With `--short` everything is tiny and nothing is written there: it shows that all of it runs, and no more. To run only
some of them: `python -m pytest benchmarks/bench_submit.py --benchmark-verbose`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from more_executors import _core

from . import original, page, table
from .plot import draw

HERE = Path(__file__).parent
ROOT = HERE.parent
DOCS = ROOT / "docs"


def main() -> int | str:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the library costs.")
    parser.add_argument("--short", action="store_true", help="check that everything runs; the figures mean nothing")
    short = parser.parse_args().short
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        report = run_pytest(scratch, short)
        if report is None:
            return "a benchmark failed"
        found = table.found_in(report["benchmarks"])
        if lost := table.not_in(found):
            return f"not measured: {', '.join(lost)}"
        machine = about(report)
        lines = list(table.lines(found))
        figures = page.figures(lines, machine)
        print(f"\n{figures}")
        for missed in filter(None, (line.missed() for line in lines)):
            print(f"above its target: {missed}")
        if short:
            write(scratch, scratch, machine, lines, found, figures)
            print("A short run: everything ran, the figures mean nothing.")
        else:
            write(HERE, DOCS, machine, lines, found, figures)
            print("Written: benchmarks/results.json, docs/performance.md, docs/outstanding.png")
    return 0


def run_pytest(scratch: Path, short: bool) -> dict[str, Any] | None:
    """Run the benchmarks; returns the report of pytest-benchmark, or None if one of them failed."""
    report = scratch / "report.json"
    command = [sys.executable, "-m", "pytest", str(HERE), f"--benchmark-json={report}"]
    command += [f"--benchmark-storage={scratch.as_uri()}", *(["--short"] if short else [])]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        return None
    loaded: dict[str, Any] = json.loads(report.read_text())
    return loaded


def about(report: dict[str, Any]) -> dict[str, Any]:
    """Where, when and with what this was measured."""
    cpu, commit = report["machine_info"]["cpu"], report["commit_info"]
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "cpu": cpu.get("brand_raw", platform.processor()),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "build profile": _core.BUILD_PROFILE,
        "commit": commit.get("id", "none") + (" and changes to it" if commit.get("dirty") else ""),
        "versions": {
            "more-executors": version_of("more-executors"),
            "the original": original.VERSION,
            "pytest-benchmark": version("pytest-benchmark"),
        },
    }


def version_of(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed: run from the checkout"


def write(
    results: Path,
    docs: Path,
    machine: dict[str, Any],
    lines: list[table.Line],
    found: table.Found,
    figures: str,
) -> None:
    """Write the results into the folder `results`, the plot and the page into the folder `docs`."""
    record = {"measured": machine, "table": [line.record() for line in lines], "turns": found}
    (results / "results.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    shown = page.with_figures((DOCS / "performance.md").read_text(encoding="utf-8"), figures)
    (docs / "performance.md").write_text(shown, encoding="utf-8")
    draw(found, docs / "outstanding.png")


if __name__ == "__main__":
    sys.exit(main())
