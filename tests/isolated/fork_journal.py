"""A forked child can use no journal of its parent's, and, however it ends, does the parent's no harm."""

import gc
import os
import signal
import sys
import tempfile
import warnings

from more_executors.journal import Journal, JournalError

if not hasattr(os, "fork"):
    sys.exit()
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads


def refused(function, words):
    try:
        function()
    except JournalError as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)


def fork(function):
    child = os.fork()
    if child == 0:
        function()
        sys.exit()
    return child


def let_it_end(child):
    assert os.waitpid(child, 0)[1] == 0


folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "tasks.db")
journal = Journal(path)
journal.write([(1, "one")], [])


def use_it():
    refused(lambda: journal.write([], [1]), "is the parent's")
    refused(lambda: list(journal.outstanding()), "is the parent's")
    refused(lambda: len(journal), "is the parent's")
    refused(lambda: Journal(path), "is in use by another process")
    journal.close()
    journal.close()
    folder.cleanup = lambda: None
    folder._finalizer.detach()


def drop_it():
    global journal
    del journal
    gc.collect()
    folder._finalizer.detach()


for function in (use_it, drop_it, folder._finalizer.detach):
    let_it_end(fork(function))
    journal.write([(2, "two")], [])
    assert [key for key, _ in journal.outstanding()] == [1, 2]
    assert os.path.getsize(path + "-wal"), "the child took what the parent writes to for its own"

# A child that outlives its parent holds no lock: this one's parent opens the journal, forks it, and is killed.
journal.close()
reading, writing = os.pipe()


def leave_a_child():
    theirs = Journal(path)
    theirs.write([(3, "three")], [])
    folder._finalizer.detach()
    grandchild = os.fork()
    if grandchild == 0:
        signal.alarm(30)
        os.write(writing, b"%d\n" % os.getpid())
        signal.pause()
    signal.pause()


killed = fork(leave_a_child)
grandchild = int(os.read(reading, 100))
os.kill(killed, signal.SIGKILL)
os.waitpid(killed, 0)
try:
    journal = Journal(path)
finally:
    os.kill(grandchild, signal.SIGKILL)
assert [key for key, _ in journal.outstanding()] == [1, 2, 3]
journal.close()
folder.cleanup()
