"""Which journals executors use: each is for one at a time, and stays open for as long as that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._journal import Journal, JournalLike

if TYPE_CHECKING:
    from ._writer_thread import WriterThread

__all__: list[str] = []

writers: dict[int, WriterThread] = {}  # by the `id` of the journal


def hold(writer: WriterThread, name: str) -> bool:
    """Have the journal of `writer` stay open, until `release`. Returns False if another executor uses it."""
    if writers.setdefault(id(writer.journal), writer) is not writer:
        return False
    if isinstance(writer.journal, Journal):
        writer.journal.hold(writer, name)
    return True


def release(writer: WriterThread) -> None:
    """Let another executor use the journal of `writer`."""
    if writers.get(id(writer.journal)) is writer:
        writers.pop(id(writer.journal), None)
        if isinstance(writer.journal, Journal):
            writer.journal.release(writer)


def check(journal: JournalLike) -> None:
    """Call `journal.check_file()` if it has one: that raises if what was written is not in its place any more."""
    if callable(method := getattr(journal, "check_file", None)):
        method()
