"""What the source of the core must not have, as Cython makes something that crashes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[2] / "src_c").rglob("*.pxi"))


def handlers_that_are_left(source: str) -> list[str]:
    """The `return`, `break` and `continue` in `except` blocks, but for those of loops in them."""
    found: list[str] = []
    blocks: list[tuple[int, str]] = []  # that a line is in: how far it is indented, and how it begins
    for number, line in enumerate(source.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        while blocks and blocks[-1][0] >= indent:
            blocks.pop()
        word = re.match(r"\w*", text)[0]  # type: ignore[index]
        inside = [block for _, block in blocks]
        if word in ("return", "break", "continue") and "except" in inside:
            loops = "for" in inside[inside.index("except") :] or "while" in inside[inside.index("except") :]
            if word == "return" or not loops:
                found.append(f"{number}: {text}")
        blocks.append((indent, word))
    return found


@pytest.mark.skipif(not SOURCES, reason="the source is not here")
@pytest.mark.parametrize("source", SOURCES, ids=[source.stem for source in SOURCES])
def test_no_handler_is_left_early(source: Path) -> None:
    """Without memory for a traceback there is none, and Cython 3.3 drops a reference to nothing then."""
    assert not handlers_that_are_left(source.read_text())


@pytest.mark.skipif(not SOURCES, reason="the source is not here")
@pytest.mark.parametrize("source", SOURCES, ids=[source.stem for source in SOURCES])
def test_no_comprehension_is_of_what_a_call_returns(source: Path) -> None:
    """Without memory for the list, Cython 3.3 drops such an item twice."""
    assert not re.findall(r"\[[^\[\]]*\w\([^\[\]]*\) for ", source.read_text())


def test_such_a_handler_is_found() -> None:
    text = "try:\n    f()\nexcept E as error:\n    for i in x:\n        break\n    return 1\nreturn 2\n"
    assert handlers_that_are_left(text) == ["6: return 1"]
