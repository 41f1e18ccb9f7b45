"""Comparing instruction counts: what is made of counts that the test puts in, and of what callgrind writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("needs benchmarks/, which is not here", allow_module_level=True)

sys.path.append(str(ROOT))
try:
    from benchmarks import builds
    from benchmarks.gate import __main__ as gate
    from benchmarks.gate import callgrind, verdict
    from benchmarks.gate.callgrind import Counts, Side
    from benchmarks.gate.operations import OPERATIONS
finally:
    sys.path.remove(str(ROOT))


def side(faults: dict[str, str] | None = None, **instructions: float) -> Side:
    return Side({name: Counts(count, 1.0) for name, count in instructions.items()}, faults or {})


# -- what is said of counts


def test_more_than_three_per_cent_is_too_much() -> None:
    before, after = side(submit=1000, cancel=1000), side(submit=1029, cancel=1031)
    found = verdict.lines(before, after)
    assert [line.name for line in found] == ["cancel", "submit"]  # the worst first
    (complaint,) = verdict.complaints(found, after, {})
    assert complaint.startswith("cancel takes 3.1% more")


def test_the_table_has_a_line_for_each_operation_with_both_counts() -> None:
    table = verdict.table(verdict.lines(side(submit=1000, cancel=20.25), side(submit=1050, cancel=20.25)))
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert cells == [
        ["submit", "1,000", "1.0", "1,050", "1.0", "+5.0%"],
        ["cancel", "20.2", "1.0", "20.2", "1.0", "+0.0%"],
    ]


def test_what_the_other_commit_cannot_do_is_said_and_is_no_reason_to_fail() -> None:
    before, after = side({"zip": "AttributeError: f_zip"}, submit=1000), side(submit=1000, zip=500)
    found = verdict.lines(before, after)
    assert not verdict.complaints(found, after, {})
    assert verdict.remarks(before, {}) == ["zip: not compared, as the other commit cannot do it: AttributeError: f_zip"]
    assert verdict.table(found).splitlines()[2].replace(" ", "") == "|zip|-|-|500|1.0||"


def test_what_this_tree_cannot_do_is_a_reason_to_fail() -> None:
    before, after = side(submit=1000, zip=500), side({"zip": "ValueError"}, submit=1000)
    assert verdict.complaints(verdict.lines(before, after), after, {}) == ["zip cannot be done: ValueError"]


def test_a_commit_may_say_that_an_operation_is_slower_and_by_how_much() -> None:
    message = "Have submit look twice\n\nIt missed some.\n\nSlower: submit by 6 %\nSlower: due pass by 4.5%\n"
    allowed = verdict.allowed_in(message)
    assert allowed == {"submit": 0.06, "due pass": 0.045}
    before = side(submit=1000, cancel=1000)
    for instructions, complaints in ((1059, 0), (1061, 1)):
        after = side(submit=instructions, cancel=1000)
        assert len(verdict.complaints(verdict.lines(before, after), after, allowed)) == complaints
    slower = side(submit=1000, cancel=1050)
    assert len(verdict.complaints(verdict.lines(before, slower), slower, allowed)) == 1


def test_of_several_layouts_the_lowest_count_of_each_is_taken() -> None:
    first = Side({"a": Counts(10, 2), "b": Counts(5, 1)}, {})
    assert first.least(Side({"a": Counts(9, 3)}, {})).counts == {"a": Counts(9, 2), "b": Counts(5, 1)}


# -- the whole of it, with counts of the test's


def run_gate(monkeypatch: pytest.MonkeyPatch, after: dict[int, float], *arguments: str) -> tuple[int, list[int]]:
    """`main()` where submit takes 1000 before, and after what is here for the layout; and the layouts counted."""
    layouts: list[int] = []

    def count(package: Path, mark: Path, layout: int, names: list[str], scratch: Path) -> Side:
        if package == builds.ROOT:
            layouts.append(layout)
            return side(submit=after.get(layout, after[1]))
        return side(submit=1000)

    monkeypatch.setattr(sys, "argv", ["gate", *arguments])
    monkeypatch.setattr(gate, "count", count)
    monkeypatch.setattr(gate, "mark_library", lambda folder: folder)
    monkeypatch.setattr(builds, "chosen_by_default", lambda: builds.Other("f" * 40, "the parent"))
    monkeypatch.setattr(builds, "built", lambda commit: Path(commit))
    monkeypatch.setattr(builds, "git", lambda *arguments: None)
    return gate.main(), layouts


def test_it_ends_with_0_where_nothing_is_slower(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_gate(monkeypatch, {1: 1001}) == (0, [1])
    assert "ffffffffff (the parent)" in capsys.readouterr().out


def test_it_ends_with_1_where_something_is_slower(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_gate(monkeypatch, {1: 1050}) == (1, [1, 2, 3, 4])
    assert "submit takes 5.0% more instructions, and 3% is the limit" in capsys.readouterr().out


def test_what_only_looks_slower_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_gate(monkeypatch, {1: 1050, 3: 1000}) == (0, [1, 2, 3, 4])


def test_it_ends_with_2_where_nothing_can_be_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["gate"])
    monkeypatch.setattr(builds, "chosen_by_default", lambda: builds.Other("f" * 40, "the parent"))
    assert gate.main() == 2
    assert "NOT COMPARED: valgrind is not installed here" in capsys.readouterr().out


# -- what callgrind writes


def dump(trigger: str, totals: str) -> str:
    events = "Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw"
    return (
        f"version: 1\ncmd:  python\ndesc: Trigger: {trigger}\n\nevents: {events}\nfn=(1) f\n1 5 6\n\ntotals: {totals}\n"
    )


def test_an_operation_is_the_difference_of_two_counts() -> None:
    dumps = [
        dump("Client Request: due pass: 100", "5000 9 9 9 9 9 1 2 3"),
        dump("Client Request: due pass: 600", "15000 9 9 9 9 9 1 102 403"),
        dump("Client Request: submit: 100", "7 1"),
        dump("Program termination", "1 2 3"),
    ]
    assert callgrind.counts_in(dumps) == {"due pass": Counts(20.0, 1.0)}


def test_zeros_at_the_end_are_not_written() -> None:
    assert callgrind.total_of(dump("Client Request: a: 1", "7 1")) == Counts(7, 0)


def test_every_operation_can_be_done(tmp_path: Path) -> None:
    """In a process of its own, as nothing of it is put away."""
    program = f"""
import os, sys, tempfile
sys.path.append({str(ROOT)!r})
tempfile.tempdir = {str(tmp_path)!r}
from benchmarks.gate.operations import OPERATIONS
for operation in OPERATIONS.values():
    operation.prepare(100)()
print(len(OPERATIONS), flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert (done.stdout, done.stderr) == (f"{len(OPERATIONS)}\n", "")
