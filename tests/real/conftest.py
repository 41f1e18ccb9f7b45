"""What is in here is marked `real`, and what was not run is said last, with its reason.

A suite has a folder. Its fixture gets what it needs by `debian_support`, which skips where that is not to be had.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("real")


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    reasons = {(report.nodeid.split("::")[0], report.longrepr[2].removeprefix("Skipped: ")) for report in skipped}
    for path, reason in sorted(reasons):
        print(f"NOT RUN: {path}: {reason}")
    if reasons:
        print(f"NOT RUN, see above: {len(skipped)} of the tests against real services")
