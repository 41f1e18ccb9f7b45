"""Whether a key may be on record, without looking there: a Bloom filter."""

from __future__ import annotations

__all__: list[str] = []

SMALLEST = 1 << 12  # bytes; each is for one key


class KeyFilter:
    """Keys that were added, at two to four bytes each, whatever their length.

    A key that was added is always suspected, and so are one or two in a hundred that were not. One thread at a time may
    add; any may ask.
    """

    def __init__(self) -> None:
        self._fields = [bytearray(SMALLEST)]  # each four times as long as the one before
        self._room = SMALLEST // 2  # for so many keys, in the last of them

    def add(self, key: str) -> None:
        """Suspect `key` from now on."""
        if not self._room:
            self._fields.append(bytearray(4 * len(self._fields[-1])))
            self._room = len(self._fields[-1]) // 2
        self._room -= 1
        field, bits = self._fields[-1], hash(key)
        last = len(field) * 8 - 1
        first, second = bits & last, bits >> 30 & last
        field[first >> 3] |= 1 << (first & 7)
        field[second >> 3] |= 1 << (second & 7)

    def suspects(self, key: str) -> bool:
        """Whether `key` may have been added."""
        bits = hash(key)
        for field in self._fields:
            last = len(field) * 8 - 1
            first = bits & last
            if field[first >> 3] >> (first & 7) & 1:
                second = bits >> 30 & last
                if field[second >> 3] >> (second & 7) & 1:
                    return True
        return False
