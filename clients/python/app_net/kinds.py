"""Values that JavaScript has and Python lacks. Each class is made so that what arrives can be sent back unchanged."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple


class _Named:
    """A value of which there is one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __bool__(self) -> bool:
        return False

    def __copy__(self) -> _Named:
        return self

    def __deepcopy__(self, memo: Dict[int, Any]) -> _Named:
        return self


#: JavaScript's `undefined` within an array or an object, or as an argument. A function that returns nothing gives None.
UNDEFINED = _Named("UNDEFINED")
#: A JavaScript `Date` that is no date.
INVALID_DATE = _Named("INVALID_DATE")


class BigInt(int):
    """An int that is a `bigint` in JavaScript, however small. Ints beyond 2**53 - 1 become one by themselves."""


class Bytes(bytes):
    """Bytes that are not a `Uint8Array` in JavaScript: `kind` says what they are, such as `Buffer` or `DataView`."""

    kind: str

    def __new__(cls, data: bytes, kind: str) -> Bytes:
        self = super().__new__(cls, data)
        self.kind = kind
        return self


class Map(Dict[Any, Any]):
    """A dict that is a `Map` in JavaScript, even if all of its keys are strings."""


class URL(str):
    """A text that is a `URL` in JavaScript."""


class RegExp(NamedTuple):
    """A JavaScript regular expression. Its syntax differs from Python's, so `re` does not get to see it."""

    source: str
    flags: str = ""
