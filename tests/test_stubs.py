"""What a build makes of a module, for type checkers that read stubs only."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

MAKER = Path(__file__).parent.parent / "build_steps" / "make_stubs.py"

pytestmark = pytest.mark.skipif(not MAKER.exists(), reason="make_stubs.py is in the source only")

SOURCE = '''
"""A module."""
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from typing_extensions import Self
    MOST = 3
else:
    MOST = int("3")

for index in range(MOST):
    print(index)

@overload
def twice(x: int) -> int: ...
@overload
def twice(x: str) -> str: ...
def twice(x):
    """Twice that."""
    return x + x

class Thing(list[int]):
    """A thing."""

    size: int = 4

    if TYPE_CHECKING:

        def typed(self) -> Self: ...

    def __init__(self, size: int = 4) -> None:
        self.size = self._size = size

    async def wait(self) -> None:
        await self.done

class Empty:
    """Nothing but this."""
'''

STUB = """\
from typing import TYPE_CHECKING, overload
from typing_extensions import Self
MOST = 3

@overload
def twice(x: int) -> int:
    ...
@overload
def twice(x: str) -> str:
    ...

class Thing(list[int]):
    size: int = 4

    def typed(self) -> Self:
        ...

    def __init__(self, size: int=4) -> None:
        ...

    async def wait(self) -> None:
        ...

class Empty:
    ...
"""


@pytest.fixture(scope="module")
def stub_of() -> Callable[[str, str], str]:
    return runpy.run_path(str(MAKER))["stub_of"]  # type: ignore[no-any-return]


def test_a_stub_has_the_types_and_no_code(stub_of: Callable[[str, str], str]) -> None:
    assert ast.dump(ast.parse(stub_of(SOURCE, "module.py"))) == ast.dump(ast.parse(STUB))


def test_a_public_class_has_to_declare_its_public_attributes(stub_of: Callable[[str, str], str]) -> None:
    source = "class Thing:\n    a: int\n    def __init__(self):\n        self.a = self._b = 1\n        self.c = 2\n"
    assert stub_of(source, "module.py")
    with pytest.raises(SyntaxError, match=r"module\.py: class Thing does not declare self\.c"):
        stub_of(f"__all__ = ['Thing']\n{source}", "module.py")
