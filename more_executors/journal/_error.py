"""What is wrong with a journal."""

from __future__ import annotations

__all__: list[str] = []


class JournalError(Exception):
    """A journal cannot be opened, read or written."""


JournalError.__module__ = "more_executors.journal"  # where everybody has it from


class JournalLostError(JournalError):
    """The journal's file was deleted, moved or replaced: what was written cannot be found again."""


def refusal(path: str, why: str) -> JournalError:
    return JournalError(f"the journal {path!r} {why}")
