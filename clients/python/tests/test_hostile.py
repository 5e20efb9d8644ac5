"""What others send and what functions return: it may fail, and ends or hangs nothing else."""

import asyncio
import json
import logging
import pathlib
import secrets
from typing import Any, List, Tuple

import websockets

from app_net import Event, NetError, Peer
from app_net import link, meeting, socket
from app_net.handshake import Self, as_dialler
from app_net.secret import PROTOCOL, base64url, keys_of

from .support import PeersTestCase, eventually


class Evil:
    """Whatever is asked of it raises."""

    def __getattribute__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


class Cruel(BaseException):
    def __str__(self) -> str:
        raise ZeroDivisionError("str")


def deep(depth: int) -> Any:
    value: Any = frozenset()
    for _ in range(depth):
        value = frozenset([value])
    return value


class Hostile(PeersTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.unhandled: List[Any] = []
        self.logged: List[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: self.logged.append(record.getMessage())  # type: ignore[method-assign]
        for name in ("app_net", "websockets", "websockets.server"):
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            self.addCleanup(logger.removeHandler, handler)

    async def asyncSetUp(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.unhandled.append(context))

    async def friend(self, peer: Peer) -> Any:
        """Somebody who knows the secret, and then does as they like."""
        key = keys_of((pathlib.Path(self.directory) / "secret").read_text().strip())
        opened = await socket.dial("127.0.0.1", peer.port or 0, 5)
        own = Self(base64url(secrets.token_bytes(8)), "one", "friend", "main", 1, "h")
        await as_dialler(opened, key, own, peer.id, 0, frozenset())
        return opened

    async def ended(self, opened: Any) -> int:
        async def read() -> None:
            while True:
                await opened.recv()

        try:
            await asyncio.wait_for(read(), 20)
        except socket.Closed:
            pass
        return int(opened.close_code or 1006)

    async def test_a_result_that_cannot_be_read_fails_its_call_at_once(self) -> None:
        async def later(value: Any) -> Any:
            await asyncio.sleep(0)
            return value

        async def stream(value: Any) -> Any:
            yield value

        def cruel() -> None:
            raise Cruel()

        def prepare(peer: Peer) -> None:
            for name, make in {"evil": Evil, "deep": lambda: deep(254)}.items():
                peer.connect(f"{name}.now", make)
                peer.connect(f"{name}.later", lambda make=make: later(make()))  # type: ignore[misc]
                peer.connect(f"{name}.stream", lambda make=make: stream(make()))  # type: ignore[misc]
            peer.connect("cruel", cruel)
            peer.connect("add", lambda a, b: a + b)

        callee, caller, _ = await self.two(prepare)
        for tag in ("evil.now", "evil.later", "evil.stream", "deep.now", "deep.later", "deep.stream"):
            with self.assertRaises(NetError, msg=tag) as raised:
                if tag.endswith("stream"):
                    [value async for value in callee.function(tag, deadline=20).stream()]
                else:
                    await callee.function(tag, deadline=20)()
            self.assertEqual((raised.exception.code, raised.exception.ran), ("NOT_SERIALIZABLE", "yes"), tag)
        with self.assertRaises(Exception) as raised:
            await callee.function("cruel", deadline=20)()
        self.assertNotIsInstance(raised.exception, NetError)
        with self.assertRaises(NetError):
            await callee.call("add", Evil(), 1)
        self.assertEqual(await callee.call("add", 1, 2), 3)
        self.assertEqual((self.unhandled, self.logged), ([], []))

    async def test_an_event_that_cannot_be_sent_leaves_no_gap(self) -> None:
        emitter, hearer = self.make(), self.make()
        heard: List[Event] = []
        hearer.subscribe("e", heard.append)
        await asyncio.gather(emitter.start(), hearer.start())
        await emitter.subscribers("e")
        emitter.emit("e", 1)
        with self.assertRaises(NetError):
            emitter.emit("e", Evil())
        emitter.emit("e", 2)
        await eventually(lambda: len(heard) == 2)
        self.assertIsNone(heard[1].gap)

    async def test_a_loop_over_events_ends_with_the_stream_and_with_the_peer(self) -> None:
        peer = self.make()
        await peer.start()

        async def all_of(stream: Any) -> List[Event]:
            return [event async for event in stream]

        closed, stopped = peer.events("e"), peer.events("e")
        loops = [asyncio.ensure_future(all_of(each)) for each in (closed, stopped)]
        waiting = asyncio.ensure_future(peer.subscribers("e"))
        await asyncio.sleep(0)
        await closed.aclose()
        await peer.stop()
        self.assertEqual(await asyncio.wait_for(asyncio.gather(*loops), 10), [[], []])
        with self.assertRaises(NetError):
            await asyncio.wait_for(waiting, 10)

    async def test_strangers_are_turned_away_without_a_word_in_the_log(self) -> None:
        peer = self.make()
        await peer.start()
        for text in ("[" * 16_000, "1" * 16_000, '{"a":' * 3_000, "", "null", "\ud800".encode("utf-8", "replace").decode()):
            opened = await websockets.connect(f"ws://127.0.0.1:{peer.port}/", subprotocols=[PROTOCOL])  # type: ignore[attr-defined,list-item]
            await opened.send(text)
            self.assertEqual(await self.ended(opened), 4401, text[:20])
        self.assertEqual((self.unhandled, self.logged), ([], []))

    async def test_strangers_who_say_nothing_keep_nobody_out(self) -> None:
        peer = self.make()
        await peer.start()
        silent = [
            await websockets.connect(f"ws://127.0.0.1:{peer.port}/", subprotocols=[PROTOCOL])  # type: ignore[attr-defined,list-item]
            for _ in range(meeting.MOST_SHAKING)
        ]
        friend = await self.friend(peer)
        await eventually(lambda: len(peer.peers) == 1)
        await asyncio.gather(*(each.close() for each in [friend, *silent]))

    async def test_a_file_that_is_no_announcement_hides_no_other(self) -> None:
        for index, text in enumerate(("[" * 4_000, "{}", '{"addresses":5}', "null", "1" * 4_000)):
            (pathlib.Path(self.directory) / f"a{index}.peer.json").write_text(text)
        one, two = self.make(), self.make()
        await asyncio.gather(one.start(), two.start())
        await one.ready(name=two.name)
        self.assertEqual(self.unhandled, [])

    async def test_frames_that_break_the_protocol_end_their_connection_only(self) -> None:
        peer = self.make()
        peer.connect("add", lambda a, b: a + b)
        await peer.start()
        cause = '{"name":"E","message":"m"}'
        for _ in range(400):
            cause = '{"name":"E","message":"m","cause":{"error":%s}}' % cause
        subscribes = "\n".join(
            json.dumps({"type": "subscribe", "id": id, "name": f"n{id}"}) for id in range(1, 2_000))
        for text in (
            subscribes,
            "[" * 100_000,
            '{"type":"request","id":1,"tag":"add","args":%s%s}' % ("[" * 50_000, "]" * 50_000),
            '{"type":"request","id":1,"tag":"add","args":[1],"streams":[0]}\n{"type":"error","id":1,"arg":0,"error":%s}' % cause,
            '{"type":"credit","id":1,"count":-1,"bytes":0}',
            '{"type":["request"],"id":1}',
        ):
            friend = await self.friend(peer)
            await friend.send(text)
            if text.endswith("}" * 9):
                continue  # as deep as Python lets it be
            self.assertEqual(await self.ended(friend), 4400, text[:40])
        friend = await self.friend(peer)
        await friend.send('{"type":"request","id":1,"tag":"add","args":[1,2]}')
        answer: Any = None
        while not answer:
            answer = next((line for line in (await friend.recv()).split("\n") if '"result"' in line), None)
        self.assertEqual(json.loads(answer)["value"], 3)
        await friend.close()
        self.assertEqual([each for each in self.logged if "bug" in each], [])
        self.assertEqual(self.unhandled, [])

    async def test_who_asks_without_reading_is_cut_off_and_holds_little_memory(self) -> None:
        ping, link.PING = link.PING, 0.2
        self.addCleanup(setattr, link, "PING", ping)
        peer = self.make()
        answered: List[int] = []

        def blob() -> bytes:
            answered.append(1)
            return bytes(1024 * 1024)

        peer.connect("blob", blob)
        await peer.start()
        friend = await self.friend(peer)
        left: List[Tuple[Any, ...]] = []
        peer.on("leave", lambda *args: left.append(args))
        friend.transport.pause_reading()
        await friend.send("\n".join(
            json.dumps({"type": "request", "id": id, "tag": "blob", "args": []}) for id in range(1, 1_000)))
        await eventually(lambda: left)
        self.assertLess(len(answered), 64)
        friend.transport.abort()
