"""What is polled, on record: see `Journal`."""

from ._journal import JSON, Codec, Journal, JournalError, JournalLike, Unreadable, UnrecordableError

__all__ = ["JSON", "Codec", "Journal", "JournalError", "JournalLike", "Unreadable", "UnrecordableError"]
