"""Whether client and service agree about every object."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from more_executors import TaskMissing, Throttled

from client import TaskError
from patience import UnavailableError


@dataclass
class Audit:
    """What comparing the books of both sides found.

    ``tasks`` is how many the service has, ``vanished`` how many of them it lost, ``withdrawn`` how many were
    made by a request that the client took back. ``twice`` names the objects with more than one task,
    ``disagreements`` says in a line each where the two sides do not agree. ``faults`` has for each kind of
    fault the times, in seconds since the epoch, and how often it struck then.
    """

    tasks: int = 0
    vanished: int = 0
    withdrawn: int = 0
    twice: list[str] = field(default_factory=list[str])
    disagreements: list[str] = field(default_factory=list[str])
    faults: dict[str, list[tuple[float, int]]] = field(default_factory=dict[str, list[tuple[float, int]]])

    @property
    def balanced(self) -> bool:
        """Whether all is as it should be."""
        return not self.twice and not self.disagreements


def audit(futures: dict[str, Future[Any]], books: Any) -> Audit:
    """Compare the futures, all of which have to be done, with what the service says of each object."""
    objects: dict[str, list[dict[str, Any]]] = books["objects"]
    found = Audit(faults={kind: [(at, n) for at, n in times] for kind, times in books["faults"].items()})
    for object_id in [*futures, *(objects.keys() - futures.keys())]:
        tasks = objects.get(object_id, [])
        found.tasks += len(tasks)
        vanished = [(task["ended"], 1) for task in tasks if task["state"] == "vanished"]
        found.vanished += len(vanished)
        if vanished:
            found.faults.setdefault("vanished", []).extend(vanished)
        found.withdrawn += sum("withdrawn" in task for task in tasks)
        if len(tasks) > 1:
            found.twice.append(object_id)
        future = futures.get(object_id)
        problem = "nobody published it" if future is None else _disagreement(future, tasks)
        if problem is not None:
            found.disagreements.append(f"{object_id}: {problem}; the service has {tasks or 'no task'}")
    return found


def _disagreement(future: Future[Any], tasks: Sequence[dict[str, Any]]) -> str | None:
    if not future.done():
        return "not done"
    task = tasks[0] if tasks else {"task_id": None, "state": "none"}
    state = task["state"]
    withdrawn = "withdrawn" in task
    try:
        result = future.result()
    except CancelledError:
        return None if state in ("none", "cancelled") or withdrawn else "cancelled"
    except TaskMissing as error:
        return None if state == "vanished" and task["task_id"] == error.task_id else repr(error)
    except TaskError as error:
        return None if state == "none" or task.get("error") == str(error) else repr(error)
    except (Throttled, UnavailableError) as error:
        return None if state == "none" or withdrawn else repr(error)
    except Exception as error:
        return repr(error)
    return None if (state, task["task_id"]) == ("finished", result["task_id"]) else f"finished as {result}"
