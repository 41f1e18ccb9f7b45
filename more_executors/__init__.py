"""Executors that chain, and the one that waits for very many remote tasks: `Executors` is the place to start."""

try:
    import more_executors._core  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ModuleNotFoundError as error:
    if error.name != "more_executors._core":
        raise
    raise ImportError(
        "more_executors._core, the compiled part of more_executors, has not been built for this Python: install "
        "the package (python -m pip install .), or in a checkout build it in place (make develop)"
    ) from error

from . import futures
from . import progress as progress
from ._version import __version__ as __version__
from .asyncio import AsyncioExecutor
from .backoff import Backoff as Backoff
from .cancel_on_shutdown import CancelOnShutdownExecutor
from .completions import Completions as Completions
from .event_loop import EventLoopExecutor as EventLoopExecutor
from .executors import Executors
from .flat_map import FlatMapExecutor
from .futures import (
    f_and,
    f_apply,
    f_flat_map,
    f_map,
    f_nocancel,
    f_or,
    f_proxy,
    f_return,
    f_return_cancelled,
    f_return_error,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
)
from .journal import Journal as Journal
from .journal import Keys as Keys
from .journal import OutcomeNotRecorded as OutcomeNotRecorded
from .journal import RecordedError as RecordedError
from .journal import StartInDoubt as StartInDoubt
from .map import MapExecutor
from .partial_failure import PartialFailure as PartialFailure
from .poll import PollDescriptor, PollExecutor
from .poll_stats import OutstandingTask as OutstandingTask
from .poll_stats import PollStats as PollStats
from .promise import Promise as Promise
from .rate_limit import RateLimit as RateLimit
from .rate_limit import Throttled as Throttled
from .retry import ExceptionRetryPolicy, RetryExecutor, RetryPolicy
from .status_poll import EachStatus as EachStatus
from .status_poll import StatusPoll as StatusPoll
from .status_poll import TaskMissing as TaskMissing
from .status_poll import TaskUnknown as TaskUnknown
from .sync import SyncExecutor
from .throttle import ThrottleExecutor
from .timeout import TimeoutExecutor

__all__ = [
    "AsyncioExecutor",
    "CancelOnShutdownExecutor",
    "ExceptionRetryPolicy",
    "Executors",
    "FlatMapExecutor",
    "MapExecutor",
    "PollDescriptor",
    "PollExecutor",
    "RetryExecutor",
    "RetryPolicy",
    "SyncExecutor",
    "ThrottleExecutor",
    "TimeoutExecutor",
    "f_and",
    "f_apply",
    "f_flat_map",
    "f_map",
    "f_nocancel",
    "f_or",
    "f_proxy",
    "f_return",
    "f_return_cancelled",
    "f_return_error",
    "f_sequence",
    "f_timeout",
    "f_traverse",
    "f_zip",
    "futures",
]
