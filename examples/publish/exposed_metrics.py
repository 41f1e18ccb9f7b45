"""What the library measures, for Prometheus to scrape."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def exposed_metrics(port: int) -> Generator[None, None, None]:
    """Serve the metrics of this process on 127.0.0.1 meanwhile, at ``port`` unless that is 0."""
    if not port:
        yield
        return
    from prometheus_client import start_http_server

    server, thread = start_http_server(port, "127.0.0.1")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
