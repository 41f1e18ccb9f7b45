"""The version is written in one place."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

import more_executors

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_the_version_is_the_one_that_is_installed() -> None:
    assert more_executors.__version__ == version("more-executors")


def test_the_version_is_one_that_packages_may_have() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?", more_executors.__version__)


def test_import_star_leaves_the_version_out() -> None:
    assert "__version__" not in more_executors.__all__


@pytest.mark.skipif(not PYPROJECT.exists(), reason="the source is not here")
def test_the_version_is_nowhere_else() -> None:
    assert not re.search(r"^version = \"", PYPROJECT.read_text(encoding="utf-8"), re.MULTILINE)
