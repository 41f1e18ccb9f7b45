"""Two builds in turns, two records in a table, and some rows measured again: with figures that the test puts in."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("needs benchmarks/, which is not here", allow_module_level=True)

sys.path.append(str(ROOT))
try:
    from benchmarks import __main__ as command
    from benchmarks import before_after, builds, compare, page, rows, running, table
finally:
    sys.path.remove(str(ROOT))

OURS = rows.OURS


def of_ours(*values: float) -> dict[str, list[float]]:
    return {OURS: list(values)}


def test_each_turn_has_a_ratio_of_its_own() -> None:
    before = {rows.SUBMIT.title: of_ours(10.0, 20.0, 10.0), rows.CANCEL.title: of_ours(1.0)}
    after = {rows.SUBMIT.title: of_ours(15.0, 22.0, 12.0), rows.NOTIFY.title: of_ours(1.0)}
    (ratio,) = compare.ratios(before, after)
    assert (ratio.row, ratio.before, ratio.after, ratio.turns) == (rows.SUBMIT, 10.0, 12.0, [1.5, 1.1, 1.2])
    assert [cell.strip() for cell in compare.markdown([ratio]).splitlines()[-1].split("|")[4:-1]] == [
        "1.20",
        "1.10",
        "1.50",
    ]
    assert compare.missing(before, after) == [rows.CANCEL.title, rows.NOTIFY.title]


def test_slower_is_what_is_so_in_each_turn_and_more_than_a_little() -> None:
    def ratio(*turns: float) -> compare.Ratio:
        return compare.Ratio(rows.SUBMIT, 1.0, 1.0, list(turns))

    sure, surer, unsteady, little, faster = (
        ratio(1.1, 1.2, 1.3),
        ratio(1.4, 1.5),
        ratio(0.9, 1.5, 1.6),
        ratio(1.04, 1.05),
        ratio(0.5),
    )
    assert compare.slower([sure, surer, unsteady, little, faster]) == [surer, sure]


def test_both_sides_come_in_turns_and_neither_always_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def run(package: Path, scratch: Path, files: list[str], *options: str) -> tuple[dict[str, Any], bool]:
        asked.append((package.name if package == tmp_path else "this", files[0]))
        info = {"row": rows.SUBMIT.title, "who": OURS, "value": float(len(asked)), "per": 1}
        return {"benchmarks": [{"extra_info": info}]}, files[0] == ("a.py" if package == builds.ROOT else "b.py")

    monkeypatch.setattr(running, "run", run)
    before, after, failed = compare.in_turns(tmp_path, tmp_path, ["a.py", "b.py"], short=False)
    other = tmp_path.name
    turns = [(other, "this"), ("this", other), (other, "this")]
    assert asked == [(side, file) for file in ("a.py", "b.py") for turn in turns for side in turn]
    assert before == {rows.SUBMIT.title: of_ours(1, 4, 5, 7, 10, 11)}
    assert after == {rows.SUBMIT.title: of_ours(2, 3, 6, 8, 9, 12)}
    assert failed == {"b.py"}  # what the other commit cannot do is missing, and that is all


def record(commit: str, **turns: dict[str, list[float]]) -> dict[str, Any]:
    measured = {"commit": commit, "cpu": "one", "cores": 2, "system": "s", "python": "3", "date": "d"}
    return {"measured": {**measured, "build profile": "release"}, "turns": turns}


def test_before_and_after_stand_beside_their_references() -> None:
    pool, memory = rows.POOL.title, rows.MEMORY.title
    woken = {rows.NOTIFY.title: {OURS: [9e-6], rows.EVENT: [10e-6]}}
    before = record("a" * 40, **{pool: {OURS: [12e-6], rows.STDLIB_POOL: [10e-6]}, memory: of_ours(250.0)})
    after = record("b" * 40, **{pool: {OURS: [1e-6], rows.STDLIB_POOL: [8e-6, 20e-6]}, memory: of_ours(170.0), **woken})
    shown = before_after.markdown(before, after)
    assert "`aaaaaaaaaa` and `bbbbbbbbbb`" in shown
    lines = {cells[0]: cells[1:] for line in shown.splitlines() if "|" in line for cells in [split(line)]}
    assert lines[pool] == ["12 µs", "1 µs", rows.STDLIB_POOL, "1.2", "0.12"]
    assert lines[memory] == ["250 B", "170 B", "", "", ""]
    assert lines[rows.NOTIFY.title] == ["missing", "9 µs", rows.EVENT, "missing", "0.9"]
    assert rows.ASYNCIO.title not in lines, "of neither"


def split(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_rows_of_the_table_before_and_after_are_rows_of_the_benchmarks() -> None:
    for row, reference in before_after.ROWS:
        assert row in table.ALL_ROWS
        assert reference is None or reference.strip() == reference


def test_rows_that_are_measured_again_replace_those_on_record(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    first = record("a" * 40, one=of_ours(1.0), two=of_ours(2.0))
    again = record("b" * 40, two=of_ours(3.0))
    assert command.with_rows(path, again) == again
    path.write_text(json.dumps(first))
    merged = command.with_rows(path, again)
    assert merged["measured"] == first["measured"]
    assert merged["turns"] == {"one": of_ours(1.0), "two": of_ours(3.0)}
    assert [(later["commit"], later["rows"]) for later in merged["measured later"]] == [("b" * 40, ["two"])]


def test_a_row_that_takes_a_python_without_a_gil_is_missing_only_there() -> None:
    found = {row.title: of_ours(1.0) for row in table.ALL_ROWS if row is not rows.TWO_THREADS}
    assert table.not_in(found, gil=True) == []
    assert table.not_in(found, gil=False) == [rows.TWO_THREADS.title]
    lines = list(table.lines(found))
    assert rows.TWO_THREADS not in [line.row for line in lines]
    assert f"Not measured, as this Python has a GIL: {rows.TWO_THREADS.title}" in page.figures(
        lines, record("a" * 40)["measured"]
    )


def test_another_commit_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> builds.Other:
        raise builds.NothingToCompareError(f"no commit {name!r}")

    monkeypatch.setattr(builds, "chosen_by_user", nothing)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--compare", "nowhere"])
    assert command.main() == "NOT COMPARED: no commit 'nowhere'"
