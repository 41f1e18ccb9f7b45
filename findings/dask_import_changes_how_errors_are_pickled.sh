#!/usr/bin/env bash
# distributed 2026.8.0 (with tblib 3.2.2): once it is imported, exceptions that anybody pickles come back without what the
# constructor of their class sets: SystemExit(3) has no code, StopIteration(3) no value, and the text of a
# UnicodeDecodeError is empty. `args` is as it was. It replaces how exceptions are pickled, for their tracebacks, and then
# the constructor is not called.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check distributed==2026.8.0 tblib==3.2.2
cd "$folder"
venv/bin/python - <<'PROGRAM'
import pickle


def seen():
    code, value, text = (
        pickle.loads(pickle.dumps(error))
        for error in (SystemExit(3), StopIteration(3), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"))
    )
    return code.code, code.args, value.value, value.args, str(text), text.args[0]


before = seen()
print("before:", before)
import distributed

after = seen()
print("after importing distributed:", after)
assert before == (3, (3,), 3, (3,), "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte", "utf-8")
assert after == (None, (3,), None, (3,), "", "utf-8")
PROGRAM
