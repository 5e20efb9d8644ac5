"""JSON and `meta` to values."""

from __future__ import annotations

import array
import datetime
import json
import re
import sys
from typing import Any, Callable, Dict, List, Tuple

from .encode import KINDS, LONGEST_BIGINT, MOST, MOST_BINARIES
from .errors import BadFrame, RemoteError, Unreadable, remote_error
from .kinds import INVALID_DATE, UNDEFINED, BigInt, Bytes, Map, RegExp, URL

TYPECODES = {name: code for code, name in KINDS.items()}
BYTE_KINDS = {"Buffer", "ArrayBuffer", "DataView", "Uint8ClampedArray", "Float16Array"}
NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"), "-0": -0.0}
FIELDS = ("args", "kwargs", "value", "thrown", "error")


def _number(digits: str) -> Any:
    """A number of JavaScript is a double: beyond 2**53 it is not the int that its digits look like."""
    number = int(digits) if len(digits) < 20 else 0
    return number if len(digits) < 20 and -MOST <= number <= MOST else float(digits)


def _parse_int(digits: str) -> Any:
    return int(digits) if len(digits) < 16 else _number(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


from_json: Callable[[str], Any] = json.JSONDecoder(parse_int=_parse_int, parse_constant=_no_constant).decode


class Decoder:
    """Makes the values of one frame."""

    def __init__(self, binaries: List[bytes]) -> None:
        self.binaries = binaries
        self.used = [False] * len(binaries)

    def all(self, root: Any, entries: Any) -> None:
        """Puts the values that the entries describe into their places below `root`. Raises Unreadable for one that cannot
        be made, but only after everything was looked at: a malformed `meta` is worse."""
        failed: List[Unreadable] = []
        self._all(root, entries, failed, 0)
        if not all(self.used):
            raise BadFrame("a binary message that no value names")
        if failed:
            raise failed[0]

    def _all(self, root: Any, entries: Any, failed: List[Unreadable], depth: int) -> None:
        if type(entries) is not dict or depth > 128:
            raise BadFrame("a malformed meta")
        for path, entry in entries.items():
            if type(entry) is not list or not 1 <= len(entry) <= 2:
                raise BadFrame("a malformed entry of meta")
            holder, key = find(root, split(path))
            if len(entry) == 2:
                self._all(holder[key], entry[1], failed, depth + 1)
            try:
                holder[key] = self._make(entry[0], holder[key])
            except Unreadable as error:
                failed.append(error)

    def _make(self, kind: Any, given: Any) -> Any:
        if type(kind) is list:
            return self._binary(kind, given)
        make = MAKERS.get(kind) if type(kind) is str else None
        if make is None:
            raise Unreadable(f"a value of the unknown kind {kind!r}")
        try:
            return make(given)
        except (TypeError, ValueError, KeyError, OverflowError, IndexError) as error:
            raise Unreadable(f"a {kind} that cannot be made: {error}") from None

    def _binary(self, kind: List[Any], given: Any) -> Any:
        if len(kind) != 2 or kind[0] != "custom" or type(kind[1]) is not str:
            raise BadFrame("a malformed entry of meta")
        if type(given) is not int or not 0 <= given < len(self.binaries) or self.used[given]:
            raise BadFrame("a value of binary messages that did not come")
        self.used[given] = True
        name, data = kind[1], self.binaries[given]
        if name == "Uint8Array":
            return data
        if name in BYTE_KINDS:
            if name == "Float16Array" and len(data) % 2:
                raise Unreadable("a Float16Array that cannot be made of these bytes")
            return Bytes(data, name)
        if name not in TYPECODES:
            raise Unreadable(f"bytes of the unknown kind {name}")
        made = array.array(TYPECODES[name])
        if len(data) % made.itemsize:
            raise Unreadable(f"a {name} that cannot be made of {len(data)} bytes")
        made.frombytes(data)
        if sys.byteorder == "big":
            made.byteswap()
        return made


def split(path: str) -> List[str]:
    if "\\" not in path:
        return path.split(".")
    return [re.sub(r"\\(.)", r"\1", each) for each in re.findall(r"(?:^|(?<=\.))((?:\\.|[^.\\])*)(?:\.|$)", path)]


def find(root: Any, keys: List[str]) -> Tuple[Any, Any]:
    """The place of a path, as what holds it and the key there."""
    at = root
    key: Any = None
    for index, name in enumerate(keys):
        if index:
            at = at[key]
        if type(at) is dict and name in at:
            key = name
        elif type(at) is list and name.isdigit() and name.isascii() and int(name) < len(at):
            key = int(name)
        else:
            raise BadFrame("a meta that leads nowhere")
    return at, key


def make_bigint(given: Any) -> BigInt:
    if not re.fullmatch(r"-?\d+", given, re.ASCII) or len(given) > LONGEST_BIGINT:
        raise ValueError("no decimal digits")
    total, text = 0, given.lstrip("-")
    for start in range(0, len(text), 4000):  # Python refuses to read more than 4,300 digits at once
        piece = text[start:start + 4000]
        total = total * 10 ** len(piece) + int(piece)
    return BigInt(-total if given[0] == "-" else total)


def make_date(given: Any) -> Any:
    if given == "Invalid Date":
        return INVALID_DATE
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", given, re.ASCII):
        raise ValueError(f"{given[:40]} is not between the years 1 and 9999")
    return datetime.datetime.fromisoformat(given[:-1]).replace(tzinfo=datetime.timezone.utc)


def make_regexp(given: Any) -> RegExp:
    found = re.fullmatch(r"/(.*)/([a-z]*)", given, re.DOTALL)
    if not found or len(given) > 16_384:
        raise ValueError("not of the form /source/flags")
    return RegExp(found[1], found[2])


def make_url(given: Any) -> URL:
    if type(given) is not str or len(given) > 1_048_576:
        raise ValueError("not a URL")
    return URL(given)


def make_set(given: Any) -> Any:
    if type(given) is not list:
        raise ValueError("not an array")
    made = set(given)
    if len(made) < len(given):
        raise ValueError("it holds values that are equal in Python, such as 1 and true")
    return made


def make_map(given: Any) -> Map:
    if not all(type(pair) is list and len(pair) == 2 for pair in given):
        raise ValueError("not an array of pairs")
    made = Map((key, value) for key, value in given)
    if len(made) < len(given):
        raise ValueError("it holds keys that are equal in Python, such as 1 and true")
    return made


def make_error(given: Any) -> RemoteError:
    """Of a value: `cause` and `errors` are values, and made already."""
    error = error_basics(given)
    if "cause" in given:
        set_cause(error, given["cause"])
    if type(given.get("errors")) is list:
        error.errors = given["errors"]
    return error


def error_of_frame(given: Any) -> RemoteError:
    """Of the field `error`: `cause` and `errors` say whether they are errors."""
    if type(given) is not dict or type(given.get("name")) is not str or type(given.get("message")) is not str:
        raise BadFrame("a malformed error")
    error = error_basics(given)
    if "cause" in given:
        set_cause(error, cause(given["cause"]))
    if "errors" in given:
        if type(given["errors"]) is not list:
            raise BadFrame("a malformed error")
        error.errors = [cause(each) for each in given["errors"]]
    return error


def cause(given: Any) -> Any:
    if type(given) is not dict:
        raise BadFrame("a malformed cause")
    return error_of_frame(given["error"]) if "error" in given else given.get("value", UNDEFINED)


def set_cause(error: RemoteError, given: Any) -> None:
    if isinstance(given, BaseException):
        error.__cause__ = given
    else:
        error.cause = given  # type: ignore[attr-defined]


def error_basics(given: Dict[str, Any]) -> RemoteError:
    name, message, classes = given["name"], given["message"], given.get("classes", [given["name"]])
    if type(classes) is not list or not all(type(each) is str for each in classes):
        raise BadFrame("malformed classes of an error")
    error = remote_error(classes)
    error.args = (message,)
    error.name, error.message, error.classes = str(name), str(message), tuple(classes)
    error.stack = given.get("stack")
    properties = given.get("properties")
    if type(properties) is dict:
        error.properties = properties
        for key, each in properties.items():
            if not key.startswith("_") and not hasattr(RemoteError, key):
                try:
                    setattr(error, key, each)
                except Exception:  # a property of the user's class without a setter
                    pass
    if "code" in given:
        error.code = given["code"]
    return error


MAKERS: Dict[str, Callable[[Any], Any]] = {
    "undefined": lambda given: UNDEFINED,
    "number": lambda given: NUMBERS[given],
    "bigint": make_bigint,
    "Date": make_date,
    "regexp": make_regexp,
    "URL": make_url,
    "set": make_set,
    "map": make_map,
    "Error": make_error,
}


def make_values(frame: Dict[str, Any], binaries: List[bytes]) -> None:
    """Makes the values of a frame that has a `meta`, in place."""
    meta = frame.pop("meta")
    if type(meta) is not dict or meta.get("v", 1) != 1 or type(meta.get("binary", 0)) is not int:
        raise BadFrame("a malformed meta")
    entries = meta.get("values", {})
    if type(entries) is not dict or not all(path.split(".")[0] in FIELDS for path in entries):
        raise BadFrame("a meta of other fields than hold values")
    Decoder(binaries).all(frame, entries)


def count_of_binaries(frame: Dict[str, Any]) -> int:
    meta = frame.get("meta")
    count = meta.get("binary", 0) if type(meta) is dict else 0
    if type(count) is not int or not 0 <= count <= MOST_BINARIES:
        raise BadFrame("a malformed meta")
    return count
