"""The connection of SQLite to the file of a journal, which keeps everybody else out.

The file says whether somebody has it open, so that one that was not closed is known, even if what belongs to it is
gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import sysconfig

from .._core import log
from ._error import refusal

__all__: list[str] = []

APPLICATION_ID = int.from_bytes(b"mexJ", "big")
LAYOUT = 2
LAYOUT_WITHOUT_STARTS = 1  # which is made a 2 when it is opened

# Without a GIL, a statement that some thread has run is there until that thread runs Python code again, though the
# connection is closed; and the file is locked as long. So there none is kept for the next time.
KEPT_STATEMENTS = 0 if sysconfig.get_config_var("Py_GIL_DISABLED") else 128


# Of tasks with keys of the user's; for what is in it see `_start_records`.
STARTS = """CREATE TABLE starts (
    number INTEGER PRIMARY KEY, namespace TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, since REAL NOT NULL,
    run INTEGER NOT NULL, token TEXT, value, UNIQUE (namespace, key))"""


def connected(path: str, where: str, is_new: bool) -> sqlite3.Connection:
    """Open the only connection to the file; make the table if the file `is_new`."""
    has_wal = os.path.lexists(where + "-wal")
    is_whole = has_wal and not is_new  # or it has been said that it may not be
    try:
        # check_same_thread: JournalFile has a lock.
        connection = sqlite3.connect(
            where, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=KEPT_STATEMENTS
        )
    except sqlite3.Error as error:
        raise refusal(path, f"cannot be opened: {error}") from error
    try:
        # First of all: then there is no third file, of memory that processes share.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        if is_new:
            # All of that before the first WAL: so the file itself always says what it is.
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {LAYOUT}")
            connection.execute("CREATE TABLE tasks (key INTEGER PRIMARY KEY, value NOT NULL)")
            connection.execute(STARTS)
            connection.execute("COMMIT")
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise refusal(path, f"cannot be opened: its file system cannot do what SQLite needs (it stays {mode!r})")
        connection.execute("PRAGMA journal_size_limit = 16000000")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == LAYOUT_WITHOUT_STARTS:
            connection.execute(STARTS)
            connection.execute(f"PRAGMA user_version = {LAYOUT}")
        connection.execute("COMMIT")
        if not has_wal and is_marked(connection):
            message = "%r was not closed the last time, and its -wal is missing: what was written last may be lost"
            log(logging.getLogger("Journal"), logging.WARNING, message, path)
        is_whole = True
        mark(connection, True)
        return connection
    except BaseException as error:
        if is_whole and not isinstance(error, Exception):  # a Ctrl-C: it is closed as ever
            mark(connection, False)
        connection.close()
        if not isinstance(error, sqlite3.Error):
            raise
        why = "is in use by another process" if "locked" in str(error) else f"cannot be opened: {error}"
        raise refusal(path, why) from error


def is_marked(connection: sqlite3.Connection) -> bool:
    """Whether the file says that somebody has it open."""
    if not list(connection.execute("PRAGMA table_info(state)")):
        return False
    return (1,) in connection.execute("SELECT value FROM state WHERE name = 'open'").fetchall()


def mark(connection: sqlite3.Connection, is_open: bool) -> None:
    """Have the file say whether somebody has it open, if there is room for that.

    That it is open, the file itself says, whatever happens to the WAL; that it is closed, once that is part of it.
    """
    try:
        if connection.in_transaction:  # one that was interrupted
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value NOT NULL)")
        connection.execute("INSERT OR REPLACE INTO state VALUES ('open', ?)", (int(is_open),))
        connection.execute("COMMIT")
        if is_open:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):  # it may be closed
            if connection.in_transaction:
                connection.execute("ROLLBACK")
