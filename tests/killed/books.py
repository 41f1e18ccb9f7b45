"""What a process says while it works, for whoever kills it: one line for each thing it did, or is about to do.

`starting ID`, `recorded ID`, `ending ID`, `forgotten ID`; `open` when it begins. A line is in the pipe when `say`
returns, so that it outlives its process.
"""

import os


def say(what: str, task: str = "") -> None:
    os.write(1, f"{what} {task}\n".encode())
