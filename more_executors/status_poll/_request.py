"""What one call of a `StatusPoll` asks, and the errors that concern one task only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._callables import done_by
from .._checks import shown
from .._core import PollDescriptor
from .._frames import without_frames
from ..rate_limit import Throttled

__all__: list[str] = []


class StatusRequest:
    """The `ids` that one call asks about. `waiting` has the descriptors that have got no status yet, by id."""

    __slots__ = ("_known", "ids", "twins", "waiting")

    def __init__(self, descriptors: list[PollDescriptor[Any, Any]], id_of: Callable[[Any], object] | None) -> None:
        self.waiting: dict[Any, PollDescriptor[Any, Any]] = {}
        self.twins: dict[Any, list[PollDescriptor[Any, Any]]] = {}  # further descriptors of the same id
        self._known: set[Any] | None = None
        try:
            if id_of is not None or not self._gather_at_once(descriptors):
                self._gather(descriptors, id_of)
            self.ids = list(self.waiting)
        finally:
            del self, descriptors

    def _gather_at_once(self, descriptors: list[PollDescriptor[Any, Any]]) -> bool:
        """Fill `waiting` in one go; returns whether all ids are hashable, and all different."""
        try:
            self.waiting = {descriptor.result: descriptor for descriptor in descriptors}
        except Exception:  # for `_gather` to deal with
            return False
        return len(self.waiting) == len(descriptors)

    def _gather(self, descriptors: list[PollDescriptor[Any, Any]], id_of: Callable[[Any], object] | None) -> None:
        self.waiting = {}
        descriptor = first = task_id = None
        try:
            for descriptor in descriptors:
                try:
                    task_id = descriptor.result if id_of is None else id_of(descriptor.result)
                    first = self.waiting.setdefault(task_id, descriptor)
                except Throttled:
                    raise
                except Exception as error:
                    fail(descriptor, error)
                    continue
                if first is not descriptor:
                    self.twins.setdefault(task_id, []).append(descriptor)
        finally:
            del self, descriptors, descriptor, first, task_id

    def known(self) -> set[Any]:
        """The set of all ids. It is made when it is needed first."""
        if self._known is None:
            self._known = set(self.ids)
        return self._known


def resolve_one(
    resolve: Callable[[PollDescriptor[Any, Any], Any], object], descriptor: PollDescriptor[Any, Any], status: Any
) -> None:
    try:
        done_by(resolve, resolve(descriptor, status))
    except Throttled:
        raise
    except Exception as error:
        fail(descriptor, error)


def fail(descriptor: PollDescriptor[Any, Any], error: Exception) -> None:
    """Fail a task with `error`, which a user's function raised, without the frames of this package."""
    descriptor.yield_exception(without_frames(error, 1))


def check_reply(reply: object, fetch: object, key: object) -> None:
    """Raise TypeError unless `reply`, which is no mapping, is an iterable of statuses and there is a `key`."""
    done_by(fetch, reply, iterated=True)
    if not is_iterable(reply):
        raise TypeError(f"fetch must return an iterable of statuses, or a mapping of ids to them, not {shown(reply)}")
    if key is None:
        raise TypeError(f"without a key, fetch must return a mapping of ids to statuses, not {shown(reply)}")


def is_iterable(reply: object) -> bool:
    """Whether `reply` can be iterated over, and is no text."""
    return isinstance(reply, Iterable) and not isinstance(reply, (str, bytes, bytearray))
