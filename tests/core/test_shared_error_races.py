"""Many threads that ask futures of one failure at the same time, or make futures of one that failed."""

from __future__ import annotations

import traceback
from concurrent.futures import Future
from itertools import chain
from typing import Any

from support import all_at_once

from more_executors._core import SharedError, failed_future
from more_executors.futures import f_map

THREADS, TIMES = 6, 20


class FirmError(Exception):
    """It cannot be made again by its arguments."""

    def __init__(self, *, code: int) -> None:
        self.code = code


def raised(code: int) -> FirmError:
    try:
        raise FirmError(code=code) from KeyError(code)
    except FirmError as error:
        return error


def test_each_has_an_exception_of_its_own() -> None:
    future = failed_future(SharedError(raised(1)))

    def ask() -> list[Any]:
        asked = []
        for _ in range(TIMES):
            try:
                future.result(0)
            except FirmError as error:
                asked.append((error, len(traceback.extract_tb(error.__traceback__)), error.code, error.__cause__))
        return asked

    asked = list(chain.from_iterable(all_at_once(*[ask] * THREADS)))
    assert len({id(error) for error, *_ in asked}) == len(asked) == THREADS * TIMES
    assert len({length for _, length, _, _ in asked}) == 1
    assert {code for *_, code, _ in asked} == {1}
    assert {type(cause) for *_, cause in asked} == {KeyError}


def test_one_of_those_made_at_the_same_time_has_the_exception_itself() -> None:
    inner: Future[Any] = Future()
    source = f_map(inner)
    inner.set_exception(raised(2))

    def make() -> list[BaseException | None]:
        return [f_map(source).exception(0) for _ in range(TIMES)]

    made = list(chain.from_iterable(all_at_once(*[make] * THREADS)))
    assert {type(error) for error in made} == {FirmError}
    assert sum(error is source.exception(0) for error in made) == 1
