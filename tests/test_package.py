"""What the package says of itself."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from support import in_words

import more_executors
from more_executors import _core

SUBMODULES = {
    "asyncio": {"AsyncioExecutor"},
    "cancel_on_shutdown": {"CancelOnShutdownExecutor"},
    "executors": {"Executors"},
    "flat_map": {"FlatMapExecutor"},
    "futures": {
        *("f_and", "f_apply", "f_flat_map", "f_map", "f_nocancel", "f_or", "f_proxy"),
        *("f_return", "f_return_cancelled", "f_return_error", "f_sequence", "f_timeout", "f_traverse", "f_zip"),
    },
    "map": {"MapExecutor"},
    "poll": {"PollDescriptor", "PollExecutor"},
    "retry": {"ExceptionRetryPolicy", "RetryExecutor", "RetryPolicy"},
    "sync": {"SyncExecutor"},
    "throttle": {"ThrottleExecutor"},
    "timeout": {"TimeoutExecutor"},
}
# What goes beyond the API that programs rely on is not among the package's own names for `import *`.
BEYOND = {
    "backoff": {"Backoff"},
    "completions": {"Completions"},
    "event_loop": {"EventLoopExecutor"},
    "journal": {
        *("JSON", "Codec", "Journal", "JournalError", "JournalLike", "Unreadable", "UnrecordableError"),
        *("Keys", "OutcomeNotRecorded", "RecordedError", "StartInDoubt"),
    },
    "partial_failure": {"PartialFailure"},
    "poll_stats": {"OutstandingTask", "PollStats"},
    "promise": {"Promise"},
    "progress": {"as_completed", "progress"},
    "rate_limit": {"RateLimit", "Throttled"},
    "services": {
        *("Service", "ServiceAway", "TaskFailed", "UnexpectedReply", "tag_of"),
        *("AwsBatch", "CeleryTasks", "GlueJobs", "Operations", "AzureOperations", "Slurm", "StepFunctions"),
        *("DramatiqMessages", "HueyTasks", "RqJobs"),
    },
    "status_poll": {"EachStatus", "StatusPoll", "TaskMissing", "TaskUnknown"},
}
PUBLIC = {
    "more_executors": {"futures"}.union(*SUBMODULES.values()),
    **{f"more_executors.{name}": names for name, names in (SUBMODULES | BEYOND).items()},
}
AT_THE_TOP = ("Backoff", "EventLoopExecutor", "Journal", "OutstandingTask", "PollStats")
AT_THE_TOP += ("Keys", "OutcomeNotRecorded", "RecordedError", "StartInDoubt")
AT_THE_TOP += ("Completions", "Promise", "RateLimit", "StatusPoll", "TaskMissing", "Throttled")
AT_THE_TOP += ("EachStatus", "PartialFailure", "TaskUnknown")


def test_the_distribution_is_called_more_executors_and_needs_nothing() -> None:
    metadata = distribution("more-executors").metadata
    assert metadata["Version"].startswith("3.")
    assert metadata["License-Expression"] == "MIT"
    required = [r for r in distribution("more-executors").requires or [] if "extra ==" not in r]
    assert required == []


@pytest.mark.parametrize("module", PUBLIC)
def test_a_module_exports_its_public_names_and_no_others(module: str) -> None:
    assert set(importlib.import_module(module).__all__) == PUBLIC[module]


@pytest.mark.parametrize("module", [name.partition(".")[2] for name in PUBLIC if "." in name])
def test_importing_the_package_makes_submodules_reachable(module: str) -> None:
    assert inspect.ismodule(getattr(more_executors, module))


@pytest.mark.parametrize("name", AT_THE_TOP)
def test_what_goes_beyond_is_at_the_top_as_well(name: str) -> None:
    (module,) = [module for module, names in BEYOND.items() if name in names]
    assert getattr(more_executors, name) is getattr(getattr(more_executors, module), name)
    assert name not in more_executors.__all__


API = Path(more_executors.__file__).parents[1] / "docs" / "api.md"
DASK = "more_executors.dask"  # which needs the extra of that name
in_a_checkout = pytest.mark.skipif(not API.exists(), reason="the guide is not here")


def documented() -> set[tuple[str, str]]:
    """The module and the name of each class and function of the reference."""
    found = re.findall(r"^\.\. auto(?:class|function):: ([\w.]+)\.(\w+)$", API.read_text("utf-8"), re.MULTILINE)
    return {(module, name) for module, name in found}


def shown_imports() -> dict[str, set[str]]:
    """The names that the reference tells to import, by module."""
    found: dict[str, set[str]] = {}
    for block in re.findall(r"^```python\n(.*?)^```", API.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.setdefault(node.module, set()).update(alias.name for alias in node.names)
    return found


@in_a_checkout
def test_what_is_documented_can_be_imported_from_where_the_reference_says() -> None:
    assert len(documented()) > 40
    for module, name in documented():
        if module == DASK and find_spec("distributed") is None:
            continue
        assert hasattr(importlib.import_module(module), name), f"{module}.{name}"


@in_a_checkout
def test_each_public_name_is_in_the_reference() -> None:
    named = {name for _, name in documented()}.union(*shown_imports().values())
    for module, names in PUBLIC.items():
        assert names - named - {"futures"} == set(), module


@in_a_checkout
def test_a_star_and_the_imports_that_the_reference_shows_give_every_documented_name() -> None:
    given: dict[str, object] = {}
    exec("from more_executors import *", given)
    for module, names in shown_imports().items():
        exec(f"from {module} import {', '.join(sorted(names))}", given)
    assert {name for module, name in documented() if module != DASK} - given.keys() == set()


@in_a_checkout
def test_the_reference_has_what_needs_dask() -> None:
    pytest.importorskip("distributed")
    assert {name for module, name in documented() if module == DASK} == set(importlib.import_module(DASK).__all__)


def public_callables() -> list[object]:
    found: list[object] = []
    for name in [*more_executors.__all__, *AT_THE_TOP]:
        thing = getattr(more_executors, name)
        found.append(thing)
        found += [
            member
            for base in getattr(thing, "__mro__", [thing])
            if getattr(base, "__module__", "").startswith("more_executors")
            for key, member in vars(base).items()
            if not key.startswith("_") and (callable(member) or isinstance(member, (property, classmethod)))
        ]
    return found


@pytest.mark.parametrize("thing", public_callables(), ids=lambda thing: getattr(thing, "__qualname__", in_words(thing)))
def test_everything_public_has_a_docstring(thing: object) -> None:
    assert inspect.getdoc(thing)


@pytest.mark.parametrize("thing", public_callables(), ids=lambda thing: getattr(thing, "__qualname__", in_words(thing)))
def test_what_annotates_a_signature_is_there_at_run_time_too(thing: Any) -> None:
    function = thing.__init__ if isinstance(thing, type) else getattr(thing, "fget", getattr(thing, "__func__", thing))
    if inspect.isfunction(function):
        assert isinstance(get_type_hints(function), dict)


def test_signatures_are_those_of_the_contract() -> None:
    plain = inspect.signature(more_executors.PollExecutor)
    positional = [p for p in plain.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [p.name for p in positional] == ["delegate", "poll_fn", "cancel_fn", "default_interval", "logger", "name"]
    assert [p.default for p in positional][2:] == [None, 5.0, None, "default"]
    assert str(inspect.signature(_core.PollDescriptor.yield_result)) == "(self, result=None)"
    assert str(inspect.signature(_core.PollDescriptor.yield_exception)) == "(self, exception, traceback=None)"
    assert list(inspect.signature(more_executors.PollExecutor.shutdown).parameters) == [
        "self",
        "wait",
        "cancel_futures",
    ]
    with_poll = inspect.signature(more_executors.Executors.with_poll)
    names = ["executor", "poll_fn", "cancel_fn", "default_interval", "logger", "name", "options"]
    assert list(with_poll.parameters) == names


def test_the_extension_says_how_it_was_built() -> None:
    assert _core.BUILD_PROFILE in {"release", "quick", "debug", "coverage", "refnanny", "asan", "tsan"}


def imported(source: str) -> Iterator[str]:
    """The names of the modules that are imported anywhere in `source`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_no_module_of_tests_imports_from_another_one() -> None:
    """What several need is in modules without tests: a module of tests can be run, changed and moved by itself."""
    folder = Path(__file__).parent
    modules = {path.stem for path in folder.rglob("test_*.py")}
    found = {(path.name, name) for path in folder.rglob("*.py") for name in imported(path.read_text("utf-8"))}
    assert modules >= {"test_package", "test_isolated"}
    assert ("test_package.py", "more_executors") in found
    assert [(path, name) for path, name in sorted(found) if name.rpartition(".")[2] in modules] == []
