"""What futures of tasks with keys fail with, beside what the tasks themselves fail with."""

from __future__ import annotations

from typing import Any

from ._error import JournalError

__all__: list[str] = []


class StartInDoubt(JournalError):  # noqa: N818
    """It is not known whether the service has started a task for `key`, so nothing was started.

    The program was killed, or the connection was lost, between the request and the record of the answer. A function
    that starts a task may raise this itself, to say that it cannot know: the key stays in doubt then.
    """

    def __init__(self, key: Any = None) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"it is not known whether a task was started for the key {self.key!r}"


class OutcomeNotRecorded(JournalError):  # noqa: N818
    """The task of `key` has ended in an earlier run, but its outcome could not be encoded: `why`."""

    def __init__(self, key: Any, why: str) -> None:
        super().__init__(key, why)
        self.key = key
        self.why = why

    def __str__(self) -> str:
        return f"the task of the key {self.key!r} has ended, but its outcome could not be recorded: {self.why}"


class RecordedError(Exception):
    """A task failed in an earlier run, with an exception that cannot be made again as it was.

    `type_name` is what its class was called, and `message` its text.
    """

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(type_name, message)
        self.type_name = type_name
        self.message = message

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}"


for error in (StartInDoubt, OutcomeNotRecorded, RecordedError):
    error.__module__ = "more_executors.journal"  # where everybody has them from
