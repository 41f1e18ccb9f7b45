"""The alert rules in docs/: Prometheus takes them, and each fires when it should and at no other time."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from support import CHILD_PATIENCE

RULES = Path(__file__).parents[3] / "docs" / "alert-rules.yml"
TESTS = Path(__file__).with_name("alert_tests.yml")


def passes(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_them(prometheus_programs: tuple[str, str]) -> None:
    passes(prometheus_programs[1], "check", "rules", str(RULES))


def test_each_fires_when_it_should(prometheus_programs: tuple[str, str]) -> None:
    passes(prometheus_programs[1], "test", "rules", str(TESTS))


def test_of_each_it_is_tested_that_it_fires_and_that_it_does_not() -> None:
    names = set(re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8")))
    tests = TESTS.read_text(encoding="utf-8")
    assert len(names) == 7
    assert set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n +- exp_labels", tests)) == names
    for well in re.findall(r"- name: (?:all is well|nothing goes on)\n.*?(?=\n  - name|\Z)", tests, re.DOTALL):
        assert set(re.findall(r"alertname: (\w+), exp_alerts: \[\]", well)) == names
