"""Run all benchmarks, print the tables, and write them down with the plot: `python -m benchmarks [--short]`.

    benchmarks/results.json     the tables, the value of each turn, and the machine
    benchmarks/results.md       the tables, to be shown
    docs/outstanding.png        the plot

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

from . import layer_table, original, table
from .plot import draw

HERE = Path(__file__).parent
ROOT = HERE.parent

NOTES = """\
Times and sizes are for one future, those of wake-ups and of the GIL for one event. Each is the best of several turns in
which ours and the references alternate. Lines without a target are there to be fair.
"""

LAYERED = """\
Each executor and each function by itself: the time for one future, by how many there are. Executors stand on a sync
delegate, and it is from submit to done. Functions get futures of the standard library, and it is from the call until
what they gave is done, those being made done one by one included.
"""


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
        results, picture = (
            (scratch, scratch / "outstanding.png") if short else (HERE, ROOT / "docs" / "outstanding.png")
        )
        machine = about(report)
        lines = list(table.lines(found))
        shown = table.markdown([line for line in lines if line.row.in_table])
        layered = layer_table.markdown(lines)
        text = f"{shown}\n{headline(machine)}.\n\n{NOTES}\n{LAYERED}\n{layered}"
        write(results, picture, machine, lines, found, text)
        print(f"\n{text}")
        if short:
            print("A short run: everything ran, the figures mean nothing.")
        else:
            print(f"Written: {', '.join(str(p.relative_to(ROOT)) for p in (results / 'results.json', picture))}")
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


def headline(machine: dict[str, Any]) -> str:
    return "{cpu}, {cores} cores, {system}, Python {python}, {build profile} build, {date}".format(**machine)


def write(
    results: Path,
    picture: Path,
    machine: dict[str, Any],
    lines: list[table.Line],
    found: table.Found,
    text: str,
) -> None:
    record = {"measured": machine, "table": [line.record() for line in lines], "turns": found}
    (results / "results.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (results / "results.md").write_text(text, encoding="utf-8")
    picture.parent.mkdir(exist_ok=True)
    draw(found, picture)


if __name__ == "__main__":
    sys.exit(main())
