"""Whether a file is a sound journal. Nothing here changes the file."""

from __future__ import annotations

import os
import sqlite3

from ._connection import APPLICATION_ID, LAYOUT, LAYOUT_WITHOUT_STARTS
from ._copy import copied, is_damage
from ._error import refusal

__all__: list[str] = []

COLUMNS_OF_STARTS = ["number", "namespace", "key", "state", "since", "run", "token", "value"]
LAYOUTS = (LAYOUT_WITHOUT_STARTS, LAYOUT)
HEADER_LENGTH = 100
WAL_HEADER_LENGTH = 32
WAL_BEGINNINGS = (bytes.fromhex("377f0682"), bytes.fromhex("377f0683"))


def check_alone(path: str, where: str) -> None:
    """Raise if there is a WAL with content beside a file that is missing or empty."""
    if beginning(path, where):
        raise refusal(path, f"has nothing in it, but {path + '-wal'!r} has: one of the two was lost or replaced")


def checked(path: str, where: str, descriptor: int) -> bool:
    """Whether the file is still empty. Raises if it is not, and is no sound journal."""
    if not os.fstat(descriptor).st_size:
        check_alone(path, where)
        return True
    if why := fault_of_header(at_beginning(descriptor, HEADER_LENGTH)):
        raise refusal(path, why)
    wal = beginning(path, where)
    if len(wal) == WAL_HEADER_LENGTH and wal[:4] not in WAL_BEGINNINGS:
        raise refusal(path, f"is damaged: {path + '-wal'!r} is not what SQLite left there")
    try:
        with copied(where, descriptor) as connection:
            is_empty, why = looked_at(connection)
            if is_empty:
                return True  # its process was killed while it made it
    except OSError as error:
        raise refusal(path, f"cannot be checked, for which it is copied: {error}") from error
    except sqlite3.Error as error:
        is_damaged = is_damage(error)
        raise refusal(path, f"{'is damaged' if is_damaged else 'cannot be checked'}: {error}") from error
    if why:
        raise refusal(path, why)
    return False


def looked_at(connection: sqlite3.Connection) -> tuple[bool, str]:
    """Whether there is nothing in it yet, and a description of what is wrong with it, or an empty string."""
    names = ("page_count", "application_id", "user_version")
    pages, *version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    if not pages:
        return True, ""
    return False, fault_of_version(*version) or fault_of_content(connection, version[1])


def fault_of_header(header: bytes) -> str:
    """A description of what is wrong with the first bytes of a file, or an empty string."""
    if len(header) < HEADER_LENGTH or not header.startswith(b"SQLite format 3\0"):
        return "is no journal: it is no SQLite file"
    return fault_of_version(int.from_bytes(header[68:72], "big"), int.from_bytes(header[60:64], "big"))


def fault_of_version(application: int, layout: int) -> str:
    if application != APPLICATION_ID:
        return f"is no journal: it is the SQLite file of another application (id {application})"
    if layout > LAYOUT:
        return f"was written by a newer version of more_executors (layout {layout}, known is {LAYOUT})"
    return "" if layout in LAYOUTS else f"is damaged: there is no layout {layout}"


def fault_of_content(connection: sqlite3.Connection, layout: int) -> str:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        return f"is damaged: {found.splitlines()[-1]}"
    if columns_of(connection, "tasks") != ["key", "value"]:
        return "is damaged: it has no table of tasks"
    if layout == LAYOUT and columns_of(connection, "starts") != COLUMNS_OF_STARTS:
        return "is damaged: it has no table of starts"
    return ""


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def at_beginning(descriptor: int, length: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, length)


def beginning(path: str, where: str) -> bytes:
    """The first bytes of the WAL beside the file at `where`, none if it is not there."""
    try:
        with open(where + "-wal", "rb") as file:
            return file.read(WAL_HEADER_LENGTH)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise refusal(path, f"cannot be opened: {error}") from error
