"""In a subinterpreter the import fails with an error that says so, and the main interpreter goes on."""

import sys

try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        sys.exit()

from more_executors import Executors

code = """if True:
    try:
        import more_executors
    except ImportError as error:
        assert "interpreter" in str(error), error
    else:
        raise AssertionError("imported")
"""
interpreter = interpreters.create()
failure = interpreters.run_string(interpreter, code)
assert failure is None, failure
interpreters.destroy(interpreter)

with Executors.sync().with_poll(lambda ds: [d.yield_result(d.result) for d in ds] and 0) as executor:
    assert executor.submit(int, 5).result(10) == 5
