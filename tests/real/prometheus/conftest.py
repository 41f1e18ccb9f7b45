"""The programs of Debian's package `prometheus`."""

from __future__ import annotations

import pytest
from debian_support import unpacked


@pytest.fixture(scope="session")
def prometheus_programs() -> tuple[str, str]:
    """Where `prometheus` and `promtool` are."""
    prometheus, promtool = unpacked("prometheus", "prometheus", "promtool")
    return prometheus, promtool
