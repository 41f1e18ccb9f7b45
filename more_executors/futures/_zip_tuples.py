"""The types of what `f_zip` gives. They are for type checkers: at run time, it makes them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__: list[str] = []

if TYPE_CHECKING:
    from typing import Generic, NamedTuple, TypeVar

    T0 = TypeVar("T0")
    T1 = TypeVar("T1")
    T2 = TypeVar("T2")
    T3 = TypeVar("T3")
    T4 = TypeVar("T4")
    T5 = TypeVar("T5")
    T6 = TypeVar("T6")

    class ZipTuple0(NamedTuple): ...

    class ZipTuple1(NamedTuple, Generic[T0]):
        f0: T0

    class ZipTuple2(NamedTuple, Generic[T0, T1]):
        f0: T0
        f1: T1

    class ZipTuple3(NamedTuple, Generic[T0, T1, T2]):
        f0: T0
        f1: T1
        f2: T2

    class ZipTuple4(NamedTuple, Generic[T0, T1, T2, T3]):
        f0: T0
        f1: T1
        f2: T2
        f3: T3

    class ZipTuple5(NamedTuple, Generic[T0, T1, T2, T3, T4]):
        f0: T0
        f1: T1
        f2: T2
        f3: T3
        f4: T4

    class ZipTuple6(NamedTuple, Generic[T0, T1, T2, T3, T4, T5]):
        f0: T0
        f1: T1
        f2: T2
        f3: T3
        f4: T4
        f5: T5

    class ZipTuple7(NamedTuple, Generic[T0, T1, T2, T3, T4, T5, T6]):
        f0: T0
        f1: T1
        f2: T2
        f3: T3
        f4: T4
        f5: T5
        f6: T6
