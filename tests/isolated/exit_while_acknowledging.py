"""While the interpreter ends, other threads go on submitting: whatever `flush_journal` says True of is on record."""

import os
import subprocess
import sys
import tempfile
import threading
from math import inf

from more_executors import Executors
from more_executors.journal import Journal


def leave(path):
    executor = Executors.sync().with_poll(lambda descriptors: inf, journal=Journal(path))
    enough = threading.Semaphore(0)

    def work(number):
        for count in range(1_000_000):
            ids = [f"{number}-{count}-{task}" for task in range(20)]
            try:
                futures = [executor.submit(str, task_id) for task_id in ids]
            except RuntimeError:
                return
            if executor.flush_journal():
                os.write(1, "".join(f"{task_id}\n" for task_id in ids).encode())
                enough.release()
            del futures

    for number, daemon in enumerate((True, True, False, False)):
        threading.Thread(target=work, args=(number,), daemon=daemon).start()
    for _ in range(20):
        enough.acquire()


if len(sys.argv) > 1:
    leave(sys.argv[1])
else:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tasks.db")
        command = [sys.executable, "-W", "error", __file__, path]
        ended = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
        acknowledged = set(ended.stdout.split())
        assert len(acknowledged) >= 400, ended
        assert ended.stderr == "", ended.stderr
        with Journal(path) as journal:
            on_record = {task_id for _, task_id in journal.outstanding()}
        assert acknowledged <= on_record, (len(acknowledged - on_record), len(acknowledged))
