"""The figures that benchmarks write into the guide: where they go, and that no target of ours is among them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("needs benchmarks/, which is not here", allow_module_level=True)

sys.path.append(str(ROOT))
try:
    from benchmarks import page, table
finally:
    sys.path.remove(str(ROOT))

PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_figures_replace_those_that_are_there_and_nothing_else() -> None:
    first = page.with_figures(PAGE, "| a table |\n")
    assert "| a table |" in first
    assert "1,000,000 outstanding" not in first.partition(page.BEGIN)[2].partition(page.END)[0]
    assert page.with_figures(page.with_figures(PAGE, "other figures\n"), "| a table |\n") == first
    shown = PAGE.partition(page.BEGIN)[2].partition(page.END)[0]
    assert page.with_figures(first, shown.strip() + "\n") == PAGE


def test_a_page_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="must be in the page"):
        page.with_figures("# Performance\n", "figures")


def test_tables_show_no_target_and_one_notation(monkeypatch: pytest.MonkeyPatch) -> None:
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    measured = [row for row in table.ALL_ROWS if row.title in results["turns"]]
    monkeypatch.setattr(table, "ALL_ROWS", measured)
    lines = list(table.lines(results["turns"]))
    assert any(line.missed() for line in lines)  # which is for those who work on it
    shown = page.figures(lines, results["measured"])
    assert not re.search(r"target|\bmet\b|≤|\*\*", shown)
    ratios = [row.split("|")[5].strip() for row in table.markdown(lines).splitlines()[2:]]
    assert all(re.fullmatch(r"[\d,]+|\d\.\d|0\.\d+|", ratio) for ratio in ratios), ratios
