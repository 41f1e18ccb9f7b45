"""Runs the scenarios of a module where gevent or eventlet make greenlets of threads: run.py LIBRARY MODULE.

It prints their names as they begin. If one fails, or freezes the process, it ends.
"""

from __future__ import annotations

import faulthandler
import importlib
import inspect
import sys
import warnings
from types import ModuleType

SECONDS = 40.0  # for one scenario


def patch(library: str) -> None:
    """Make greenlets of threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eventlet would rather not be used
        if library == "gevent":
            from gevent import monkey

            monkey.patch_all()
        else:
            import eventlet

            eventlet.monkey_patch()


def run(module: ModuleType) -> None:
    """Call, in order, the module's own functions that take nothing, and say which."""
    for name, function in [*vars(module).items()]:
        is_its_own = inspect.isfunction(function) and function.__module__ == module.__name__
        if is_its_own and not inspect.signature(function).parameters and name != "before_patching":
            print(name, flush=True)
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            function()


if __name__ == "__main__":
    library, name = sys.argv[1:]
    if name == "late":
        importlib.import_module(name).before_patching()
    patch(library)
    run(importlib.import_module(name))
    faulthandler.dump_traceback_later(SECONDS, exit=True)  # until the interpreter has ended
