import asyncio
import contextlib
import json
import os
import pathlib
import stat
import unittest
from typing import Any, Dict, List, Tuple

import websockets

from app_net import Event, Gap, NetError, Peer, RemotePeer, UNDEFINED
from app_net.handshake import Self, as_dialler
from app_net.host import read_announcement, runtime_directory, safe_directory, shared_secret
from app_net.secret import base64url, keys_of
from app_net import socket

from .support import PeersTestCase, eventually


SECRET = "net1_" + "A" * 43


class Meeting(PeersTestCase):
    async def test_peers_that_start_at_once_have_one_connection_each(self) -> None:
        peers = [self.make() for _ in range(6)]
        await asyncio.gather(*(peer.start() for peer in peers))
        await eventually(lambda: all(len(peer.peers) == 5 for peer in peers))
        await eventually(lambda: all(len(other.links) == 1 for peer in peers for other in peer.peers))

    async def test_two_that_dial_each_other_keep_one_connection_and_lose_no_call_and_no_event(self) -> None:
        for _ in range(5):
            one, two = self.make(), self.make()
            heard: List[Any] = []
            two.subscribe("tick", lambda event, heard=heard: heard.append((event.value, event.gap)))  # type: ignore[misc]
            two.connect("echo", lambda value: value)
            await asyncio.gather(one.start(), two.start())
            other = await one.ready(name=two.name)
            await one.subscribers("tick")
            dialler, acceptor = (two, one) if other.links[0].dialled else (one, two)
            meeting: Any = dialler._meeting
            again = meeting._dial(("127.0.0.1", acceptor.port), acceptor.id, 5)
            answers = await asyncio.gather(again, *(self.call_and_emit(one, other, number) for number in range(200)))
            self.assertEqual(answers[1:], list(range(200)))
            await eventually(lambda: len(heard) == 200)
            self.assertEqual(heard, [(number, None) for number in range(200)])
            await eventually(lambda: len(other.links) == 1)
            await asyncio.gather(one.stop(), two.stop())

    async def call_and_emit(self, peer: Peer, other: RemotePeer, number: int) -> Any:
        await asyncio.sleep(number / 10_000)
        peer.emit("tick", number)
        return await other.call("echo", number)

    async def test_a_peer_with_another_secret_is_not_seen(self) -> None:
        one = self.make(secret=SECRET)
        two = self.make(secret="net1_" + "B" * 43)
        await one.start()
        await two.start()
        stranger = self.make(secret="net1_" + "C" * 43, seeds=[f"127.0.0.1:{one.port}"], announce=False)
        await stranger.start()
        third = self.make(secret=SECRET)
        await third.start()
        await third.ready(name=one.name)
        await eventually(lambda: one.peers)
        self.assertEqual([peer.name for peer in one.peers], [third.name])
        self.assertEqual((two.peers, stranger.peers), ([], []))

    async def test_a_peer_without_an_announcement_calls_and_is_called(self) -> None:
        callee = self.make(name="callee")
        callee.connect("echo", lambda value: value)
        await callee.start()
        caller = self.make(name="caller", announce=False)
        await caller.start()
        self.assertIsNone(caller.port)
        caller.connect("late", lambda: "called back")
        self.assertEqual(await (await caller.ready(has="echo")).call("echo", 1), 1)
        self.assertEqual(await (await callee.ready(has="late")).call("late"), "called back")
        caller.disconnect("late")
        await eventually(lambda: "late" not in callee.peers[0].functions)

    async def test_many_functions_are_told_of(self) -> None:
        callee, _, _ = await self.two(lambda peer: [peer.connect(f"function.{number:0100}", print) for number in range(500)])
        await eventually(lambda: len(callee.functions) == 500)

    async def test_a_second_process_with_the_same_id_is_turned_away(self) -> None:
        first, watcher = self.make(id="same", name="first"), self.make()
        await first.start()
        await watcher.start()
        await watcher.ready(name="first")
        second = self.make(id="same", name="second", announce=False)
        with self.assertLogs("app_net", "WARNING") as logs:
            await second.start()
            await eventually(lambda: any("another live process has the id same" in line for line in logs.output))
        self.assertEqual([peer.name for peer in watcher.peers], ["first"])

    async def test_a_listener_that_raises_disturbs_nobody(self) -> None:
        reported: List[Dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
        caller = self.make(name="caller")
        caller.on("join", lambda peer: 1 / 0)
        joined: List[str] = []
        caller.on("join", lambda peer: joined.append(peer.name))
        callee = self.make(name="callee")
        await callee.start()
        await caller.start()
        await eventually(lambda: joined == ["callee"])
        self.assertIsInstance(reported[0]["exception"], ZeroDivisionError)


class Events(PeersTestCase):
    async def test_events_arrive_for_listeners_and_loops(self) -> None:
        emitter, listener = self.make(name="emitter"), self.make(name="listener")
        heard: List[Event] = []
        stream = listener.events("*")
        with listener.subscribe("tick", heard.append):
            await emitter.start()
            await listener.start()
            self.assertEqual([peer.name for peer in await emitter.subscribers("tick")], ["listener"])
            self.assertEqual(emitter.emit("tick", {1, 2}, meta={"a": 1}), 1)
            self.assertEqual(emitter.emit("tick"), 1)
            await eventually(lambda: len(heard) == 2)
        self.assertEqual([(each.value, each.meta, each.sequence) for each in heard], [({1, 2}, {"a": 1}, 1), (None, {}, 2)])
        emitter.emit("other", UNDEFINED)
        self.assertEqual([(await stream.__anext__()).name for _ in range(3)], ["tick", "tick", "other"])
        await stream.aclose()
        await eventually(lambda: emitter.emit("tick") == 0)

    async def test_a_loop_that_is_too_slow_gets_a_gap(self) -> None:
        emitter, listener = self.make(name="emitter"), self.make(name="listener")
        stream = listener.events("tick", buffer=10)
        await emitter.start()
        await listener.start()
        await emitter.subscribers("tick")
        for number in range(100):
            emitter.emit("tick", number)
        emitter.connect("flush", lambda: None)
        await (await listener.ready(has="flush")).call("flush")
        event = await stream.__anext__()
        self.assertEqual((event.value, event.gap), (90, Gap("slow", 90)))

    async def test_events_that_were_missed_while_the_connection_was_away_are_a_gap(self) -> None:
        emitter, listener = self.make(name="emitter"), self.make(name="listener")
        gaps: List[Any] = []
        heard: List[Any] = []
        listener.subscribe("tick", lambda event: heard.append((event.value, event.gap)), on_gap=lambda gap, peer: gaps.append(gap))
        await emitter.start()
        await listener.start()
        await emitter.subscribers("tick")
        emitter.emit("tick", 1)
        await eventually(lambda: heard)
        for peer in emitter.peers:
            for link in peer.links:
                link.abort()
        await eventually(lambda: not emitter.peers or not emitter.peers[0].interests)
        emitter.emit("tick", 2)
        await emitter.subscribers("tick")
        await eventually(lambda: gaps)
        emitter.emit("tick", 3)
        await eventually(lambda: len(heard) == 2)
        self.assertEqual((gaps, heard[1]), ([Gap("disconnected", 1)], (3, Gap("disconnected", 1))))


class Hostile(PeersTestCase):
    """What a peer with the secret, and a stranger, can send."""

    async def opened(self, peer: Peer) -> Any:
        """An authenticated connection without a client behind it."""
        own = Self(base64url(os.urandom(16)), "life", "raw", "main", 1, "host")
        raw = await socket.dial("127.0.0.1", peer.port or 0, 5)
        self.addAsyncCleanup(raw.close)
        await as_dialler(raw, keys_of(SECRET), own, peer.id, 0, frozenset())
        await eventually(lambda: any(other.id == own.id for other in peer.peers))
        return raw

    async def test_frames_that_break_the_protocol_end_only_their_connection(self) -> None:
        peer = self.make(secret=SECRET)
        peer.connect("echo", lambda *args: list(args))
        await peer.start()
        friend = self.make(secret=SECRET, name="friend")
        await friend.start()
        other = await friend.ready(name=peer.name)
        request = '{"type":"request","id":1,"tag":"echo","args":[]}'
        for messages in [["x"], ["[1]"], ['{"type":"strange"}'], ["{}"], ['{"type":["request"]}'], ["[" * 5000],
                         [request, request], ['{"type":"request","id":0,"tag":"echo","args":[]}'],
                         ['{"type":"request","id":1,"tag":"echo","args":{}}'], ['{"type":"result","id":1}'],
                         ['{"type":"request","id":1,"tag":"echo","args":[],"streams":[0]}'],
                         ['{"type":"request","id":1,"tag":5,"args":[]}'], ['{"type":"result"}'], ['{"type":"error","id":9}'],
                         ['{"type":"next","id":1,"value":1}'], ['{"type":"goaway","last":0,"reason":"?"}'],
                         ['{"type":"credit","id":1,"count":0,"bytes":0}'], ['{"type":"functions","added":1,"removed":[]}'],
                         ['{"type":"subscribe","id":1,"name":5}'], ['{"type":"event","name":"a"}'], [b"1", request],
                         ['{"type":"request","id":1,"tag":"echo","args":[0],"meta":{"values":{"args.9":["set"]},"v":1}}']]:
            raw = await self.opened(peer)
            with self.assertLogs("app_net", "WARNING"), contextlib.suppress(websockets.exceptions.ConnectionClosed):
                for message in messages:
                    await raw.send(message)
                while True:
                    await asyncio.wait_for(raw.recv(), 5)
            self.assertEqual(raw.close_code, 4400, messages)
        self.assertEqual(await other.call("echo", 1), [1])

    async def test_values_of_a_stream_without_credit_end_the_connection(self) -> None:
        peer = self.make(secret=SECRET)
        peer.connect("hold", lambda values: asyncio.sleep(100))
        await peer.start()
        raw = await self.opened(peer)
        await raw.send('{"type":"request","id":1,"tag":"hold","args":[0],"streams":[0]}')
        await raw.send("\n".join(['{"type":"next","id":1,"arg":0,"value":1}'] * 33))
        with self.assertRaises(websockets.exceptions.ConnectionClosed):
            await asyncio.wait_for(raw.recv(), 5)
        self.assertEqual(raw.close_code, 4400)

    async def test_requests_that_are_odd_are_answered(self) -> None:
        peer = self.make(secret=SECRET)
        ran: List[Any] = []
        peer.connect("echo", ran.append)
        await peer.start()
        raw = await self.opened(peer)
        for id, rest, code in [(1, '"tag":"nothing","args":[]', "NO_SUCH_TAG"), (2, '"tag":"echo","args":[],"deadline":0',
                               "DEADLINE_EXCEEDED"), (3, '"tag":"echo","args":[1],"meta":{"values":{"args.0":["odd"]},"v":1}',
                               "BAD_REQUEST"), (4, '"tag":"net.nothing","args":[],"headers":5,"trace":[]', "NO_SUCH_TAG")]:
            await raw.send(f'{{"type":"request","id":{id},{rest}}}')
            failure = json.loads(await asyncio.wait_for(raw.recv(), 5))["failure"]
            self.assertEqual((failure["code"], failure["ran"]), (code, "no"))
        self.assertEqual(ran, [])

    async def test_web_pages_and_names_are_turned_away(self) -> None:
        peer = self.make()
        await peer.start()
        for line, status in [("Origin: http://evil.example", b"403"), ("Host: evil.example", b"403"), ("X: y", b"400")]:
            reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
            host = "" if line.startswith("Host") else f"Host: 127.0.0.1:{peer.port}\r\n"
            protocol = "" if status == b"400" else "Sec-WebSocket-Protocol: app-net.v1\r\n"
            writer.write(f"GET / HTTP/1.1\r\n{host}{line}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{protocol}"
                         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
            self.assertEqual((await asyncio.wait_for(reader.readline(), 5)).split()[1], status)
            writer.close()

    async def test_a_stranger_that_breaks_the_handshake_is_closed(self) -> None:
        peer = self.make(secret=SECRET)
        await peer.start()
        for message in ["x", "{}", '{"type":"hello"}', b"bytes", "x" * 17_000, '{"type":"hello","versions":[1],"id":"a",'
                        '"incarnation":"b","nonce":"' + "a" * 43 + '","to":"","limits":{"message":1,"calls":1}}']:
            raw = await socket.dial("127.0.0.1", peer.port or 0, 5)
            await raw.send(message)
            with self.assertRaises(websockets.exceptions.ConnectionClosed):
                await asyncio.wait_for(raw.recv(), 5)
            self.assertIn(raw.close_code, (4401, 4400))
        self.assertEqual(peer.peers, [])


class Host(unittest.TestCase):
    def setUp(self) -> None:
        PeersTestCase.setUp(self)  # type: ignore[arg-type]
        self.folder = pathlib.Path(self.directory)  # type: ignore[attr-defined]

    def test_a_directory_that_others_can_use_is_refused(self) -> None:
        (self.folder / "file").write_text("")
        (self.folder / "open").mkdir()
        os.chmod(self.folder / "open", 0o755)
        for name, words in [("file", "is no directory"), ("open", "chmod 700")]:
            with self.assertRaisesRegex(PermissionError, words):
                safe_directory(self.folder / name)
        self.assertEqual(stat.S_IMODE(os.stat(safe_directory(self.folder / "a/b")).st_mode), 0o700)

    def test_the_secret_is_made_once_and_only_for_this_user(self) -> None:
        secret = shared_secret(self.folder)
        self.assertRegex(secret, r"^net1_[A-Za-z0-9_-]{43}$")
        self.assertEqual(shared_secret(self.folder), secret)
        self.assertEqual(stat.S_IMODE(os.stat(self.folder / "secret").st_mode), 0o600)
        os.chmod(self.folder / "secret", 0o644)
        with self.assertRaisesRegex(PermissionError, "chmod 600"):
            shared_secret(self.folder)

    def test_what_is_no_announcement_is_skipped(self) -> None:
        good = {"id": "a", "incarnation": "b", "addresses": [{"host": "127.0.0.1", "port": 1}, {"host": "10.0.0.1", "port": 2}]}
        path = self.folder / "a.peer.json"
        path.write_text(json.dumps(good))
        self.assertEqual(read_announcement(path).addresses, (("127.0.0.1", 1),))
        bad: List[Tuple[str, Any]] = [("id", "../a"), ("incarnation", ""), ("addresses", [{"host": "name", "port": 1}]), ("id", 5)]
        for key, value in bad:
            path.write_text(json.dumps({**good, key: value}))
            with self.assertRaises((ValueError, TypeError, LookupError)):
                read_announcement(path)
        path.write_text(" " * 5000 + json.dumps(good))
        with self.assertRaises(ValueError):
            read_announcement(path)
        path.unlink()
        os.mkfifo(path)
        with self.assertRaises(ValueError):
            read_announcement(path)
        path.unlink()
        path.symlink_to("/dev/zero")
        with self.assertRaises(OSError):
            read_announcement(path)

    def test_the_directory_is_the_one_that_the_protocol_names(self) -> None:
        saved = dict(os.environ)
        try:
            os.environ.update(APP_NET_RUNTIME_DIR="", XDG_RUNTIME_DIR=str(self.folder))
            self.assertEqual(runtime_directory(), self.folder / "app-net")
            os.environ["APP_NET_RUNTIME_DIR"] = "/here"
            self.assertEqual(runtime_directory(), pathlib.Path("/here"))
            os.environ.update(APP_NET_RUNTIME_DIR="", XDG_RUNTIME_DIR="relative")
            self.assertEqual(runtime_directory().name, f"app-net-{os.getuid()}")
        finally:
            os.environ.clear()
            os.environ.update(saved)


class Inputs(unittest.TestCase):
    def test_each_wrong_option_is_named(self) -> None:
        for options, words in [
            ({"id": "a b"}, "id has 1 to 64 characters"), ({"name": 5}, "name is a str"), ({"secret": " "}, "secret is a str"),
            ({"secret": "a", "secret_file": "b"}, "not both"), ({"port": -1}, "port is a whole number"),
            ({"deadline": 0}, "deadline is a number of seconds"), ({"deadline": float("nan")}, "deadline is a number"),
            ({"seeds": "127.0.0.1:1"}, "seeds is a list"), ({"seeds": ["host:1"]}, "a seed is an address"),
            ({"seeds": ["10.0.0.1:1"]}, "on another host"), ({"seeds": ["127.0.0.1:99999"]}, "a seed is an address"),
        ]:
            with self.assertRaisesRegex((ValueError, TypeError), words):
                Peer(**options)  # type: ignore[arg-type]

    def test_each_wrong_function_is_named(self) -> None:
        peer = Peer()
        peer.connect("a", print)
        for args, words in [(("", print), "a tag is a str"), (("net.x", print), "belong to the library"), (("a", print), "is taken"),
                            (("b", 5), "is no function")]:
            with self.assertRaisesRegex((ValueError, TypeError), words):
                peer.connect(*args)
        with self.assertRaisesRegex(TypeError, "must not block"):
            peer.connect("c", asyncio.sleep, thread=True)
        with self.assertRaisesRegex(ValueError, "there is no function x"):
            peer.disconnect("x")
        with self.assertRaisesRegex(ValueError, "there is no 'joined'"):
            peer.on("joined", print)
        with self.assertRaisesRegex(ValueError, "1 to 256 characters"):
            peer.emit("")
        with self.assertRaisesRegex(ValueError, "every name"):
            peer.emit("*")
        with self.assertRaisesRegex(TypeError, "the listener is no function"):
            peer.subscribe("a", 5)  # type: ignore[arg-type]
        with self.assertRaises(NetError):
            peer.emit("a", object())


class Calling(PeersTestCase):
    async def test_each_wrong_call_is_named(self) -> None:
        callee, _, _ = await self.two()
        for options, words in [({"deadline": -1}, "deadline is a number"), ({"meta": {"a": print}}, "meta is a dict"),
                               ({"meta": {"a": "x" * 5000}}, "at most 4096"), ({"meta": 5}, "meta is a dict")]:
            with self.assertRaisesRegex(ValueError, words):
                callee.function("a", **options)
        with self.assertRaisesRegex(ValueError, "a tag is a str"):
            callee.function(5)  # type: ignore[arg-type]

    async def test_a_peer_starts_once(self) -> None:
        peer = self.make()
        await peer.start()
        with self.assertRaisesRegex(RuntimeError, "make a new Peer"):
            await peer.start()
