"""Every function on futures, for a checker that takes no Any."""

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
    f_return_cancelled,
    f_return_error,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
)
from more_executors import futures as functions


class Page:
    def __init__(self, title: str) -> None:
        self.title = title


def page(title: str) -> Page:
    return Page(title)


def later(title: str) -> Future[Page]:
    return f_return(Page(title))


def nothing(error: BaseException) -> None:
    assert error


def nothing_later(error: BaseException) -> Future[None]:
    assert error
    return f_return(None)


def word(number: int) -> str:
    return str(number)


def main() -> None:
    text = f_return("four")
    number = f_return(4)
    made: Future[Page] = f_map(text, page)
    recovered: Future[Page | None] = f_map(text, page, nothing)
    same: Future[str] = f_map(text)
    flat: Future[Page] = f_flat_map(text, later)
    flat_recovered: Future[Page | None] = f_flat_map(text, later, nothing_later)
    assert made.result().title == same.result() == flat.result().title
    assert recovered.result()
    assert flat_recovered.result()

    first, second = f_zip(text, number).result()
    assert first == "four"
    assert second == 4
    pages: Future[list[Page]] = f_sequence([made, flat])
    traversed: Future[list[Page]] = f_traverse(later, ["one", "two"])
    assert len(pages.result()) == len(traversed.result()) == 2

    function: Future[Callable[[int], str]] = f_return(word)
    applied: Future[str] = f_apply(function, number)
    assert applied.result() == "4"

    either: Future[str | int] = f_or(text, number)
    both: Future[str | int] = f_and(text, number)
    assert either.result() == "four"
    assert both.result() == 4

    limited: Future[str] = f_timeout(text, 60)
    shared: Future[str] = f_nocancel(text)
    stands_in: Future[str] = f_proxy(text)
    assert limited.result() == shared.result() == stands_in.result()

    none: Future[None] = f_return()
    failed: Future[None] = f_return_error(ValueError("no"))
    cancelled: Future[None] = f_return_cancelled()
    assert none.result() is None
    assert isinstance(failed.exception(), ValueError)
    assert cancelled.cancelled()
    assert f_return_error(ValueError).exception()
    assert f_return_cancelled().cancelled()
    assert f_map(f_return_error(ValueError()), error_fn=str).result() is not None
    assert functions.f_return(4).result() == 4
