"""Has operations counted, each in a child process: `python -S driver.py PACKAGE MARK LAYOUT OPERATION ...`.

PACKAGE is the folder of the `more_executors` that is counted, MARK is the compiled `mark.c`. LAYOUT is a number: with
another one, objects lie elsewhere in memory. What could not be done is printed, as a line of JSON for each operation.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .operations import Operation

LIMIT = 300  # seconds for an operation
MORE = 6  # times as many, in the second of two counts


def main(package: str, mark_library: str, layout: str, *names: str) -> None:
    sys.path[0] = package
    sys.path.append(str(Path(__file__).parents[2]))  # last: `more_executors` is to be the one of `package`
    moving = ["x" * width + str(number) for width in range(64) for number in range(7 * int(layout))]
    from benchmarks.gate.operations import OPERATIONS

    mark = ctypes.PyDLL(mark_library)
    for name in names:
        child = os.fork()
        if not child:
            try:
                count(name, OPERATIONS[name], mark)
            except BaseException as error:
                say(name, f"{type(error).__name__}: {error}")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if status:
            say(name, f"signal {os.WTERMSIG(status)}, where {signal.SIGALRM:d} means: not done in {LIMIT} s")
    moving.clear()


def count(name: str, operation: Operation, mark: ctypes.PyDLL) -> None:
    """Once for some, then for more: the difference is without what is paid once."""
    signal.alarm(LIMIT)
    gc.disable()
    sys.setswitchinterval(1000)  # a thread goes on until it has to wait
    operation.prepare(100)()
    for size in (operation.count, operation.count * MORE):
        run = operation.prepare(size)
        mark.begin()
        run()
        mark.end(f"{name}: {size * operation.times}".encode())


def say(name: str, fault: str) -> None:
    print(json.dumps({name: fault}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
