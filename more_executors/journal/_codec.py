"""How values get into a journal, and out again."""

from __future__ import annotations

import json
from typing import Any, Protocol

from .._checks import shown

__all__: list[str] = []


class Codec(Protocol):
    """Encodes values as text or bytes, and decodes them. Is called from any thread."""

    def encode(self, value: Any, /) -> str | bytes:
        """Encode `value`. May raise if that is not possible."""
        raise NotImplementedError

    def decode(self, encoded: Any, /) -> Any:
        """Decode what `encode` returned."""


encode_json = json.JSONEncoder(separators=(",", ":")).encode


class JsonCodec:
    """Values as JSON: None, bools, numbers, strings, and lists and dicts of such.

    A tuple comes back as a list, and a key of a dict that is no string as a string.
    """

    def encode(self, value: Any) -> str:
        """Compact JSON, in ASCII. Raises TypeError, ValueError or RecursionError if there is none of `value`."""
        return encode_json(value)

    def decode(self, encoded: str | bytes) -> Any:
        """The value. Raises ValueError if that is no JSON."""
        return json.loads(encoded)

    def __repr__(self) -> str:
        return "JSON"


JSON = JsonCodec()


def check_storable(encoded: object) -> None:
    """Raise unless `encoded` is bytes, or a string that has a form in UTF-8."""
    if isinstance(encoded, str):
        encoded.encode()
    elif not isinstance(encoded, bytes):
        raise TypeError(f"a codec has to make str or bytes of a value, not {shown(encoded)}")
