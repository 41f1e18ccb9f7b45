"""Options and arguments of sbatch, of Python values."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias, cast

from ..._checks import shown

__all__: list[str] = []

Word: TypeAlias = "str | int | float | os.PathLike[str]"

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
INSTEAD = {
    "array": "start_array(script, array) starts an array",
    "clusters": "Slurm(cluster=...) chooses a cluster",
    "test_only": "it starts nothing",
    "help": "it starts nothing",
    "usage": "it starts nothing",
    "version": "it starts nothing",
    "parsable": "it is given anyway",
    "wait": "the future is what waits",
}


def options_of(options: Mapping[str, Any]) -> list[str]:
    """`{"mem": "4G", "cpus_per_task": 2, "exclusive": True}` as `--mem=4G --cpus-per-task=2 --exclusive`.

    False and None leave an option out; a timedelta is written as Slurm writes times.

    Raises TypeError or ValueError, naming the option.
    """
    found: list[str] = []
    for name, value in options.items():
        if name in INSTEAD:
            raise ValueError(f"{name} cannot be given here: {INSTEAD[name]}")
        if NAME.fullmatch(name) is None or len(name) == 1:
            raise ValueError(
                f"options are named as sbatch names the long ones, such as cpus_per_task, not {shown(name)}"
            )
        if value is None or value is False:
            continue
        option = f"--{name.replace('_', '-')}"
        found.append(option if value is True else f"{option}={text_of(name, value)}")
    return found


def text_of(name: str, value: object) -> str:
    if isinstance(value, timedelta):
        whole = -(-value // timedelta(seconds=1))  # a time limit rather a second too long
        if whole < 0:
            raise ValueError(f"{name} must not be negative, not {value!r}")
        hours, seconds = divmod(whole % 86_400, 3_600)
        return f"{whole // 86_400}-{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
    return word_of(name, value)


def word_of(name: str, value: object) -> str:
    """One argument of a command."""
    text: object = value
    if isinstance(value, os.PathLike):
        text = os.fspath(cast("os.PathLike[str]", value))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        text = str(value)
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str, a number or a path, not {shown(text)}")
    if "\0" in text:
        raise ValueError(f"{name} must not have a NUL in it: {shown(text)}")
    return text


def what_to_run(script: Word | None, arguments: Sequence[Word], wrap: str | Sequence[Word] | None) -> list[str]:
    """The end of the command line: a script with its arguments, or a command that Slurm makes a script of.

    Raises TypeError or ValueError if it is neither, or both.
    """
    if (script is None) == (wrap is None):
        raise TypeError(f"either script or wrap must be given, not {shown(script)} and {shown(wrap)}")
    if script is None:
        if arguments:
            raise TypeError(f"only a script takes arguments, not wrap: {shown(arguments)}")
        return [f"--wrap={command_of(wrap)}"]
    name = word_of("script", script)
    if not name:
        raise ValueError("script must be the path of one, not ''")
    return ["--", name, *(word_of("argument", argument) for argument in arguments)]


def command_of(command: object) -> str:
    """The text for the shell of the compute node: as it is, or of the words of a command."""
    if isinstance(command, str):
        return word_of("command", command)
    words = cast("Sequence[object]", command)
    if not isinstance(command, (list, tuple)) or not command:
        raise TypeError(f"command must be a str, or a list of words, not {shown(words)}")
    return shlex.join(word_of("command", word) for word in words)
