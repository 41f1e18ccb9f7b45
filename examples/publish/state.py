"""The folder in which a run leaves what the next one has to know, if it is killed."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

from file_lock import lock
from options import Options
from runs import RunFile

OPTIONS, RUNS, JOURNAL, LEDGER = "options", "runs", "journal", "ledger"
NEW_OPTIONS = "options-new"
OF_JOURNAL = {f"{JOURNAL}{ending}" for ending in ("", "-begun", "-wal", "-shm", "-journal")}
NAMES = {OPTIONS, NEW_OPTIONS, RUNS, LEDGER, *OF_JOURNAL}
"""All that may be in the folder."""


class StateError(Exception):
    """The folder cannot be used."""


class State:
    """The folder ``options.state``, which is made if it is not there, and is this program's until ``close``.

    It has the ``journal`` of the executor, the ``ledger`` of the service, what there is to tell of each run,
    and the options that all of them must have. These are written first and removed first: without them the
    rest is nobody's. With ``options.fresh`` it is emptied first. Raises StateError if it cannot be used, or
    belongs to a run that goes on, or to one with other options.
    """

    def __init__(self, options: Options) -> None:
        self._folder = folder = options.state
        self.journal = folder / JOURNAL
        self.ledger = folder / LEDGER
        try:
            self._file = self._opened()
        except OSError as error:
            raise StateError(f"cannot use {str(folder)!r}: {error.strerror}") from None
        try:
            self.runs = self._take(options)
        except (OSError, ValueError, LookupError, TypeError) as error:
            os.close(self._file)
            why = error.strerror if isinstance(error, OSError) else "it is damaged; begin anew with --fresh"
            raise StateError(f"cannot use {str(folder)!r}: {why}") from None
        except BaseException:
            os.close(self._file)
            raise

    def close(self) -> None:
        """Leave the folder to the next run."""
        os.close(self._file)

    def remove(self) -> None:
        """Close and remove the folder: the next run begins anew."""
        self._clear()
        self.close()
        with suppress(OSError):
            (self._folder / RUNS).unlink()
            self._folder.rmdir()

    def _opened(self) -> int:
        self._folder.mkdir(exist_ok=True)
        strangers = sorted({path.name for path in self._folder.iterdir()} - NAMES)
        if strangers:
            raise StateError(f"{str(self._folder)!r} is no folder of this program: {strangers[0]!r} is in it")
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        return os.open(self._folder / RUNS, flags, 0o666)

    def _take(self, options: Options) -> RunFile:
        try:
            lock(self._file, 0.0)
        except (BlockingIOError, PermissionError):
            raise StateError(f"{str(self._folder)!r} is in use by a run that goes on") from None
        path, wanted = self._folder / OPTIONS, options.of_the_work()
        if path.exists() and not options.fresh:
            runs = RunFile(self._file)
            if runs.runs:
                self._check(json.loads(path.read_text()), wanted)
                return runs
        self._clear()
        new = self._folder / NEW_OPTIONS
        new.write_text(json.dumps(wanted))
        new.replace(path)
        return RunFile(self._file)

    def _check(self, found: dict[str, Any], wanted: dict[str, Any]) -> None:
        for name, value in wanted.items():
            if found[name] != value:
                its = f"{str(self._folder)!r} is of a run that has not ended, with {name}={found[name]}"
                raise StateError(f"{its}, not {value}: run that to its end, or begin anew with --fresh")

    def _clear(self) -> None:
        for name in (OPTIONS, *sorted(NAMES - {OPTIONS, RUNS})):
            (self._folder / name).unlink(missing_ok=True)
        os.ftruncate(self._file, 0)
