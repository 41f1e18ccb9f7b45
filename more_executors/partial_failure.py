"""How a poll function says that it could not ask about some of its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._checks import shown
from ._core import PollDescriptor

__all__ = ["PartialFailure"]


class PartialFailure(Exception):  # noqa: N818  # as Throttled
    """Raised by a poll function that could not ask about some of its tasks: it concerns these alone.

    They are treated as if the call had had no other tasks: polled again as the `retry_policy` says, or failed with the
    exception, or with `Throttled` polled again after a pause. To the other tasks, the call has succeeded.

    Args:
        errors: a mapping of descriptors that the call got to exceptions. May be empty.

    Raises TypeError if it is no such mapping.
    """

    errors: dict[PollDescriptor[Any, Any], BaseException]

    def __init__(self, errors: Mapping[PollDescriptor[Any, Any], BaseException]) -> None:
        if not isinstance(errors, Mapping):
            raise TypeError(f"errors must be a mapping of descriptors to exceptions, not {shown(errors)}")
        for descriptor, error in errors.items():
            if not isinstance(descriptor, PollDescriptor):
                raise TypeError(f"errors must be a mapping of descriptors, not of {shown(descriptor)}, to exceptions")
            if not isinstance(error, BaseException):
                raise TypeError(f"errors must be a mapping of descriptors to exceptions, not to {shown(error)}")
        super().__init__(errors)
        self.errors = dict(errors)

    def __str__(self) -> str:
        kinds = ", ".join(sorted({type(error).__name__ for error in self.errors.values()}))
        tasks = "1 task" if len(self.errors) == 1 else f"{len(self.errors)} tasks"
        return f"{tasks} could not be asked about" + (f": {kinds}" if kinds else "")

    def __reduce__(self) -> str:
        raise TypeError("a PartialFailure cannot be copied or pickled: it is for the executor whose descriptors it has")
