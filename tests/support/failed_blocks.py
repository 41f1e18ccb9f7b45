"""`with` blocks of executors in tests that fail: they end, although nobody ends the futures any more."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from typing import Any

from support import SomeError

from more_executors._runtime import delegate_end

# What tests raise in such blocks on purpose.
ON_PURPOSE = (SomeError, KeyboardInterrupt, SystemExit)

leave = delegate_end.leave_block


def leave_block(executor: Executor, logger: logging.Logger, error: BaseException | None) -> None:
    """As the library does; but first cancel all futures, asking nobody, if `error` is that the test has failed."""
    if error is not None and not isinstance(error, ON_PURPOSE):
        layer: Any = executor
        while (end := getattr(layer, "_end", None)) is not None:
            if (table := getattr(layer, "_table", None)) is not None:
                table.cancel_all()
            layer = end.delegate
    leave(executor, logger, error)
