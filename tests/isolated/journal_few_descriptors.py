"""However few file descriptors are left, a sound journal is not called damaged, is not changed, and is not kept."""

import os
import sys
import tempfile
from pathlib import Path

from more_executors.journal import Journal, JournalError

try:
    import resource
except ImportError:
    sys.exit()


def open_with(left, path):
    """Try to open it with so many descriptors left; what it says."""
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        for _ in range(min(left, len(taken))):
            os.close(taken.pop())
    try:
        journal = Journal(path)
    except JournalError as error:
        return str(error)
    else:
        assert [value for _, value in journal.outstanding()] == ["one"]
        return "opened"
    finally:
        for descriptor in taken:
            os.close(descriptor)
        if "journal" in locals():
            journal.close()


with tempfile.TemporaryDirectory() as folder:
    tempfile.tempdir = os.path.join(folder, "temporary")
    os.mkdir(tempfile.tempdir)
    path = os.path.join(folder, "tasks.db")
    with Journal(path) as journal:
        journal.write([(1, "one")], [])
        files = {ending: Path(path + ending).read_bytes() for ending in ("", "-wal")}
    alone = os.path.join(folder, "alone.db")
    Path(alone + "-wal").write_bytes(files["-wal"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    for killed in (False, True):
        if killed:
            for ending, content in files.items():
                Path(path + ending).write_bytes(content)
        said = [open_with(left, path) for left in range(12)]
        assert said[-1] == "opened", said
        assert said[2] != "opened", said
        for left, words in enumerate(said):
            assert words == "opened" or ("damaged" not in words and "in use" not in words), (left, words)
        assert not os.listdir(tempfile.tempdir)
    for left in range(12):
        said = open_with(left, alone)
        assert said != "opened", left
        assert os.path.getsize(alone + "-wal") == len(files["-wal"]), left
