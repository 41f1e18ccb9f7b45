"""Mapped results: a chain knows what its functions make, and what a callable has to return."""

# pyright: strict

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from more_executors import Executors, FlatMapExecutor, MapExecutor, RetryExecutor, f_return

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def count(text: str) -> int:
    return len(text)


def spell(number: int) -> str:
    return f"{number}"


def spell_or_not(number: int | None) -> str:
    return f"{number}"


def nothing(error: BaseException) -> None:
    return None


def encode(text: str) -> bytes:
    return text.encode()


def encode_later(text: str) -> Future[bytes]:
    return f_return(text.encode())


def nothing_later(error: BaseException) -> Future[None]:
    return f_return()


def mapped() -> None:
    with Executors.sync().with_map(spell) as executor:
        assert_type(executor, MapExecutor[int, str])
        assert_type(executor.submit(count, "four"), Future[str])
        assert_type(executor.map(count, ["four"]), Iterator[str])
        with executor.with_map(encode) as further:
            assert_type(further, MapExecutor[int, bytes])
            assert_type(further.with_map(len).submit(count, "four"), Future[int])
    with Executors.sync().with_map(int) as parsing:
        assert_type(parsing.submit(spell, 5), Future[int])
    with Executors.sync().with_map(json.loads) as loading:
        assert_type(loading.submit(spell, 5), Future[Any])
    with Executors.sync().with_map(spell).with_map(lambda text: text.upper()) as shouting:
        assert_type(shouting.submit(count, "four"), Future[str])


def errors() -> None:
    with Executors.sync().with_map(error_fn=nothing) as executor:
        assert_type(executor.submit(count, "four"), Future[int | None])
        assert_type(executor.submit(spell, 4), Future[str | None])
        assert_type(executor.map(spell, [4]), Iterator[str | None])
        assert_type(executor.with_retry().submit(spell, 4), Future[str | None])
        assert_type(executor.with_map(error_fn=encode_error).submit(count, ""), Future[int | bytes | None])
        assert_type(executor.with_map(spell_or_not).submit(count, "four"), Future[str])
    assert_type(Executors.sync().with_map(spell, error_fn=nothing).submit(count, "four"), Future[str | None])
    assert_type(Executors.sync().with_map(spell).with_map(error_fn=nothing).submit(count, ""), Future[str | None])


def encode_error(error: BaseException) -> bytes:
    return encode(str(error))


def flat() -> None:
    with Executors.sync().with_flat_map(encode_later) as executor:
        assert_type(executor, FlatMapExecutor[str, bytes])
        assert_type(executor.submit(spell, 4), Future[bytes])
    assert_type(Executors.sync().with_map(spell).with_flat_map(encode_later).submit(count, ""), Future[bytes])
    assert_type(
        Executors.sync().with_flat_map(encode_later, error_fn=nothing_later).submit(spell, 4), Future[bytes | None]
    )
    assert_type(Executors.sync().with_flat_map(error_fn=nothing_later).submit(spell, 4), Future[str | None])
    identity: bytes = Executors.sync().with_flat_map(lambda future: future).submit(encode_later, "four").result()
    assert identity == b"four"


def class_methods() -> None:
    with Executors.with_map(ThreadPoolExecutor(1), spell) as executor:
        assert_type(executor, MapExecutor[int, str])
    assert_type(Executors.with_map(Executors.sync(), spell), MapExecutor[int, str])
    assert_type(Executors.with_map(Executors.sync().with_map(spell), encode), MapExecutor[int, bytes])
    assert_type(Executors.with_flat_map(Executors.sync().with_map(spell), encode_later), FlatMapExecutor[int, bytes])
    assert_type(Executors.with_map(Executors.sync(), error_fn=nothing).submit(count, "four"), Future[int | None])
    assert_type(Executors.with_retry(Executors.sync().with_map(spell)), RetryExecutor[int, str])


def constructors() -> None:
    with MapExecutor(ThreadPoolExecutor(1), spell) as plain:
        assert_type(plain, MapExecutor[int, str])
    with FlatMapExecutor(ThreadPoolExecutor(1), encode_later, name="later") as flat:
        assert_type(flat, FlatMapExecutor[str, bytes])
    sync = Executors.sync()
    assert_type(MapExecutor(sync, spell), MapExecutor[int, str])
    assert_type(MapExecutor(sync, error_fn=nothing).submit(count, "four"), Future[int | None])
    assert_type(MapExecutor(MapExecutor(sync, spell), encode), MapExecutor[int, bytes])
    assert_type(MapExecutor(MapExecutor(sync, spell), error_fn=nothing), MapExecutor[int, str | None])
    assert_type(MapExecutor(sync, spell, error_fn=nothing), MapExecutor[int, str | None])
    assert_type(FlatMapExecutor(MapExecutor(sync, spell), encode_later), FlatMapExecutor[int, bytes])
    assert_type(RetryExecutor(MapExecutor(sync, spell)).submit(count, "four"), Future[str])


def main() -> None:
    mapped()
    errors()
    flat()
    class_methods()
    constructors()
