"""Services that start tasks, right where good guesses are wrong: `Service` to write one, and adapters for real ones."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._errors import ServiceAway, TaskFailed, UnexpectedReply
from ._service import Service
from ._tags import tag_of

if TYPE_CHECKING:
    from .aws import AwsBatch, GlueJobs, StepFunctions
    from .operations import AzureOperations, Operations
    from .queues import CeleryTasks, DramatiqMessages, HueyTasks, RqJobs
    from .slurm import Slurm

__all__ = [
    "AwsBatch",
    "AzureOperations",
    "CeleryTasks",
    "DramatiqMessages",
    "GlueJobs",
    "HueyTasks",
    "Operations",
    "RqJobs",
    "Service",
    "ServiceAway",
    "Slurm",
    "StepFunctions",
    "TaskFailed",
    "UnexpectedReply",
    "tag_of",
]

# Imported when somebody asks for them: most programs use one.
ADAPTERS = {
    "AwsBatch": "aws",
    "AzureOperations": "operations",
    "CeleryTasks": "queues",
    "DramatiqMessages": "queues",
    "GlueJobs": "aws",
    "HueyTasks": "queues",
    "Operations": "operations",
    "RqJobs": "queues",
    "Slurm": "slurm",
    "StepFunctions": "aws",
}


def __getattr__(name: str) -> object:
    if name in ADAPTERS:
        return getattr(import_module(f".{ADAPTERS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
