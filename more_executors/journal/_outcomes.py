"""Errors as values that a codec can encode, and back."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from .._checks import shown
from ._key_errors import RecordedError

__all__: list[str] = []


def value_of_error(error: BaseException) -> dict[str, Any]:
    """What is recorded of `error`: its class, its arguments and its text.

    Arguments that are a `datetime`, as `TaskMissing` has one, are recorded as text, and it is said which they are.
    """
    args = [arg.isoformat() if type(arg) is datetime else arg for arg in error.args]
    value = {"type": name_of_type(error), "args": args, "text": text_of(error)}
    if moments := [place for place, arg in enumerate(error.args) if type(arg) is datetime]:
        value["moments"] = moments
    return value


def without_arguments(error: BaseException) -> dict[str, Any]:
    """The same of an error whose arguments cannot be encoded."""
    text = text_of(error).encode("utf-8", "backslashreplace").decode()
    return {"type": name_of_type(error), "args": None, "text": text}


def name_of_type(error: BaseException) -> str:
    kind = type(error)
    return f"{kind.__module__}:{kind.__qualname__}"


def error_of_value(value: Any) -> BaseException:
    """An exception as the one that `value` was made of, if its class is known here; else a RecordedError.

    Nothing is imported for that.
    """
    module, _, name = value["type"].partition(":")
    if value["args"] is not None and (kind := known_class(module, name)) is not None:
        try:
            args = list(value["args"])
            for place in value.get("moments", ()):
                args[place] = datetime.fromisoformat(args[place])
            error = kind(*args)
            if type(error) is kind and value_of_error(error) == value:
                return error
        except Exception:
            pass  # its class has changed, or takes other arguments than it keeps
    return RecordedError(name if module == "builtins" else f"{module}.{name}", value["text"])


def known_class(module: str, name: str) -> type[Exception] | None:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return shown(error)


def text_of_value(encoded: str | bytes | None) -> str | None:
    """What a codec made of a value, as text."""
    return encoded.hex() if isinstance(encoded, bytes) else encoded
