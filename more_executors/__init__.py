"""Executors that chain, and the one that waits for very many remote tasks: `Executors` is the place to start."""

try:
    import more_executors._core  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "more_executors._core":
        raise
    raise ImportError(
        "more_executors._core, the compiled part of more_executors, has not been built for this Python: install "
        "the package (python -m pip install .), or in a checkout build it in place (make develop)"
    ) from error

from .executors import Executors
from .poll import PollDescriptor, PollExecutor
from .sync import SyncExecutor

__all__ = ["Executors", "PollDescriptor", "PollExecutor", "SyncExecutor"]
