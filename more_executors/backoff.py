"""How often a task is asked about: the less often the longer it runs."""

from ._core import Backoff

__all__ = ["Backoff"]
