"""The types of annotations of these functions. Nothing uses them at run time.

A `ZipTuple3` is what `f_zip` gives for three futures, and so on. `collect` makes these classes when they are needed;
those of more than seven results, too, which for type checkers are tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

__all__: list[str] = []

T0 = TypeVar("T0")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
T6 = TypeVar("T6")

if TYPE_CHECKING:  # in Python 3.10, a named tuple cannot be generic

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
