"""With MORE_EXECUTORS_PROMETHEUS=0, and only so, nothing is exported and prometheus_client is not even imported."""

import os
import subprocess
import sys

PROGRAM = """if True:
    import sys
    from more_executors import Executors, f_map, f_return
    with Executors.sync(name="some").with_map(str).with_poll(lambda ds: [d.yield_result(1) for d in ds] and None) as e:
        assert e.submit(int).result(10) == 1
    assert f_map(f_return(1)).result() == 1
    if "prometheus_client" in sys.modules:
        from prometheus_client import generate_latest
        print("more_executors_exec_total" in generate_latest().decode())
    else:
        print("not imported")
"""


def printed(value):
    environment = {k: v for k, v in os.environ.items() if k != "MORE_EXECUTORS_PROMETHEUS"}
    if value is not None:
        environment["MORE_EXECUTORS_PROMETHEUS"] = value
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert ended.stderr == "", ended.stderr
    return ended.stdout.strip()


assert printed("0") == "not imported"
for value in (None, "", "1", "no", "false", "00"):
    assert printed(value) == "True", value
