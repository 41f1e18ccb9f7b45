"""What the tests of StatusPoll share: descriptors without an executor, services that say what a test puts in."""

from __future__ import annotations

from typing import Any


class FakeDescriptor:
    """Does as a PollDescriptor; `outcome` is how its future ended, or None."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.outcome: Any = None

    @property
    def done(self) -> bool:
        return self.outcome is not None

    def yield_result(self, result: Any = None) -> None:
        self._end("result", result)

    def yield_exception(self, exception: BaseException) -> None:
        assert isinstance(exception, BaseException)
        self._end("error", exception)

    def cancel(self) -> None:
        self._end("cancelled", None)

    def _end(self, how: str, value: Any) -> None:
        if self.outcome is None:
            self.outcome = how, value

    @property
    def error(self) -> Any:
        """The exception that it failed with."""
        assert self.outcome is not None, "not done"
        assert self.outcome[0] == "error"
        return self.outcome[1]


def outstanding(*results: Any) -> list[Any]:
    return [FakeDescriptor(result) for result in results]


def outcomes(descriptors: list[Any]) -> list[Any]:
    return [descriptor.outcome for descriptor in descriptors]


class Service:
    """`fetch` returns, or raises, what is in `reply`; `asked` has the lists of ids it got."""

    def __init__(self, reply: Any = ()) -> None:
        self.reply = reply
        self.asked: list[list[Any]] = []

    def fetch(self, ids: list[Any]) -> Any:
        self.asked.append(ids)
        if isinstance(self.reply, BaseException):
            raise self.reply
        return self.reply

    async def fetch_async(self, ids: list[Any]) -> Any:
        return self.fetch(ids)


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def status(task_id: Any, state: str = "finished") -> dict[str, Any]:
    return {"id": task_id, "state": state}


def key(status: dict[str, Any]) -> Any:
    return status["id"]


def resolve(descriptor: Any, status: dict[str, Any]) -> None:
    """Yields the id of what is finished, nothing while it is running, and is beside itself otherwise."""
    if status["state"] == "finished":
        descriptor.yield_result(status["id"])
    elif status["state"] != "running":
        raise ValueError(status["state"])
