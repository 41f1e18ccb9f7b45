"""A forked child of a process that keeps a journal records nothing, waits for nothing, and leaves it as it is."""

import logging
import os
import sys
import tempfile
import warnings

from more_executors.journal import Journal
from more_executors.journal._writer import JournalWriter

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads

with tempfile.TemporaryDirectory() as folder:
    journal = Journal(os.path.join(folder, "tasks.db"))
    recorder = JournalWriter(journal, logging.getLogger("recorder"), "default")
    recorder.joined(0, "zero")
    recorder.joined(1, "one")
    recorder.flush()
    for how in ("detached", "closed"):
        child = os.fork()
        if child == 0:
            if how == "detached":
                recorder.detach()
            recorder.ended(0)
            assert recorder.flush() is False
            recorder.close(wait=True)
            recorder.detach()
            with Journal(os.path.join(folder, "other.db")) as other:
                own = JournalWriter(other, logging.getLogger("recorder"), "own")
                own.joined(5, "five")
                assert own.flush(10)
                own.close(wait=True)
                assert len(other) == 1
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        os.remove(os.path.join(folder, "other.db"))
    recorder.ended(1)
    recorder.close(wait=True)
    assert list(journal.outstanding()) == [(0, "zero")]
    journal.close()
