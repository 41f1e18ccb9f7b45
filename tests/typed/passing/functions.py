"""The functions on futures."""

# pyright: strict

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


class Page:
    def __init__(self, title: str) -> None:
        self.title = title


def page(title: str) -> Page:
    return Page(title)


def page_later(title: str) -> Future[Page]:
    return f_return(Page(title))


def nothing(error: BaseException) -> None:
    return None


def nothing_later(error: BaseException) -> Future[None]:
    return f_return()


def read(page: Page) -> int:
    return len(page.title)


def made() -> None:
    assert_type(f_return("four"), Future[str])
    assert_type(f_return(), Future[None])
    assert_type(f_return(Page("one")), Future[Page])
    optional: Future[int | None] = f_return(None)
    failed = f_return_error(ValueError("no"))
    assert_type(failed, Future[None])
    assert_type(f_return_error(ValueError, None), Future[None])
    cancelled = f_return_cancelled()
    assert_type(cancelled, Future[None])
    assert optional.done()
    assert failed.done()
    assert cancelled.done()


def transformed(text: Future[str]) -> None:
    assert_type(f_map(text, page), Future[Page])
    assert_type(f_map(text, page, nothing), Future[Page | None])
    assert_type(f_map(text, error_fn=nothing), Future[str | None])
    assert_type(f_map(text), Future[str])
    assert_type(f_map(text, int), Future[int])
    assert_type(f_map(text, lambda text: [text.upper()]), Future[list[str]])
    assert_type(f_map(f_map(f_map(text, page), read), float), Future[float])
    assert_type(f_flat_map(text, page_later), Future[Page])
    assert_type(f_flat_map(text, page_later, nothing_later), Future[Page | None])
    assert_type(f_flat_map(text, error_fn=nothing_later), Future[str | None])
    assert_type(f_flat_map(text, lambda text: f_return(text.upper())), Future[str])


def zipped(
    text: Future[str],
    number: Future[int],
    real: Future[float],
    raw: Future[bytes],
    truth: Future[bool],
    pages: list[Future[Page]],
) -> None:
    a, b = f_zip(text, number).result()
    assert_type(a, str)
    assert_type(b, int)
    both: tuple[str, int] = f_zip(text, number).result()
    assert both == ("four", 4)
    assert_type(f_zip(text, number, real).result().f2, float)
    assert_type(f_zip(text, number, real, raw).result().f3, bytes)
    five = f_zip(text, number, real, raw, truth).result()
    assert_type(five.f0, str)
    assert_type(five[4], bool)
    first, second, third, fourth, fifth = five
    assert_type((first, second, third, fourth, fifth), tuple[str, int, float, bytes, bool])
    assert_type(f_zip(text, text, text, text, text, text, number).result().f6, int)
    assert_type(f_zip(*pages), Future[tuple[Page, ...]])
    assert_type(f_zip(text, text, text, text, text, text, text, text), Future[tuple[str, ...]])
    assert f_zip().result() == ()


def collected(pages: list[Future[Page]]) -> None:
    assert_type(f_sequence(pages), Future[list[Page]])
    assert_type(f_sequence(page_later(title) for title in ["one"]), Future[list[Page]])
    assert_type(f_traverse(page_later, ["one", "two"]), Future[list[Page]])
    assert_type(f_traverse(lambda title: f_return(len(title)), ["one"]), Future[list[int]])


def applied(text: Future[str]) -> None:
    assert_type(f_apply(f_return(page), text), Future[Page])
    assert_type(f_apply(f_return(page), title=text), Future[Page])
    function: Future[Callable[[str], Page]] = f_return(page)
    assert_type(f_apply(function, text), Future[Page])


def chosen(
    text: Future[str],
    number: Future[int],
    real: Future[float],
    raw: Future[bytes],
    truth: Future[bool],
    pages: list[Future[Page]],
) -> None:
    assert_type(f_or(text), Future[str])
    assert_type(f_or(text, text), Future[str])
    assert_type(f_or(text, number), Future[str | int])
    assert_type(f_or(text, number, raw, real, truth), Future[str | int | bytes | float | bool])
    assert_type(f_or(*pages), Future[Page])
    assert_type(f_or(text, text, text, text, text, text), Future[str])
    assert_type(f_and(text), Future[str])
    assert_type(f_and(text, number), Future[str | int])
    assert_type(f_and(text, number, raw), Future[str | int | bytes])
    assert_type(f_and(text, number, raw, real), Future[str | int | bytes | float])
    assert_type(f_and(page_later("one"), *pages), Future[Page])


def limited(text: Future[str], number: Future[int]) -> None:
    assert_type(f_nocancel(text), Future[str])
    assert_type(f_timeout(text, 5), Future[str])
    assert_type(f_timeout(f_nocancel(number), 0.5).result(), int)


def stood_in_for(text: Future[str], number: Future[int]) -> None:
    proxy = f_proxy(page_later("one"), timeout=5)
    assert_type(proxy.result(), Page)
    assert_type(f_map(proxy, read), Future[int])
    future: Future[Page] = proxy
    stand_in: Page = proxy
    assert read(stand_in) == 3
    assert proxy.title == "one"
    assert future.cancel() is False
    sum_of = f_proxy(number) + 1
    whole: int = sum_of
    assert whole == 5
    assert len(f_proxy(text)) == 4
    assert list(f_proxy(text)) == ["f", "o", "u", "r"]
    assert "f" in f_proxy(text)
    assert f_proxy(text)[0] == "f"
    assert_type(float(f_proxy(number)), float)


def main() -> None:
    text = f_return("four")
    number = f_return(4)
    real = f_return(0.5)
    raw = f_return(b"raw")
    truth = f_return(True)
    pages = [page_later("one"), page_later("two")]
    made()
    transformed(text)
    zipped(text, number, real, raw, truth, pages)
    collected(pages)
    applied(text)
    chosen(text, number, real, raw, truth, pages)
    limited(text, number)
    stood_in_for(text, number)
