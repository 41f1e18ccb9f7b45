"""Tasks with keys: how a program names what it starts, and what is to become of a start that is in doubt."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from json.encoder import encode_basestring_ascii
from math import isfinite
from types import FunctionType
from typing import Any, SupportsIndex, TypeAlias, cast

from .._callables import check_optional_callable
from .._checks import checked_flag, shown
from ._codec import encode_json

__all__: list[str] = []

Find: TypeAlias = "Callable[[list[Any]], Mapping[Any, Any] | Awaitable[Mapping[Any, Any]]] | None"

IN_DOUBT = ("fail", "start")
LONGEST_KEY = 10_000  # characters of its JSON
DEEPEST_KEY = 20


class Keys:
    """What `submit_once` of a poll executor does: `PollExecutor(..., journal=journal, keys=Keys("night"))`."""

    __slots__ = ("find_fn", "in_doubt", "keep_results", "namespace", "retry_failed")

    def __init__(
        self,
        namespace: str = "",
        *,
        in_doubt: str = "fail",
        find_fn: Find = None,
        retry_failed: bool = True,
        keep_results: bool = True,
    ) -> None:
        """
        Args:
            namespace: a key is unique within a journal and this.
            in_doubt: what to do about a key whose start was recorded as meant, but not whether the service accepted it:
                "fail" its future with `StartInDoubt`, or "start" it again. With "start", functions get one keyword
                more: `token`, a str that is the same in every run until the task has ended. A service that accepts such
                tokens starts nothing twice.
            find_fn: gets a list of keys in doubt; a mapping of those that the service knows to what the start function
                would have returned. Those are polled, the others started; where it cannot be known, it has a
                `StartInDoubt` for a key, and its future fails with one. May be an `async def`. Instead of `in_doubt`.
            retry_failed: whether the next run starts tasks again that failed; else their futures fail again. One run is
                one executor. A task fails if its descriptor is told so, or it is late and has to be cancelled.
            keep_results: whether results are recorded. Else only that a task has ended is, and in the next run its
                result is None.

        Raises TypeError or ValueError if one of these cannot be used.
        """
        if not isinstance(namespace, str):
            raise TypeError(f"namespace must be a str, not {shown(namespace)}")
        if in_doubt not in IN_DOUBT:
            raise ValueError(f"in_doubt must be 'fail' or 'start', not {shown(in_doubt)}")
        check_optional_callable("find_fn", find_fn, awaited=True)
        if find_fn is not None and in_doubt != "fail":
            raise ValueError(f"in_doubt must not be {shown(in_doubt)} with a find_fn: that says what to start")
        check_storable_text("namespace", namespace)
        self.namespace = namespace
        self.in_doubt = in_doubt
        self.find_fn = find_fn
        self.retry_failed = checked_flag("retry_failed", retry_failed)
        self.keep_results = checked_flag("keep_results", keep_results)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return super().__reduce_ex__(max(2, protocol.__index__()))  # the older ones know no slots

    def __repr__(self) -> str:
        return f"Keys({self.namespace!r})"


def text_of_key(key: object) -> str:
    """The JSON of `key`, by which it is on record.

    Raises TypeError or ValueError unless it is a str, a number, None, a bool, or a list or tuple of keys.
    """
    if type(key) is str and len(key) < LONGEST_KEY // 6:
        return encode_basestring_ascii(key)
    check_key(key, key, 0)
    text = encode_json(key)
    if len(text) > LONGEST_KEY:
        raise ValueError(f"key must have at most {LONGEST_KEY} characters as JSON, not {len(text)}: {shown(key)}")
    return text


def check_key(part: object, key: object, depth: int) -> None:
    if isinstance(part, (list, tuple)):
        if depth == DEEPEST_KEY:
            raise ValueError(f"key must not have lists within lists more than {DEEPEST_KEY} deep: {shown(key)}")
        for item in cast("list[object]", part):
            check_key(item, key, depth + 1)
    elif isinstance(part, float):
        if not isfinite(part):
            raise ValueError(f"key must not have {shown(part)} in it, which JSON cannot express: {shown(key)}")
    elif not isinstance(part, (str, int)) and part is not None:
        where = "" if part is key else f", which has {shown(part)} in it"
        raise TypeError(f"key must be a str, a number, None, or a list of these, not {shown(key)}{where}")


def key_of_text(text: str) -> Any:
    """The key whose JSON is `text`, with tuples in the place of lists, so that it can be one of a dict."""
    return hashable(json.loads(text))


def hashable(key: object) -> Any:
    return tuple(map(hashable, cast("list[object]", key))) if isinstance(key, list) else key


def check_takes_token(fn: Any) -> None:
    """Raise TypeError unless `fn` can be called with a keyword `token`."""
    if type(fn) is FunctionType:
        code = fn.__code__
        names = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
        takes = "token" in names or bool(code.co_flags & inspect.CO_VARKEYWORDS)
    else:
        takes = takes_token(fn)
    if not takes:
        raise TypeError(f"fn must have a parameter called token, as in_doubt is 'start': {shown(fn)}")


def takes_token(fn: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # of some functions in C it is not known
        return True
    kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(p.kind is p.VAR_KEYWORD or (p.name == "token" and p.kind in kinds) for p in parameters)


def check_storable_text(what: str, text: str) -> None:
    """Raise ValueError if `text` has no form in UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} must have a form in UTF-8, not {shown(text)}") from None
