"""Values to JSON, and to the `meta` that says what JSON cannot."""

from __future__ import annotations

import array
import datetime
import json
import math
import sys
import traceback
from typing import Any, Dict, List, Optional, Tuple

from .errors import NetError, RemoteError, registered_name
from .kinds import INVALID_DATE, UNDEFINED, BigInt, Bytes, Map, RegExp, URL

#: JavaScript's `Number.MAX_SAFE_INTEGER`.
MOST = 2**53 - 1
DEEPEST = 256
MOST_BINARIES = 4096
LONGEST_BIGINT = 16_384

KINDS = {"b": "Int8Array", "B": "Uint8Array", "h": "Int16Array", "H": "Uint16Array", "i": "Int32Array", "I": "Uint32Array",
         "q": "BigInt64Array", "Q": "BigUint64Array", "f": "Float32Array", "d": "Float64Array"}

to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether JSON says all of the value. Types are compared exactly: a subclass may mean more than its base says."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MOST <= value <= MOST)
    if kind is float:
        return math.isfinite(value)
    if depth >= DEEPEST:
        return False
    if kind is list or kind is tuple:
        return all(is_plain(each, depth + 1) for each in value)
    if kind is dict:
        return all(type(key) is str and is_plain(each, depth + 1) for key, each in value.items())
    return False


class Encoder:
    """Encodes the values of one frame."""

    def __init__(self) -> None:
        self.binaries: List[bytes] = []

    def meta(self, entries: Dict[str, Any]) -> Dict[str, Any]:
        meta: Dict[str, Any] = {"values": entries, "v": 1}
        if self.binaries:
            meta["binary"] = len(self.binaries)
        return meta

    def encode(self, value: Any, path: str, place: str, entries: Dict[str, Any], depth: int = 0) -> Any:
        """The JSON of the value. What JSON cannot say is put into `entries` under `path`; `place` is the path for people."""
        kind = type(value)
        if kind is str or kind is bool or value is None:
            return value
        if kind is int:
            return value if -MOST <= value <= MOST else self._bigint(value, path, place, entries)
        if kind is float:
            return value if math.isfinite(value) else self._number(value, path, entries)
        if depth > DEEPEST:
            raise unsendable(place, f"is nested more than {DEEPEST} deep, or contains itself")
        if kind is list or kind is tuple:
            return [self.encode(each, f"{path}.{index}", f"{place}[{index}]", entries, depth + 1)
                    for index, each in enumerate(value)]
        if kind is dict and all(type(key) is str for key in value):
            return {key: self.encode(each, f"{path}.{escape(key)}", f"{place}.{key}", entries, depth + 1)
                    for key, each in value.items()}
        return self._rich(value, path, place, entries, depth)

    def _number(self, value: float, path: str, entries: Dict[str, Any]) -> str:
        entries[path] = ["number"]
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"

    def _bigint(self, value: int, path: str, place: str, entries: Dict[str, Any]) -> str:
        # Two digits fewer than the limit, so that the number need not be written out to find it too long.
        if abs(value).bit_length() > (LONGEST_BIGINT - 2) * math.log2(10):
            raise unsendable(place, f"is an int of more than {LONGEST_BIGINT - 2} digits")
        entries[path] = ["bigint"]
        return digits(value)

    def _rich(self, value: Any, path: str, place: str, entries: Dict[str, Any], depth: int) -> Any:
        if value is UNDEFINED:
            entries[path] = ["undefined"]
            return None
        if isinstance(value, BigInt):
            return self._bigint(value, path, place, entries)
        if isinstance(value, datetime.datetime) or value is INVALID_DATE:
            entries[path] = ["Date"]
            return "Invalid Date" if value is INVALID_DATE else iso(value, place)
        if type(value) is URL:
            entries[path] = ["URL"]
            return str(value)
        if type(value) is RegExp:
            entries[path] = ["regexp"]
            return f"/{value.source}/{value.flags}"
        data, kind = bytes_of(value)
        if data is not None:
            if len(self.binaries) >= MOST_BINARIES:
                raise unsendable(place, f"is more than the {MOST_BINARIES} byte values that one message takes")
            self.binaries.append(data)
            entries[path] = [["custom", kind]]
            return len(self.binaries) - 1
        return self._container(value, path, place, entries, depth)

    def _container(self, value: Any, path: str, place: str, entries: Dict[str, Any], depth: int) -> Any:
        inner: Dict[str, Any] = {}
        made: Any
        if type(value) in (set, frozenset):
            name = "set"
            made = [self.encode(each, str(index), f"{place}.values[{index}]", inner, depth + 1)
                    for index, each in enumerate(value)]
        elif type(value) in (dict, Map):
            name = "map"
            made = [[self.encode(key, f"{index}.0", f"{place}.keys[{index}]", inner, depth + 1),
                     self.encode(each, f"{index}.1", f"{place}.values[{index}]", inner, depth + 1)]
                    for index, (key, each) in enumerate(value.items())]
        elif isinstance(value, BaseException):
            name = "Error"
            made = error_parts(value)
            properties = self._properties(made.pop("properties", {}), inner, depth)
            if properties:
                made["properties"] = properties
            cause = cause_of(value)
            if cause is not None:
                made["cause"] = self.encode(cause, "cause", f"{place}.cause", inner, depth + 1)
            errors = errors_of(value)
            if errors is not None:
                made["errors"] = self.encode(errors, "errors", f"{place}.errors", inner, depth + 1)
        else:
            raise unsendable(place, f"is {describe(value)}")
        entries[path] = [name, inner] if inner else [name]
        return made

    def _properties(self, given: Dict[str, Any], entries: Dict[str, Any], depth: int, path: str = "properties"
                    ) -> Dict[str, Any]:
        """Those that can be sent: an error without its socket is better than no error."""
        made: Dict[str, Any] = {}
        for key, each in given.items():
            own: Dict[str, Any] = {}
            count = len(self.binaries)
            try:
                made[key] = self.encode(each, f"{path}.{escape(key)}", key, own, depth + 1)
                entries.update(own)
            except NetError:
                del self.binaries[count:]
        return made

    def error(self, error: BaseException, path: str, entries: Dict[str, Any], depth: int = 0) -> Dict[str, Any]:
        """The field `error` of a frame."""
        made = error_parts(error)
        properties = self._properties(made.pop("properties", {}), entries, depth, f"{path}.properties")
        if properties:
            made["properties"] = properties
        cause, errors = cause_of(error), errors_of(error)
        if cause is not None and depth < 64:
            made["cause"] = self.cause(cause, f"{path}.cause", entries, depth + 1)
        if errors is not None and depth < 64:
            made["errors"] = [self.cause(each, f"{path}.errors.{index}", entries, depth + 1)
                              for index, each in enumerate(errors)]
        return made

    def cause(self, cause: Any, path: str, entries: Dict[str, Any], depth: int) -> Dict[str, Any]:
        if isinstance(cause, BaseException):
            return {"error": self.error(cause, f"{path}.error", entries, depth)}
        value = self._properties({"value": cause}, entries, depth, path)
        return {} if cause is UNDEFINED else value


def escape(key: str) -> str:
    return key.replace("\\", "\\\\").replace(".", "\\.")


def digits(value: int) -> str:
    """Python refuses to write ints of more than 4,300 digits, unless it is asked in pieces."""
    if abs(value) < 10**4000:
        return int.__str__(value)
    high, low = divmod(abs(value), 10**4000)
    return ("-" if value < 0 else "") + digits(high) + str(low).zfill(4000)


def iso(value: datetime.datetime, place: str) -> str:
    if value.tzinfo is None:
        raise unsendable(place, "is a datetime without a time zone; give it one, such as datetime.timezone.utc")
    try:
        utc = value.astimezone(datetime.timezone.utc)
    except OverflowError:
        raise unsendable(place, "is a datetime that is out of range in UTC") from None
    return utc.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def bytes_of(value: Any) -> Tuple[Optional[bytes], str]:
    """The bytes that stand for the value, and what they are in JavaScript."""
    if isinstance(value, Bytes):
        return value, value.kind
    if type(value) in (bytes, bytearray, memoryview):
        return bytes(value), "Uint8Array"
    if isinstance(value, array.array) and value.typecode in KINDS:
        if sys.byteorder == "big":
            value = array.array(value.typecode, value)
            value.byteswap()
        return value.tobytes(), KINDS[value.typecode]
    return None, ""


def describe(value: Any) -> str:
    if callable(value):
        return "a function" if not isinstance(value, type) else f"the class {value.__name__}"
    module = type(value).__module__
    name = type(value).__name__ if module == "builtins" else f"{module}.{type(value).__name__}"
    hint = {"re.Pattern": "; send an app_net.RegExp, in JavaScript's syntax", "decimal.Decimal": "; send a str or a float",
            "datetime.date": "; send a datetime with a time zone"}.get(name, "")
    return f"an instance of {name}, which cannot be sent{hint}"


def unsendable(place: str, why: str) -> NetError:
    return NetError("NOT_SERIALIZABLE", "no", f"{place} {why}")


NOT_PROPERTIES = {"name", "message", "stack", "code", "cause", "errors", "classes", "properties", "value", "__proto__",
                  "constructor"}


def error_parts(error: BaseException) -> Dict[str, Any]:
    """What an error is on the wire, but for its cause and its errors. `properties` are not encoded yet."""
    if isinstance(error, RemoteError):
        parts: Dict[str, Any] = {"name": error.name, "message": error.message}
        classes, stack, properties = list(error.classes), error.stack, error.properties
    else:
        parts = {"name": registered_name(type(error)), "message": message_of(error)}
        names = [registered_name(each) for each in type(error).__mro__ if each not in (object, BaseException, Exception)]
        classes = [*names[:7], "Error"]
        stack = "".join(traceback.format_exception(type(error), error, error.__traceback__, chain=False))
        properties = {key: each for key, each in vars(error).items()
                      if type(key) is str and not key.startswith("_") and key not in NOT_PROPERTIES}
    if classes and classes != [parts["name"]]:
        parts["classes"] = classes
    if stack is not None:
        parts["stack"] = stack
    code = getattr(error, "code", None)
    if code is not None and is_plain(code):
        parts["code"] = code
    if properties:
        parts["properties"] = properties
    return parts


def message_of(error: BaseException) -> str:
    try:
        return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    except Exception as own:  # `__str__` is the user's
        return f"(the message cannot be made: {type(own).__name__})"


def cause_of(error: BaseException) -> Any:
    return error.__cause__ if error.__cause__ is not None else getattr(error, "cause", None)


def errors_of(error: BaseException) -> Optional[List[Any]]:
    errors = getattr(error, "errors", None) if isinstance(error, RemoteError) else getattr(error, "exceptions", None)
    return list(errors) if isinstance(errors, (list, tuple)) else None
