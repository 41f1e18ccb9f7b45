"""The typed examples run as they are written; `make lint` has mypy and pyright check them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import more_executors

TYPED = sorted((Path(__file__).parent / "typed").glob("*.py"))


def test_the_package_says_it_is_typed() -> None:
    package = Path(more_executors.__file__).parent
    assert (package / "py.typed").exists()
    assert (package / "_core.pyi").exists()


@pytest.mark.parametrize("example", TYPED, ids=[path.stem for path in TYPED])
def test_a_typed_example_does_what_its_types_say(example: Path) -> None:
    module = runpy.run_path(str(example))
    assert len(module["right"]()) == 4
