"""The command line: `python -m more_executors journal FILE` tells what is on record in a journal."""

from __future__ import annotations

import argparse
import sys

from .journal import _command


def main(arguments: list[str] | None = None) -> int:
    """Do what `arguments` say, by default those of this process. Returns the exit code: 0, or 1 after an error."""
    parser = argparse.ArgumentParser(prog="python -m more_executors", description="Tools of more_executors.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command.add_to(commands)
    options = parser.parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
