"""The alert rules in docs/ ask for metrics that there are. What they do, tests/real/prometheus shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from more_executors import metrics

pytestmark = pytest.mark.skipif(not metrics.enabled, reason="needs metrics that are not switched off")

RULES = (Path(__file__).parents[2] / "docs" / "alert-rules.yml").read_text(encoding="utf-8")


def test_they_ask_for_what_there_is() -> None:
    from more_executors.metrics._families import families

    there = set()
    for family in families([]):
        suffix = {"counter": "_total", "histogram": "_bucket"}.get(family.type, "")
        there.add(family.name + suffix)
    asked = set(re.findall(r"more_executors_\w+", RULES)) - {"more_executors_"}
    assert len(asked) >= 9
    assert asked <= there


def test_each_says_for_how_long_how_bad_and_what_to_do() -> None:
    rules = RULES.split("- alert: ")[1:]
    assert len(rules) == 7
    for rule in rules:
        for part in ("expr: ", "for: ", "labels: {severity: ", "summary: ", "description: "):
            assert rule.count(part) == 1, rule
