"""Whether a key may be on record, without looking there: a Bloom filter."""

from __future__ import annotations

__all__: list[str] = []

SMALLEST = 1 << 12  # bytes; each is for one key, of which some 3 % more than are there are suspected
PROBES = 2


class KeyFilter:
    """Keys that were added, at one byte or two each, whatever their length. May be used from any thread.

    A key that was added is always suspected; of others, a few in a hundred.
    """

    def __init__(self) -> None:
        self._fields = [bytearray(SMALLEST)]  # each twice as long as the one before
        self._count = 0  # in the last of them

    def add(self, key: str) -> None:
        field = self._fields[-1]
        if self._count >= len(field):
            self._fields.append(field := bytearray(2 * len(field)))
            self._count = 0
        self._count += 1
        bits, last = hash(key), len(field) * 8 - 1
        for _ in range(PROBES):
            place = bits & last
            field[place >> 3] |= 1 << (place & 7)
            bits >>= 30

    def suspects(self, key: str) -> bool:
        """Whether `key` may have been added."""
        return any(has(field, hash(key)) for field in self._fields)


def has(field: bytearray, bits: int) -> bool:
    last = len(field) * 8 - 1
    for _ in range(PROBES):
        place = bits & last
        if not field[place >> 3] & 1 << (place & 7):
            return False
        bits >>= 30
    return True
