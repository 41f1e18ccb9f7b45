"""Waiting for remote tasks: see `PollExecutor`."""

from ._executor import PollDescriptor, PollExecutor

__all__ = ["PollDescriptor", "PollExecutor"]
