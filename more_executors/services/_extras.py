"""Packages that an adapter needs and the library does not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__: list[str] = []


def needed(module: str, extra: str, by: object) -> Any:
    """Import `module` for the adapter `by`. Raises ImportError with the `extra` to install if it is not there."""
    try:
        return import_module(module)
    except ImportError as error:
        kind = type(by).__name__
        text = f"{kind} needs {module.partition('.')[0]}: pip install 'more-executors[{extra}]' ({error})"
        raise ImportError(text, name=error.name, path=error.path) from error
