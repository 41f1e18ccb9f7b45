"""Whether client and service agree about every object."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from more_executors import StartInDoubt

from client import TaskError
from tally import name_of_kind

GONE = ("cancelled", "vanished")
"""The states of tasks that have published nothing: there may be another one for the same object."""

GAVE_UP = ("Throttled", "UnavailableError", "NotSentError")
"""What a future fails with for which nothing was started, however often that was tried."""


@dataclass
class Audit:
    """What comparing the books of both sides found.

    ``tasks`` is how many the service has, ``vanished`` how many of them it lost. ``twice`` names the objects
    that were published more than once, ``disagreements`` says in a line each where the two sides disagree.
    ``faults`` has for each kind of fault the times, in seconds since the epoch, and how often it struck then.
    """

    tasks: int = 0
    vanished: int = 0
    twice: list[str] = field(default_factory=list[str])
    disagreements: list[str] = field(default_factory=list[str])
    faults: dict[str, list[tuple[float, int]]] = field(default_factory=dict[str, list[tuple[float, int]]])

    @property
    def balanced(self) -> bool:
        """Whether all is as it should be."""
        return not self.twice and not self.disagreements


def audit(futures: dict[str, Future[Any]], books: Any, in_doubt: Collection[str]) -> Audit:
    """Compare the futures, all of which have to be done, with what the service says of each object.

    Of objects ``in_doubt``, it was not known whether they have a task when their futures ended.
    """
    objects: dict[str, list[dict[str, Any]]] = books["objects"]
    found = Audit(faults={kind: [(at, n) for at, n in times] for kind, times in books["faults"].items()})
    doubtful = set(in_doubt)
    for object_id in [*futures, *(objects.keys() - futures.keys())]:
        tasks = objects.get(object_id, [])
        found.tasks += len(tasks)
        vanished = [(task["ended"], 1) for task in tasks if task["state"] == "vanished"]
        found.vanished += len(vanished)
        if vanished:
            found.faults.setdefault("vanished", []).extend(vanished)
        if any(task["state"] not in GONE for task in tasks[:-1]):
            found.twice.append(object_id)
        future = futures.get(object_id)
        problem = "nobody published it"
        if future is not None:
            problem = _disagreement(future, tasks, object_id in doubtful)
        if problem:
            found.disagreements.append(f"{object_id}: {problem}; the service has {tasks or 'no task'}")
    return found


def _disagreement(future: Future[Any], tasks: Sequence[dict[str, Any]], in_doubt: bool) -> str:
    if not future.done():
        return "not done"
    task: dict[str, Any] = tasks[-1] if tasks else {"task_id": None, "state": "none"}
    state = task["state"]
    nothing = state in ("none", *GONE)
    try:
        result = future.result()
    except (CancelledError, StartInDoubt) as error:
        return "" if nothing or in_doubt else repr(error)
    except TaskError as error:
        return "" if state == "none" or task.get("error") == str(error) else repr(error)
    except Exception as error:  # perhaps of an earlier run
        kind = name_of_kind(error)
        gave_up = nothing and kind in GAVE_UP
        lost = state == "vanished" and kind == "TaskMissing" and task["task_id"] in str(error)
        return "" if gave_up or lost else repr(error)
    return "" if (state, task["task_id"]) == ("finished", result["task_id"]) else f"finished as {result}"
