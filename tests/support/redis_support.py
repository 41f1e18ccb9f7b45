"""A Redis of its own for a test: Debian's `redis-server`, in a folder that goes away with it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import CHILD_PATIENCE


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Its URL. Skips where there is no `redis-server`."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server not found")
    for _ in range(5):  # another program may take the port meanwhile
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder))
        with open(folder / "redis.log", "w") as log:
            server = subprocess.Popen([program, *options], stdout=log, stderr=log)
        try:
            if answers(server, port):
                yield f"redis://127.0.0.1:{port}/0"
                return
        finally:
            server.kill()
            server.wait()
    pytest.fail((folder / "redis.log").read_text())


def answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Whether it comes to answer, or ends."""
    until = time.monotonic() + CHILD_PATIENCE
    while server.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0) as connection:
            connection.sendall(b"PING\r\n")
            if connection.recv(16) == b"+PONG\r\n":
                return True
        time.sleep(0.02)
    return False


def calls_of(client: Any, *commands: str) -> int:
    """How often Redis has been asked these, ever."""
    stats = client.info("commandstats")
    return sum(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"] for command in commands)
