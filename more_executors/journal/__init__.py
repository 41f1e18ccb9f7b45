"""What is polled, and what was meant to be started, on record: see `Journal` and `Keys`."""

from ._codec import JSON, Codec
from ._journal import Journal, JournalError, JournalLike, Unreadable, UnrecordableError
from ._key_errors import OutcomeNotRecorded, RecordedError, StartInDoubt
from ._keys import Keys

__all__ = [
    "JSON",
    "Codec",
    "Journal",
    "JournalError",
    "JournalLike",
    "Keys",
    "OutcomeNotRecorded",
    "RecordedError",
    "StartInDoubt",
    "Unreadable",
    "UnrecordableError",
]
