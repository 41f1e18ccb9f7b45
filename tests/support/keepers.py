"""Who keeps objects alive that a test has left behind: for the message of its failure."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import Any

MANY = 100  # objects whose referrers are looked for: for each, the collector goes through all objects there are


def kept_by(is_one: Callable[[object], bool]) -> str:
    """Chains of objects, each referring to the next, that end in one that `is_one`.

    They begin with what is always there, or with what the collector sees no reference to.
    If such a thing has no business to be alive, something refers to it that the collector does not see.
    """
    found: dict[int, Any] = {id(thing): thing for thing in gc.get_objects() if is_one(thing)}
    reasons: dict[int, int] = dict.fromkeys(found, 0)  # what each refers to
    to_look_at = deque(found.values())
    not_theirs = {id(found), id(to_look_at)}
    chains: list[str] = []
    for _ in range(MANY):
        if not to_look_at:
            break
        thing = to_look_at.popleft()
        referrers = [each for each in gc.get_referrers(thing) if id(each) not in not_theirs]
        if not referrers or is_always_there(thing):
            chains.append(chain_from(id(thing), found, reasons))
        else:
            for each in referrers:
                if id(each) not in found:
                    found[id(each)] = each
                    reasons[id(each)] = id(thing)
                    to_look_at.append(each)
        del thing, referrers
    return "\n".join(sorted(set(chains))) or "only each other, as far as the collector sees"


def is_always_there(thing: Any) -> bool:
    return is_a(thing, FrameType, ModuleType) or (is_a(thing, dict) and "__builtins__" in thing)


def is_a(thing: object, *kinds: type) -> bool:
    return issubclass(type(thing), kinds)  # it may be a proxy, which would have to be asked otherwise


def chain_from(number: int, found: dict[int, Any], reasons: dict[int, int]) -> str:
    links: list[str] = []
    while number:
        links.append(name_of(found[number]))
        number = reasons[number]
    return " -> ".join(links)


def name_of(thing: Any) -> str:
    if is_a(thing, FrameType):
        return f"frame of {thing.f_code.co_name} in {thing.f_code.co_filename}, line {thing.f_lineno}"
    if is_a(thing, dict) and is_always_there(thing):
        return f"globals of {thing.get('__name__')}"
    return str(thing.__qualname__ if is_a(thing, FunctionType, MethodType, type) else type(thing).__qualname__)
