"""Names for keys that services can keep with a task, so that the task can be found by them."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from ..journal._keys import text_of_key

__all__: list[str] = []

LONGEST = 64
AS_IT_IS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def tag_of(key: Any) -> str:
    """A name for `key` that a service can keep with a task: 1 to 64 letters, digits and `.`, `_`, `-`.

    A short text of these is its own tag, so that people find their tasks. For any other key it is `key-` and the
    first 48 digits of a hash. It is the same in every process.

    Args:
        key: what `submit_once` takes: a str, a number, None, or a list of these.

    Raises TypeError or ValueError if it is none.
    """
    text = text_of_key(key)
    if isinstance(key, str) and len(key) <= LONGEST and AS_IT_IS.fullmatch(key) and not key.startswith("key-"):
        return key
    return f"key-{sha256(text.encode()).hexdigest()[:48]}"
