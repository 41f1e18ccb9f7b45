"""Ids of jobs, indices of arrays, and what stands for many of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from more_executors.services.slurm._ids import JobId, chunks, compressed, indices, parsed


@pytest.mark.parametrize(
    ("task", "job"),
    [
        ("158", JobId("158")),
        ("158_0", JobId("158", element=0)),
        ("158+1", JobId("158", offset=1)),
        ("158;one", JobId("158", cluster="one")),
        ("158_7;one-2.x", JobId("158", element=7, cluster="one-2.x")),
    ],
)
def test_an_id_is_read(task: str, job: JobId) -> None:
    assert parsed(task) == job
    assert job.alone == task.partition(";")[0]


@pytest.mark.parametrize(
    "task", ["", "0", "7 ", " 7", "7\n", "-7", "7_", "7_x", "7_[1-3]", "7;", "7;a;b", "7.batch", "७", "7,8"]
)
def test_what_is_no_id_is_an_error(task: str) -> None:
    with pytest.raises(ValueError, match="a job of Slurm must be called like"):
        parsed(task)


def test_what_start_array_returns_is_for_adopt_many() -> None:
    with pytest.raises(TypeError, match="those that start_array returns are for adopt_many"):
        parsed(["7_1", "7_2"])


@pytest.mark.parametrize("task", [7, None, b"7", ["7"]])
def test_what_is_no_text_is_no_id(task: object) -> None:
    with pytest.raises(TypeError, match="a job of Slurm must be a str"):
        parsed(task)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        ("0", [0]),
        ("0-3", [0, 1, 2, 3]),
        ("0-20:10", [0, 10, 20]),
        ("1-3,5,8-20:4%2", [1, 2, 3, 5, 8, 12, 16, 20]),
        ("5,1", [5, 1]),
    ],
)
def test_indices_of_an_array(array: str, expected: list[int]) -> None:
    assert indices(array) == expected


@pytest.mark.parametrize(
    "array", ["", "a", "1-", "-1", "3-1", "1,,2", "1-9:0", "1-9%", "1-9%x", "1,1", "0-5000000", "1 - 3", "1-3:"]
)
def test_what_is_no_array_is_an_error(array: str) -> None:
    with pytest.raises(ValueError, match="array must"):
        indices(array)
    with pytest.raises(TypeError, match="array must be a str"):
        indices(7)  # type: ignore[arg-type]


@given(st.sets(st.tuples(st.integers(1, 3), st.integers(0, 40)), min_size=1))
def test_elements_are_compressed_to_what_stands_for_exactly_them(elements: set[tuple[int, int]]) -> None:
    words = compressed(JobId(str(number), index) for number, index in elements)
    found = set()
    for word in words:
        number, _, rest = word.partition("_")
        found |= {(int(number), index) for index in indices(rest.strip("[]"))}
    assert found == elements
    assert len(words) == len({number for number, _ in elements})


def test_jobs_are_not_compressed() -> None:
    assert compressed(map(parsed, ["7", "8+1", "9_4"])) == ["7", "8+1", "9_4"]


def test_ids_are_put_together_up_to_a_length() -> None:
    assert list(chunks(["11", "22", "33"], 6)) == ["11,22", "33"]
    assert list(chunks([], 6)) == []
    assert [len(text) <= 100 for text in chunks(map(str, range(1000)), 100)].count(False) == 0
