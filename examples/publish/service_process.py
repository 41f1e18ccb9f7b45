"""The service as a child process."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from child import Child, ServiceError
from options import Options

SERVICE = Path(__file__).with_name("service.py")


class ServiceProcess:
    """A running service, whose books are in the file ``ledger``; leaving the ``with`` block ends it.

    Raises ServiceError if it does not start.
    """

    def __init__(self, options: Options, ledger: Path) -> None:
        names = ("duration", "distribution", "failure_rate", "reject_rate", "latency", "seed")
        self._arguments = [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in names]
        self._arguments.append(f"--faults={options.service_faults.as_argument()}")
        self._arguments.append(f"--state={ledger}")
        self._restarting = False
        self._port = self._start(options.port)
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def running(self) -> bool:
        """Whether the process is alive, or about to be again."""
        return self._restarting or self._child.running

    def restart(self, pause: threading.Event, seconds: float) -> None:
        """Kill the process, and ``seconds`` later, or when ``pause`` is set, start it again on the same port.

        If it does not start again, it is not ``running``.
        """
        self._restarting = True
        try:
            self._child.kill()
            pause.wait(seconds)
            self._start(self._port)
        except ServiceError:
            pass
        finally:
            self._restarting = False

    def close(self) -> None:
        """End the process and wait for that."""
        self._child.end()

    def _start(self, port: int) -> int:
        self._child = Child("service", str(SERVICE), f"--port={port}", *self._arguments)
        return int(self._child.news()["port"])

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
