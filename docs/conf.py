"""How Sphinx builds the guide: `make docs`."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

import more_executors

project = "more_executors"
author = "The more_executors developers"
project_copyright = author
release = version = more_executors.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"{project} {release}"
html_show_sphinx = False

add_module_names = False
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # generics and overloads are for type checkers; the reference says it in words
autodoc_preserve_defaults = True
autodoc_mock_imports = [name for name in ("cloudpickle", "distributed") if find_spec(name) is None]
maximum_signature_line_length = 88
nitpicky = True

# -- docstrings ------------------------------------------------------------------------------------------------------
#
# They are plain text: `name` in single backticks, examples that are indented, and a section of arguments. This makes
# reST of it: what has an entry in the reference becomes a link, everything else in backticks a literal, an indented
# example a code block, and arguments fields.

DOCUMENTED = {name for name in more_executors.__all__ if name != "futures"}
ARGUMENTS = "Args:"
SAYS_NOTHING = ("Make it.", "Start polling.")  # what `__init__` does, below what the class is


def target_of(name: str) -> str | None:
    """The full name of what `name` is in the reference."""
    if name not in DOCUMENTED:
        return None
    if name == "Executors":
        return "more_executors.Executors"
    if name == "PollDescriptor":  # it is made in the extension
        return "more_executors.poll.PollDescriptor"
    module = "more_executors.futures" if name.startswith("f_") else getattr(more_executors, name).__module__
    return f"{module}.{name}"


def literals(text: str, own_name: str) -> str:
    """`text` with its single backticks replaced by what they stand for in reST."""

    def replacement(match: re.Match[str]) -> str:
        target = target_of(match[1])
        return f":py:obj:`{match[1]} <{target}>`" if target and target != own_name else f"``{match[1]}``"

    return re.sub(r"(?<![`:])`([^`\n]+)`(?!`)", replacement, text)


def as_rest(lines: list[str], own_name: str) -> list[str]:
    """The lines of a docstring as reST."""
    made: list[str] = []
    inside = ""  # what the indented lines belong to
    for line in lines:
        if line and not line.startswith(" "):
            inside = ARGUMENTS if line == ARGUMENTS else "text"
            if inside == ARGUMENTS or line in SAYS_NOTHING:
                continue
        elif line.startswith("    ") and inside != ARGUMENTS and made and not made[-1]:
            if inside == "text":
                made += [".. code-block:: python", ""]
            inside = "example"
        if inside == ARGUMENTS and re.match(r"    \w+: ", line):
            line = f":param {line.strip()}"
        made.append(line if inside == "example" else literals(line, own_name))
    return made


def process_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = as_rest(lines, name)


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", process_docstring)
