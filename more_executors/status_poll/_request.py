"""One call of a `StatusPoll`: whom it asks about, and what one task or entry of a reply has to bear alone."""

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
    """What one call asks about: `ids`, of which `waiting` has the descriptors that no status has been read for yet."""

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
        """Whether that was possible: all ids are hashable, and none is there twice."""
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
        """All the ids, for looking one up: made for the first odd one."""
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
    """Fail one task with what a user's function raised for it, without the frames of ours that it went through."""
    descriptor.yield_exception(without_frames(error, 1))


def check_reply(reply: object, fetch: object, key: object) -> None:
    """Raise TypeError if `reply`, which is no mapping, cannot be the reply of a `fetch`."""
    done_by(fetch, reply, iterated=True)
    if not is_iterable(reply):
        raise TypeError(f"fetch must return an iterable of statuses, or a mapping of ids to them, not {shown(reply)}")
    if key is None:
        raise TypeError(f"without a key, fetch must return a mapping of ids to statuses, not {shown(reply)}")


def is_iterable(reply: object) -> bool:
    """Whether `reply` can be iterated over, and not as text."""
    return isinstance(reply, Iterable) and not isinstance(reply, (str, bytes, bytearray))
