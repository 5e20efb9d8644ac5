"""Frames to text and back. Everything that a side sends at once is one message: a frame a line."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, Iterator, List, Optional, Tuple

from .decode import count_of_binaries, from_json, make_values
from .encode import Encoder, is_plain, to_json
from .errors import BadFrame, NetError, Thrown, Unreadable
from .kinds import UNDEFINED

#: A frame as text, and the binary messages before it.
Line = Tuple[str, List[bytes]]
NO_BYTES: List[bytes] = []

text_of = lru_cache(4096)(to_json)


def line_of(head: str, values: Dict[str, Any], places: Optional[Dict[str, str]] = None) -> Line:
    """`head` is the frame without its values and without its last brace. `places` are names of the values for people.

    Raises NetError NOT_SERIALIZABLE for a value that cannot be sent.
    """
    try:
        if all(is_plain(value) for value in values.values()):
            return head + "".join(f',"{key}":{to_json(value)}' for key, value in values.items()) + "}", NO_BYTES
        encoder, entries = Encoder(), {}  # type: Encoder, Dict[str, Any]
        texts = [f',"{key}":{to_json(encoder.encode(value, key, (places or {}).get(key, key), entries))}'
                 for key, value in values.items()]
        return f'{head},"meta":{to_json(encoder.meta(entries))}{"".join(texts)}}}', encoder.binaries
    except NetError:
        raise
    except Exception as error:  # reading a value of the user's runs its code, and a deep one exceeds Python's stack
        place = " or ".join((places or {}).get(key, key) for key in values)
        raise NetError("NOT_SERIALIZABLE", "no", f"{place} cannot be read: {type(error).__name__}") from error


def value_line(head: str, value: Any, place: str) -> Line:
    """With a `value`, or without one for None: that is what a function returns that returns nothing."""
    return (head + "}", NO_BYTES) if value is None else line_of(head, {"value": value}, {"value": place})


def error_line(head: str, error: BaseException) -> Line:
    """A thrown error. Never raises."""
    encoder, entries = Encoder(), {}  # type: Encoder, Dict[str, Any]
    try:
        text = to_json(encoder.error(error, "error", entries))
    except Exception as own:  # the error belongs to the user, and so do its properties
        name, message = type(error).__name__, f"(an error that cannot be sent: {type(own).__name__})"
        return f'{head},"error":{to_json({"name": name, "message": message})}}}', NO_BYTES
    meta = f',"meta":{to_json(encoder.meta(entries))}' if entries else ""
    return f'{head}{meta},"error":{text}}}', encoder.binaries


def thrown_line(head: str, error: Thrown) -> Line:
    try:
        return line_of(head, {"thrown": {} if error.value is UNDEFINED else {"value": error.value}})
    except NetError:
        return error_line(head, error)


def failure_line(head: str, code: str, ran: str, message: str) -> Line:
    return f'{head},"failure":{to_json({"code": code, "ran": ran, "message": message})}}}', NO_BYTES


def failure_of(error: NetError, head: str, ran: str) -> Line:
    return failure_line(head, error.code, ran, Exception.__str__(error))


def read(text: str, binaries: List[bytes]) -> Iterator[Tuple[Dict[str, Any], int]]:
    """The frames of a message, each with its size. The size is 0 where it does not matter: only `next` uses it.

    A frame with a value that cannot be made has the field `unreadable`, which says why.
    """
    try:
        if binaries or '"next"' in text:
            yield from _one_by_one(text, binaries)
            return
        frames = from_json(f"[{text}]" if "\n" not in text else "[" + ",".join(filter(None, text.split("\n"))) + "]")
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"no JSON: {error}") from None
    for frame in frames:
        if type(frame) is not dict:
            raise BadFrame("no object")
        if "meta" in frame:
            if count_of_binaries(frame):
                raise BadFrame("a value of binary messages that did not come")
            _make(frame, NO_BYTES)
        yield frame, 0


def _one_by_one(text: str, binaries: List[bytes]) -> Iterator[Tuple[Dict[str, Any], int]]:
    taken = 0
    for line in filter(None, text.split("\n")):
        frame = from_json(line)
        if type(frame) is not dict:
            raise BadFrame("no object")
        size = len(line) if line.isascii() else len(line.encode("utf-16-le", "surrogatepass")) // 2
        count = count_of_binaries(frame)
        own = binaries[taken:taken + count]
        if len(own) < count:
            raise BadFrame("a value of binary messages that did not come")
        taken += count
        if "meta" in frame:
            _make(frame, own)
        yield frame, size + sum(map(len, own))
    if taken < len(binaries):
        raise BadFrame("a binary message that no frame takes")


def _make(frame: Dict[str, Any], binaries: List[bytes]) -> None:
    try:
        make_values(frame, binaries)
    except Unreadable as error:
        frame["unreadable"] = str(error)


def whole(frame: Dict[str, Any], key: str, least: int = 0) -> int:
    value = frame.get(key)
    if type(value) is not int or value < least:
        raise BadFrame(f"a {frame.get('type')} without a valid {key}")
    return value


def word(frame: Dict[str, Any], key: str, most: int = 1024) -> str:
    value = frame.get(key)
    if type(value) is not str or len(value) > most:
        raise BadFrame(f"a {frame.get('type')} without a valid {key}")
    return value
