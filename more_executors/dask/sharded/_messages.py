"""What a client and its shards say to each other: plain tuples, many in one message, as bytes.

Guarantees:

* A message can be loaded whatever is in it: values of the user's are bytes in it, loaded one by one.

Commands are (START, numbers, calls), (START_MANY, numbers, items), (ADOPT, numbers, ids), (CANCEL, request, numbers),
(RELEASE, numbers), (POLL,) and (STOP,). Events are (CREATED, numbers, ids), (REFUSED, numbers, errors), (RETURNED,
numbers), (ENDED, numbers, outcomes), (ANSWERED, request, answers) and (STOPPED, reason).
"""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

from .._outcomes import PLAIN, error_bytes, error_of, pickled, without_frames

__all__: list[str] = []

START, START_MANY, ADOPT, CANCEL, RELEASE, POLL, STOP = range(7)
CREATED, REFUSED, RETURNED, ENDED, ANSWERED, STOPPED = range(10, 16)


class Pickled(NamedTuple):
    """A value that is not plain, and so is not sent as it is."""

    encoded: bytes


class Failure(NamedTuple):
    """An error."""

    encoded: bytes


def sent(value: object) -> Any:
    """`value` as it is sent. Raises what pickling it raises."""
    return value if type(value) in PLAIN else Pickled(pickled(value))


def sent_error(error: BaseException) -> Failure:
    return Failure(error_bytes(error))


def received(value: Any) -> Any:
    """What was sent as `value`, or the error. Raises what loading it raises."""
    if type(value) is Pickled:
        return pickle.loads(value.encoded)
    if type(value) is Failure:
        return error_of(value.encoded)
    return value


def outcome_of(value: Any) -> tuple[Any, bool]:
    """What was sent as `value`, and whether that is an error; what loading it raises is one, too."""
    try:
        return received(value), type(value) is Failure
    except BaseException as error:
        return without_frames(error), True


def message_of(parts: list[tuple[Any, ...]]) -> bytes:
    return pickle.dumps(parts, 5)


def parts_of(message: bytes) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = pickle.loads(message)
    return found
