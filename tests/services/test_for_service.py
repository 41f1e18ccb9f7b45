"""The chain of executors for a service, and what `with_poll` takes from one."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE

from more_executors import Executors, Journal, Keys, PollExecutor, RateLimit, StartInDoubt, Throttled
from more_executors.services import Service, ServiceAway, TaskFailed, tag_of
from more_executors.services._outages import LivesThroughOutages, StartsWhenThereIsRoom


class Builds(Service[str, str, str]):
    """Every build passes, at the second look."""

    interval = 0.005

    def __init__(self) -> None:
        self.started: list[tuple[str, str | None]] = []
        self.looks: dict[str, int] = {}
        self.threads: set[str] = set()

    def start(self, branch: str, tag: str | None = None) -> str:
        self.threads.add(threading.current_thread().name)
        self.started.append((branch, tag))
        return f"build of {branch}"

    def fetch(self, ids: list[Any]) -> Any:
        for one in ids:
            self.looks[one] = self.looks.get(one, 0) + 1
        return {one: "passed" if self.looks[one] > 1 else "running" for one in ids}

    def resolve(self, descriptor: Any, status: str) -> None:
        if status == "passed":
            descriptor.yield_result(f"{descriptor.result} has passed")


class AsyncBuilds(Builds):
    async def start(self, branch: str, tag: str | None = None) -> str:  # type: ignore[override]
        return super().start(branch, tag)

    async def fetch(self, ids: list[Any]) -> Any:  # type: ignore[override]
        return super().fetch(ids)

    async def aopen(self) -> None:
        self.is_open = True

    async def aclose(self) -> None:
        self.is_open = False


@pytest.mark.parametrize("kind", [Builds, AsyncBuilds])
def test_the_whole_chain_is_made(kind: type[Builds]) -> None:
    builds = kind()
    with builds, Executors.for_service(builds, name="ours") as executor:
        assert isinstance(executor, PollExecutor)
        futures = [executor.submit(builds.start, branch) for branch in ("main", "next")]
        assert [future.result(PATIENCE) for future in futures] == [
            "build of main has passed",
            "build of next has passed",
        ]
    assert all("ours" in name for name in builds.threads)
    assert kind is Builds or builds.is_open is False  # type: ignore[attr-defined]


def test_starts_are_made_again_when_there_is_no_room() -> None:
    class Full(Builds):
        def start(self, branch: str, tag: str | None = None) -> str:
            if len(self.started) < 3:
                self.started.append(("no room", None))
                raise Throttled(0.0)
            return super().start(branch, tag)

    full = Full()
    with Executors.for_service(full) as executor:
        assert executor.submit(full.start, "main").result(PATIENCE) == "build of main has passed"
    assert full.started == [("no room", None)] * 3 + [("main", None)]


def test_another_delegate_makes_the_starts() -> None:
    builds = Builds()
    with Executors.for_service(builds, delegate=Executors.sync()) as executor:
        assert executor.submit(builds.start, "main").result(PATIENCE) == "build of main has passed"
    assert builds.threads == {threading.current_thread().name}


def test_what_is_given_counts_and_not_what_the_service_says() -> None:
    limit = RateLimit(5)

    class Limited(Builds):
        interval = 7.0
        batch_size = 50
        missing_after = 3.0
        max_concurrency = 3
        rate_limit = limit

        def cancel(self, task: str) -> bool:
            return False

        def cancel_many(self, tasks: list[str]) -> list[bool]:
            return [False] * len(tasks)

    service = Limited()

    def options_of(**options: Any) -> Any:
        with Executors.sync().with_poll(service, **options) as executor:
            return executor._options

    usual = options_of()
    assert (usual.default_interval, usual.batch_size, usual.max_concurrency) == (7.0, 50, 3)
    assert (usual.cancel_fn, usual.cancel_many_fn, usual.rate_limit) == (service.cancel, service.cancel_many, limit)
    given = options_of(default_interval=5.0, batch_size=2, max_concurrency=1, rate_limit=RateLimit(7))
    assert (given.default_interval, given.batch_size, given.max_concurrency) == (5.0, 2, 1)
    assert given.rate_limit is not limit
    none = options_of(batch_size=None, rate_limit=None, retry_policy=None, cancel_many_fn=None)
    assert (none.batch_size, none.rate_limit, none.retry_policy, none.cancel_many_fn) == (None, None, None, None)
    other = options_of(cancel_fn=print)
    assert (other.cancel_fn, other.cancel_many_fn) == (print, None)
    for plain in (lambda _: None, print):
        with Executors.sync().with_poll(plain) as executor:
            assert executor._options.default_interval == 5.0


def test_one_request_a_call_where_there_is_a_rate_limit() -> None:
    class Each(Service[int, int, int]):
        interval = 0.001

        async def fetch_one(self, task_id: int) -> int:
            await asyncio.sleep(0)
            return task_id

        def resolve(self, descriptor: Any, status: int) -> None:
            descriptor.yield_result(status)

    with Executors.sync().with_poll(Each(), rate_limit=RateLimit(100_000, burst=100_000)) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(20))] == list(range(20))
    assert executor.stats().calls == 20
    with Executors.sync().with_poll(Each()) as executor:
        assert [future.result(PATIENCE) for future in executor.adopt_many(range(20))] == list(range(20))
    assert executor.stats().calls < 20


def test_starts_in_doubt_are_looked_for(tmp_path: Path) -> None:
    class Finding(Builds):
        def start(self, branch: str, tag: str | None = None) -> str:
            super().start(branch, tag)
            raise StartInDoubt(branch)  # it has started, but the answer was lost

        def find(self, keys: list[Any]) -> dict[Any, str]:
            tags = {tag: branch for branch, tag in self.started}
            return {key: f"build of {tags[tag_of(key)]}" for key in keys if tag_of(key) in tags}

    builds = Finding()
    with Journal(tmp_path / "journal") as journal, Executors.for_service(builds, journal=journal) as executor:
        future = executor.submit_once("main", builds.start, "main", tag=tag_of("main"))
        assert future.result(PATIENCE) == "build of main has passed"
    assert builds.started == [("main", "main")]


def test_keys_that_are_given_count(tmp_path: Path) -> None:
    class Finding(Builds):
        def find(self, keys: list[Any]) -> dict[Any, str]:
            return {}

    keys = Keys("own")
    with Journal(tmp_path / "journal") as journal, Executors.for_service(Finding(), journal=journal, keys=keys) as made:
        assert made._options.keys is keys


class NoFetch(Service[int, int, int]):
    def resolve(self, descriptor: Any, status: int) -> None:
        """Nothing ends."""


@pytest.mark.parametrize(
    ("service", "options", "said"),
    [
        (lambda _: None, {}, "service must be a Service, not <function"),
        (NoFetch(), {}, "NoFetch must have a method fetch, or fetch_one"),
        (Builds(), {"poll_fn": print}, "poll_fn is the service's"),
        (Builds(), {"cancel_fn": print}, "cancel_fn is the service's"),
        (Builds(), {"batch_size": 0}, "batch_size must be"),
        (Builds(), {"batch": 5}, "batch"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_no_thread(service: Any, options: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        Executors.for_service(service, **options)


@pytest.mark.parametrize(("attribute", "value"), [("interval", -1), ("missing_after", "x"), ("start_concurrency", 0)])
def test_attributes_that_cannot_be_used_are_refused(attribute: str, value: Any) -> None:
    builds = Builds()
    setattr(builds, attribute, value)
    with pytest.raises((TypeError, ValueError), match="must be"):
        Executors.for_service(builds)


def failed(error: BaseException) -> Any:
    from more_executors import f_return_error

    return f_return_error(error)


def test_outages_are_lived_through_for_so_long_and_faults_are_not() -> None:
    policy = LivesThroughOutages((OSError,), 3600.0, 1.0)
    away = failed(ServiceAway("away"))
    waited, attempt = 0.0, 1
    while policy.should_retry(attempt, away):
        seconds = policy.sleep_time(attempt, away)
        assert 0 < seconds <= 60
        waited += seconds
        attempt += 1
    assert 3600 <= waited < 3660
    assert [policy.sleep_time(n, away) for n in (1, 2, 3, 7, 1000)] == [1.0, 2.0, 4.0, 60.0, 60.0]
    fault = failed(KeyError("state"))
    assert [policy.should_retry(n, fault) for n in (1, 2, 3)] == [True, True, False]
    for pause in (0.0, 1e-9, 1e9):
        odd = LivesThroughOutages((OSError,), 3600.0, pause)
        assert 0 < odd.sleep_time(1, away) <= 60


def test_starts_wait_as_long_as_the_service_asks_for() -> None:
    policy = StartsWhenThereIsRoom()
    full, asking = failed(Throttled()), failed(Throttled(17.0))
    assert [policy.should_retry(n, full) for n in (1, 9, 10)] == [True, True, False]
    assert not policy.should_retry(1, failed(StartInDoubt("x")))
    assert not policy.should_retry(1, failed(ServiceAway("x")))
    assert [policy.sleep_time(n, full) for n in (1, 2, 3, 9)] == [1.0, 2.0, 4.0, 60.0]
    assert policy.sleep_time(1, asking) == 17.0


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        ("sample-17", "sample-17"),
        ("a.b_C-9", "a.b_C-9"),
        ("x" * 64, "x" * 64),
    ],
)
def test_a_short_name_is_its_own_tag(key: str, tag: str) -> None:
    assert tag_of(key) == tag


def test_each_key_has_a_tag_of_its_own() -> None:
    keys = ["", " ", "-x", "x" * 65, "ä", "a b", "1", 1, 1.0, True, None, ["1"], [1, ["a"]], "key-1", "a\nb", "a=b"]
    tags = [tag_of(key) for key in keys]
    assert len(set(tags)) == len(keys)
    assert all(1 <= len(tag) <= 64 for tag in tags)
    assert tag_of(("a", 1)) == tag_of(["a", 1])
    with pytest.raises(TypeError, match="key must be"):
        tag_of(object())


def test_what_a_task_failed_with_says_why() -> None:
    error = TaskFailed("job-7", {"exit": 3}, "exit code 3")
    assert str(error) == "task 'job-7' has failed: exit code 3"
    assert (error.task, error.status, error.why) == ("job-7", {"exit": 3}, "exit code 3")
    assert str(TaskFailed("job-7", {"exit": 3})) == "task 'job-7' has failed: {'exit': 3}"
