"""Has each operation starve.

python main.py --list
python main.py [NAME...]
"""

from __future__ import annotations

import sys

import ends
import loops
import operations
import records
from starving import run

OPERATIONS = {**operations.OPERATIONS, **ends.OPERATIONS, **loops.OPERATIONS, **records.OPERATIONS}

if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print(*OPERATIONS)
    for name in [] if sys.argv[1:] == ["--list"] else sys.argv[1:] or OPERATIONS:
        run(OPERATIONS[name])
