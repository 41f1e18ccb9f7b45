"""Benchmarks come in turns: ours, the references, ours again …, so that a slow moment of the machine hits them all."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from more_executors import _core

from .measuring import Bench
from .original import Missing, Original, UnavailableError

TURNS = 3
MISSING = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--short", action="store_true", help="tiny sizes, one round: does it run?")
    parser.addoption("--turns", type=int, default=TURNS, help="how often each benchmark comes")
    parser.addoption("--only-ours", action="store_true", help="measure no reference")


def pytest_configure(config: pytest.Config) -> None:
    if _core.BUILD_PROFILE != "release":
        raise pytest.UsageError(f"the extension is a {_core.BUILD_PROFILE} build: only a release build is measured")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "turn" in metafunc.fixturenames:
        once = metafunc.config.getoption("--short") or metafunc.definition.get_closest_marker("once")
        metafunc.parametrize("turn", range(1 if once else metafunc.config.getoption("--turns")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> tuple[str, int]:
        return item.path.name, item.callspec.params.get("turn", 0)  # type: ignore[attr-defined]

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if MISSING in config.stash:
        terminalreporter.section("the original is missing, and its figures with it")
        terminalreporter.write_line(config.stash[MISSING])


@pytest.fixture(scope="session", autouse=True)
def small_program() -> Iterator[None]:
    """Keep pytest's own objects out of the garbage collections that fall into a measurement."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def bench(benchmark: BenchmarkFixture, request: pytest.FixtureRequest, turn: int) -> Bench:
    return Bench(benchmark, request.config.getoption("--short"), request.config.getoption("--only-ours"))


@pytest.fixture(scope="session")
def original(request: pytest.FixtureRequest) -> Original:
    """The original; without it, a short run goes on and a full one has failed."""
    try:
        return Original()
    except UnavailableError as error:
        if not request.config.getoption("--short"):
            raise
        request.config.stash[MISSING] = str(error)
        return Missing()
