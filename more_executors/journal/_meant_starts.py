"""What is on record as meant when nobody has the journal open: it is in doubt, or was never begun."""

from __future__ import annotations

import os
import sqlite3

from ._begun_marks import BegunMarks, remove_marks
from ._start_records import IN_DOUBT, MEANT

__all__: list[str] = []


def make_marks(connection: sqlite3.Connection, where: str) -> BegunMarks | None:
    """New marks for the journal at `where`, which knows them from now on; None where there can be none."""
    identity = os.urandom(16)
    marks = BegunMarks.made(where, identity)
    if marks is not None:
        connection.execute("INSERT OR REPLACE INTO state VALUES ('begun', ?)", (identity,))
    return marks


def marks_of(connection: sqlite3.Connection, where: str) -> BegunMarks | None:
    """The marks that an earlier process has left, if they are to be believed."""
    if not list(connection.execute("PRAGMA table_info(state)")):
        return None
    rows = connection.execute("SELECT value FROM state WHERE name = 'begun'").fetchall()
    return BegunMarks.left(where, rows[0][0]) if rows and isinstance(rows[0][0], bytes) else None


def never_begun(connection: sqlite3.Connection, where: str) -> set[int]:
    """The numbers of starts that are on record as meant, and were not begun: nobody may have the journal open."""
    marks = marks_of(connection, where)
    if marks is None:
        return set()
    try:
        meant = connection.execute("SELECT number FROM starts WHERE state = ?", (MEANT,))
        return {number for (number,) in meant if not marks.may_have_begun(number)}
    finally:
        marks.close()


def settle_meant(connection: sqlite3.Connection, where: str) -> None:
    """Have no start on record as meant: those that may have been begun are in doubt, the others are forgotten."""
    if connection.execute("SELECT 1 FROM starts WHERE state = ? LIMIT 1", (MEANT,)).fetchone():
        idle = never_begun(connection, where)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM starts WHERE number = ?", ((number,) for number in idle))
        connection.execute("UPDATE starts SET state = ? WHERE state = ?", (IN_DOUBT, MEANT))
        connection.execute("COMMIT")
    remove_marks(where)
