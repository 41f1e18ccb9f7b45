"""What the tests of keys share."""

from keys_support import boot_id, path, run, service

__all__ = ["boot_id", "path", "run", "service"]
