"""What the tests of keys share."""

from keys_support import path, run, service

__all__ = ["path", "run", "service"]
