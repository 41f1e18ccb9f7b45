"""What the functions on futures do not take."""

# pyright: strict

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from more_executors import (
    f_and,
    f_apply,
    f_flat_map,
    f_map,
    f_nocancel,
    f_or,
    f_proxy,
    f_return,
    f_return_error,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
)


def spell(number: int) -> str:
    return f"{number}"


def spell_later(number: int) -> Future[str]:
    return f_return(spell(number))


def for_one_kind(error: ValueError) -> None:
    return None


def transformed(text: Future[str], number: Future[int]) -> None:
    f_map("four", spell)  # wrong: that is no future
    f_map(text, spell)  # wrong: it is given a str
    f_map(number, 5)  # wrong: that is no function
    f_map(number, spell, for_one_kind)  # wrong: it may be given any exception
    f_flat_map(number, spell)  # wrong: it does not return a future
    f_flat_map(text, spell_later)  # wrong: it is given a str
    wrong: int = f_map(number, spell).result()  # wrong: it is a str
    print(wrong)


def collected(text: Future[str], number: Future[int], function: Future[Callable[[int], str]]) -> None:
    f_zip(text, "four")  # wrong: that is no future
    wrong: tuple[int, str] = f_zip(text, number).result()  # wrong: it is the other way round
    print(f_zip(text, number).result().f2)  # wrong: there are two
    f_sequence([text, "four"])  # wrong: that is no future
    f_sequence(text)  # wrong: that is one future
    f_traverse(spell, [4])  # wrong: it does not return a future
    f_traverse(spell_later, ["four"])  # wrong: it is given a str
    f_apply(number, number)  # wrong: the first future gives no function
    f_apply(function, 4)  # wrong: that is no future
    other: int = f_apply(function, number).result()  # wrong: it is a str
    print(wrong, other)


def chosen(text: Future[str], number: Future[int]) -> None:
    f_or()  # wrong: it takes one at least
    f_or(text, "four")  # wrong: that is no future
    f_and([text])  # wrong: that is a list
    wrong: str = f_or(text, number).result()  # wrong: it may be an int
    print(wrong)


def limited(text: Future[str]) -> None:
    f_nocancel("four")  # wrong: that is no future
    f_timeout(text)  # wrong: timeout is missing
    f_timeout(text, "5")  # wrong: a timeout is a number
    f_proxy("four")  # wrong: that is no future
    f_return_error("failed")  # wrong: that is no exception
    wrong: int = f_proxy(text).result()  # wrong: it is a str
    print(wrong)
