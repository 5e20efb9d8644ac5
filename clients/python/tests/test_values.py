import array
import datetime
import math
import re
import unittest
from decimal import Decimal
from typing import Any

from app_net import INVALID_DATE, UNDEFINED, URL, BigInt, Bytes, Map, NetError, RegExp, RemoteError
from app_net.errors import BadFrame
from app_net.frames import line_of, read

UTC = datetime.timezone.utc


def trip(value: Any) -> Any:
    """The value as it arrives."""
    text, binaries = line_of('{"type":"result","id":1', {"value": value})
    (frame, _), = read(text, binaries)
    assert "unreadable" not in frame, frame
    return frame["value"]


class Values(unittest.TestCase):
    def test_plain_values_need_no_meta(self) -> None:
        for value in [None, True, 0, -1, 1.5, -0.0, 2**53 - 1, "ü\ud800", [], {}, [{"a.b": [1]}], (1, 2)]:
            self.assertNotIn("meta", line_of("{", {"value": value})[0])
        self.assertEqual(math.copysign(1, trip(-0.0)), -1)

    def test_values_arrive_with_their_types(self) -> None:
        for value in [2**64, -2**53, BigInt(5), 10**16_000 // 9, datetime.datetime(2026, 1, 1, 12, 0, 0, 5000, UTC), INVALID_DATE,
                      {1, 2}, Map(a=1), {1: {2: 3}}, b"", b"abc", Bytes(b"ab", "Buffer"), array.array("H", [1, 2]), UNDEFINED,
                      URL("http://a.b/"), RegExp("a/b", "gi"), {"a.b\\c": [{3, "x"}]}, float("inf"), [b"1", {"x": b"2"}]]:
            back = trip(value)
            self.assertEqual(back, value)
            if type(value) in (BigInt, Map, Bytes, URL, RegExp):
                self.assertIs(type(back), type(value))
        self.assertEqual(trip(Bytes(b"a", "DataView")).kind, "DataView")
        self.assertTrue(math.isnan(trip([float("nan")])[0]))

    def test_a_datetime_of_another_zone_arrives_as_the_same_moment(self) -> None:
        zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        moment = datetime.datetime(2026, 3, 1, 1, 2, 3, tzinfo=zone)
        self.assertEqual(trip(moment), moment)

    def test_errors_are_values(self) -> None:
        error = ValueError("far")
        error.__cause__ = KeyError("why")
        error.extra = {1, 2}  # type: ignore[attr-defined]
        back = trip([error])[0]
        self.assertIsInstance(back, RemoteError)
        self.assertIsInstance(back, ValueError)
        self.assertEqual((str(back), back.name, back.extra, str(back.__cause__)), ("far", "ValueError", {1, 2}, "why"))

    def test_what_cannot_be_sent_is_refused_with_its_place(self) -> None:
        deep: Any = []
        for _ in range(300):
            deep = [deep]
        loop: Any = {}
        loop["self"] = loop
        for value, words in [
            ({"user": [{"save": print}]}, "value.user[0].save is a function"),
            ([object()], "value[0] is an instance of object"),
            (Decimal("1"), "value is an instance of decimal.Decimal, which cannot be sent; send a str or a float"),
            (re.compile("a"), "send an app_net.RegExp"),
            (datetime.datetime(2026, 1, 1), "value is a datetime without a time zone"),
            (deep, "nested more than 256 deep"), (loop, "or contains itself"), (ValueError, "value is the class ValueError"),
            (10**17_000, "is an int of more than"), ([b""] * 4097, "value[4096] is more than the 4096 byte values"),
        ]:
            with self.assertRaises(NetError) as raised:
                line_of("{", {"value": value})
            self.assertIn(words, str(raised.exception))
            self.assertEqual((raised.exception.code, raised.exception.ran), ("NOT_SERIALIZABLE", "no"))

    def test_large_numbers_of_json_are_the_doubles_that_they_are(self) -> None:
        (frame, _), = read('{"value":[9007199254740993,9007199254740991,123456789012345678901234567890]}', [])
        self.assertEqual(list(map(type, frame["value"])), [float, int, float])

    def test_a_value_that_cannot_be_made_fails_only_its_frame(self) -> None:
        for values, json in [('{"value":["Date"]}', '"+010000-01-01T00:00:00.000Z"'), ('{"value":["Date"]}', "5"),
                             ('{"value":["set"]}', "[1,true]"), ('{"value":["set"]}', "[[]]"), ('{"value":["map"]}', "[1]"),
                             ('{"value":["strange"]}', "1"), ('{"value":["bigint"]}', '"1e5"'), ('{"value":["Error"]}', "{}"),
                             ('{"value":["number"]}', '"1"')]:
            (frame, _), = read(f'{{"type":"result","id":1,"meta":{{"values":{values},"v":1}},"value":{json}}}', [])
            self.assertIn("unreadable", frame, json)

    def test_a_malformed_meta_ends_the_connection(self) -> None:
        for meta, binaries in [("1", []), ('{"v":2}', []), ('{"values":[]}', []), ('{"values":{"value.x":["Date"]}}', []),
                               ('{"values":{"id":["Date"]}}', []), ('{"values":{"value":[]}}', []), ('{"binary":1}', []),
                               ('{"binary":1}', [b""]), ('{"binary":-1}', []), ('{"values":{"value":["set",1]}}', []),
                               ('{"values":{"value":[["custom","Buffer"]]}}', []), ('{"values":{"value":[["custom",1]]}}', [])]:
            with self.assertRaises(BadFrame, msg=meta):
                list(read(f'{{"type":"result","id":1,"meta":{meta},"value":0}}', binaries))

    def test_text_that_is_no_frame_ends_the_connection(self) -> None:
        for text in ["", "x", "1", "[]", "{}\n]", '{"a":NaN}', "[" * 100_000, '{"type":"next"}\n{', '"\ud800"']:
            if text:
                with self.assertRaises(BadFrame, msg=text[:20]):
                    list(read(text, []))
        self.assertEqual(list(read("\n\n", [])), [])
