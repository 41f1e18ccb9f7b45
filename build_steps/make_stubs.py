"""Makes a stub of a module that has its types inline: what a type checker needs to know of it, without the code.

`mypy --follow-imports skip` reads the types of other packages from stubs only. `setup.py` puts those that this makes
into wheels, beside the modules. In a checkout there are none: they would keep type checkers from the code.

A stub has

* imports, classes, functions without their bodies, and assignments, as the module has them;
* what is below `if TYPE_CHECKING:`, without the condition; nothing that is below another one;
* of a function with overloads, only these.

So a class in `__all__` has to declare its public attributes, not just assign to them: SyntaxError else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

KEPT = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Try)
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def stub_of(source: str, path: str) -> str:
    """The stub of the module with this `source`; `path` is where it is, for the first line and for errors."""
    module = ast.parse(source, path)
    public = public_names(module)
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name in public:
            check_attributes(node, path)
    module.body = [*without_code(module.body)]
    return f"# Made of {path} by make_stubs.py.\n\n{ast.unparse(ast.fix_missing_locations(module))}\n"


def without_code(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that a stub has of the `body` of a module or a class."""
    body = [*as_checked(body)]
    overloaded = {node.name for node in body if isinstance(node, FUNCTION) and is_overload(node)}
    for node in body:
        if isinstance(node, FUNCTION):
            if is_overload(node) or node.name not in overloaded:
                node.body = [ast.Expr(ast.Constant(...))]
                yield node
        elif isinstance(node, ast.ClassDef):
            node.body = [*without_code(node.body)] or [ast.Expr(ast.Constant(...))]
            yield node
        elif isinstance(node, KEPT):
            yield node


def as_checked(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of `body` that type checkers look at."""
    for node in body:
        if not isinstance(node, ast.If):
            yield node
        elif ast.unparse(node.test) == "TYPE_CHECKING":
            yield from as_checked(node.body)


def is_overload(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(decorator, ast.Name) and decorator.id == "overload" for decorator in function.decorator_list)


def public_names(module: ast.Module) -> set[str]:
    """What is in `__all__`."""
    for node in module.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and list(map(ast.unparse, targets_of(node))) == ["__all__"]:
            return set(ast.literal_eval(node.value)) if node.value else set()
    return set()


def check_attributes(class_: ast.ClassDef, path: str) -> None:
    """Raise SyntaxError if a method assigns to a public attribute that `class_` does not declare."""
    declared = {f"self.{ast.unparse(target)}" for node in class_.body for target in targets_of(node)}
    for node in ast.walk(class_):
        for target in map(ast.unparse, targets_of(node)):
            if target.startswith("self.") and not target.startswith("self._") and target not in declared:
                raise SyntaxError(f"{path}: class {class_.name} does not declare {target}")


def targets_of(node: ast.AST) -> list[ast.expr]:
    """What an assignment assigns to, or a declaration declares."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []
