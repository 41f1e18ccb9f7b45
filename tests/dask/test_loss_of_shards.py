"""That polling by shards loses nothing, whatever it is that happens: see `tests/dask/loss`."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")
pytest.importorskip("aiohttp")
if os.name != "posix":
    pytest.skip("processes cannot be killed or stopped like that here", allow_module_level=True)

from support import CHILD_PATIENCE

pytestmark = pytest.mark.long  # each runs a service, a cluster and clients

LOSS = Path(__file__).parent / "loss"
KINDS = (
    *("nothing", "a worker is added", "a worker is drained, and ended", "a worker is killed"),
    *("all workers but one are killed", "a worker is stopped for longer than three leases", "a call kills its worker"),
    *("the scheduler is killed, and another one comes", "the scheduler is killed", "the client is killed"),
    "the client is stopped for longer than a lease",
)
# All kinds, with all modes, are what `make prove-losses` is for.
RUNS = (
    ("a worker is drained, and ended", "fail"),
    ("a worker is killed", "find"),
    ("the scheduler is killed, and another one comes", "token"),
    ("the client is killed", "fail"),
)
LEASE = "5"  # seconds: longer than this process may have to wait for others on a busy machine


@pytest.mark.parametrize(("kind", "mode"), RUNS)
def test_nothing_is_lost(kind: str, mode: str) -> None:
    given = {"kinds": kind, "modes": mode, "tasks": "300", "lease": LEASE, "seed": "5"}
    command = [sys.executable, str(LOSS), *(part for name, value in given.items() for part in (f"--{name}", value))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith(f"{kind} ({mode}, 5): 300 tasks, resolved ")


def test_every_kind_is_tested() -> None:
    """The list here is the one there."""
    command = [sys.executable, "-c", "from harms import KINDS; print(*KINDS, sep='|')"]
    path = os.pathsep.join([str(LOSS), str(LOSS.parents[1] / "support")])
    known = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=known)
    assert done.stdout.strip().split("|") == list(KINDS)


# -- what finds that something was lost --------------------------------------------------------------------------------

BOOKS = {
    "a": {"created": ["1"], "cancelled": [], "ended": ["1"]},
    "b": {"created": ["2", "3"], "cancelled": ["2"], "ended": ["3"]},
}
ACCOUNT = {"a": ["done", "1"], "b": ["done", "3"], "c": ["cancelled", ""]}


def judged(books: dict[str, Any], account: dict[str, Any], mode: str = "fail", is_harmless: bool = False) -> Any:
    return function("judged")([account], books, 3, mode, is_harmless)


def function(name: str) -> Any:
    return runpy.run_path(str(LOSS / "verdict.py"))[name]


def test_what_agrees_with_the_books_is_fine() -> None:
    verdict = judged(BOOKS, ACCOUNT)
    assert verdict.is_fine()
    assert (verdict.tasks, verdict.resolved, verdict.failed) == (3, 2, {"cancelled": 1})


@pytest.mark.parametrize("what", ["cancelled", "pending", "RuntimeError"])
def test_a_task_that_goes_on_is_lost_unless_its_key_is_in_doubt(what: str) -> None:
    assert judged(BOOKS, {**ACCOUNT, "a": [what, ""]}).lost == 1
    assert judged(BOOKS, {**ACCOUNT, "a": ["ShardLost", ""]}).is_fine()


def test_a_task_of_which_nothing_is_said_is_lost() -> None:
    assert judged({**BOOKS, "d": BOOKS["a"]}, ACCOUNT).lost == 1


def test_two_tasks_are_found_but_not_if_one_was_cancelled() -> None:
    assert judged({**BOOKS, "a": {"created": ["1", "4"], "cancelled": []}}, ACCOUNT).twice == 1


def test_a_result_that_the_books_do_not_have_is_wrong() -> None:
    assert judged(BOOKS, {**ACCOUNT, "a": ["done", "3"]}).wrong == 1


@pytest.mark.parametrize(("mode", "is_harmless"), [("token", False), ("find", False), ("fail", True)])
def test_nothing_may_stay_in_doubt_where_it_need_not(mode: str, is_harmless: bool) -> None:
    assert judged(BOOKS, {**ACCOUNT, "a": ["StartInDoubt", ""]}, mode, is_harmless).unsettled == 1


@pytest.mark.parametrize(("options", "count"), [({}, 0), ({"is_survived": True}, 1), ({"is_harmless": True}, 1)])
def test_what_need_not_fail_may_not_fail_in_the_first_run(options: dict[str, bool], count: int) -> None:
    accounts = [{**ACCOUNT, "a": ["ClusterLost", ""]}, ACCOUNT]
    assert function("judged")(accounts, BOOKS, 3, "token", **options).unsettled == count


def test_a_key_that_is_not_accounted_for_is_unsettled() -> None:
    assert judged(BOOKS, {"a": ["done", "1"], "b": ["done", "3"]}).unsettled == 1
