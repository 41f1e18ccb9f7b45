"""Ids of jobs and of elements of arrays, as Slurm prints and takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..._checks import shown
from .._errors import shown_task

__all__: list[str] = []

JOB = re.compile(r"([1-9][0-9]*)(?:_([0-9]+)|\+([0-9]+))?(?:;([A-Za-z0-9_.-]+))?", re.ASCII)
ROW = re.compile(r"([1-9][0-9]*)(?:_([0-9]+)|\+([0-9]+)|_\[([0-9,:%-]+)\])?", re.ASCII)
PART = re.compile(r"([0-9]+)(?:-([0-9]+)(?::([1-9][0-9]*))?)?", re.ASCII)
LARGEST_INDEX = 4_000_001  # of Slurm itself: the largest MaxArraySize


class JobId(NamedTuple):
    """One job: `number`, of an array the element `element`, of a heterogeneous job the part `offset`."""

    number: str
    element: int | None = None
    offset: int | None = None
    cluster: str | None = None

    @property
    def alone(self) -> str:
        """As the commands take it."""
        if self.element is not None:
            return f"{self.number}_{self.element}"
        return self.number if self.offset is None else f"{self.number}+{self.offset}"


def parsed(task: object) -> JobId:
    """The id that a task is: `7`, `7_3`, `7+1`, each maybe with a cluster, `7;main`.

    Raises TypeError or ValueError if it is none. One such id has scancel cancel nothing at all.
    """
    if not isinstance(task, str):
        raise TypeError(f"a job of Slurm must be a str such as '158' or '158_7', not {shown_task(task)}")
    found = JOB.fullmatch(task)
    if found is None:
        raise ValueError(f"a job of Slurm must be called like '158', '158_7' or '158;cluster', not {shown(task)}")
    number, index, offset, cluster = found.groups()
    return JobId(number, None if index is None else int(index), None if offset is None else int(offset), cluster)


def indices(array: str, what: str = "array") -> list[int]:
    """The indices that `1-3,5,8-20:4%2` is, in order: 1, 2, 3, 5, 8, 12, 16, 20.

    Raises TypeError or ValueError, which name it `what`, if it is none, or names an index twice.
    """
    if not isinstance(array, str):
        raise TypeError(f"{what} must be a str such as '0-99' or '1,5-9%2', not {shown(array)}")
    spans, limited, limit = array.partition("%")
    found: list[int] = []
    for part in spans.split(","):
        span = PART.fullmatch(part)
        if span is None or (limited and not (limit.isascii() and limit.isdecimal())):
            raise ValueError(f"{what} must be like '0-99' or '1,5-9%2', not {shown(array)}")
        first, last, step = int(span[1]), int(span[2] or span[1]), int(span[3] or 1)
        if last < first or last > LARGEST_INDEX:
            raise ValueError(f"{what} must have rising indices of at most {LARGEST_INDEX}, not {shown(array)}")
        found += range(first, last + 1, step)
    if len(set(found)) < len(found):
        raise ValueError(f"{what} must not have an index twice: {shown(array)}")
    return found


def compressed(jobs: Iterable[JobId]) -> list[str]:
    """What stands for these jobs as few words: elements of one array are one, `7_[1-3,5]`."""
    elements: dict[str, list[int]] = {}
    others: list[str] = []
    for job in jobs:
        if job.element is None:
            others.append(job.alone)
        else:
            elements.setdefault(job.number, []).append(job.element)
    return others + [
        f"{number}_{of[0]}" if len(of) == 1 else f"{number}_[{part}]"
        for number, of in elements.items()
        for part in chunks(spans(sorted(set(of))), 1_000)
    ]


def spans(rising: list[int]) -> Iterator[str]:
    """Neighbours as one: 1, 2, 3, 5 are "1-3" and "5"."""
    first = last = rising[0]
    for index in [*rising[1:], -1]:
        if index == last + 1:
            last = index
            continue
        yield str(first) if first == last else f"{first}-{last}"
        first = last = index


def chunks(words: Iterable[str], longest: int) -> Iterator[str]:
    """The words, with commas between, in texts of at most `longest` characters."""
    text = ""
    for word in words:
        if text and len(text) + len(word) >= longest:
            yield text
            text = ""
        text = f"{text},{word}" if text else word
    if text:
        yield text
