"""One authenticated connection to another peer."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Callable, Dict, List, Optional, Set

from .calls import Calls
from .encode import MOST_BINARIES, to_json
from .errors import BadFrame
from .frames import read, whole, word
from .handshake import LIMITS, Other
from .running import Running
from .socket import Closed, SocketError
from .writer import Writer

#: Seconds between two pings, and how many in turn may stay unanswered.
PING, MOST_SILENT = 2.0, 3
MOST_HELD = 1024
#: Bytes that wait here for the other side to read. Beyond them, none of its frames is taken for up to `PAUSE` seconds. Then one is, or
#: two sides that both send much would wait for each other.
MOST_UNREAD, PAUSE = 16 * 1024 * 1024, 1.0

log = logging.getLogger("app_net")


class Link:
    """`owner` is told of its frames: it is the peer's `Peers`."""

    def __init__(self, owner: Any, peer: Any, socket: Any, other: Other, dialled: bool, generation: int) -> None:
        self.owner = owner
        self.peer = peer
        self.socket = socket
        self.other = other
        self.dialled = dialled
        self.generation = generation
        #: The reasons of the goaway that either side has sent.
        self.leaving: Optional[str] = None
        self.other_leaving: Optional[str] = None
        #: The events that this side has subscribed to here, and the `subscribe` frames that are not answered.
        self.names: Set[str] = set()
        self.asked: Dict[int, str] = {}
        self.asks = 0
        self.closed = False
        #: Events wait for the end of the other link of this pair.
        self.held: Optional[List[Dict[str, Any]]] = None
        self.writer = Writer(socket, other.limits["message"])
        self.calls = Calls(self.writer, other.id, other.limits["calls"])
        self.running = Running(self.writer, owner.functions, lambda: peer, self.check_idle)
        self._binaries: List[bytes] = []
        self._bytes = 0
        #: Frames that were taken while it read what was sent to it.
        self._heard = 0
        self._closing: Optional[asyncio.Task[None]] = None
        self._handlers: Dict[str, Callable[[Dict[str, Any], int], object]] = {
            "request": lambda frame, size: self.running.request(frame),
            "result": self._result,
            "error": self._error,
            "cancel": self._cancel,
            "next": self._next,
            "complete": self._complete,
            "credit": self._credit,
            "functions": self._functions,
            "goaway": self._goaway,
            "subscribe": lambda frame, size: owner.events.subscribe_frame(peer, self, frame),
            "subscribed": self._event,
            "unsubscribe": lambda frame, size: peer.interests.discard(word(frame, "name")),
            "event": self._event,
        }

    @property
    def usable(self) -> bool:
        """Whether new calls can go here."""
        return not (self.closed or self.leaving or self.other_leaving in ("stopped", "duplicate"))

    async def run(self) -> str:
        """Until the connection has ended. Returns why."""
        pings = asyncio.get_running_loop().create_task(self._ping())
        why, code = "the connection broke", 0
        try:
            while True:
                await self._message(await self.socket.recv())
        except Closed as error:
            why = f"the peer closed it with {self.socket.close_code or 1006}" if error.rcvd else "the connection broke"
        except BadFrame as error:
            why, code = f"the peer broke the protocol: {error}", error.code
            log.warning("%s broke the protocol: %s", self.other.id, error)
        except SocketError as error:
            why = str(error)
        except RecursionError:
            why, code = "the peer broke the protocol: a value is nested too deep", 4400
            log.warning("%s broke the protocol: a value is nested too deep", self.other.id)
        except Exception as error:  # ours: the link ends, and nothing else
            why, code = f"a bug of app_net: {error!r}", 1011
            log.exception("a bug of app_net, while it handled what %s sent", self.other.id)
        finally:
            pings.cancel()
            self.closed = True
            self.writer.close()
            self.calls.end(why)
            self.running.end(why)
            if code:
                await self.socket.close(code)
        return why

    async def _message(self, message: Any) -> None:
        if not isinstance(message, str):
            self._binaries.append(message)
            self._bytes += len(message)
            if len(self._binaries) > MOST_BINARIES or self._bytes > LIMITS["message"]:
                raise BadFrame("too many binary messages")
            return
        binaries, self._binaries, self._bytes = self._binaries, [], 0
        handlers = self._handlers
        for frame, size in read(message, binaries):
            kind = frame.get("type")
            handler = handlers.get(kind) if type(kind) is str else None
            if handler:
                handler(frame, size)
                if self.writer.queued > MOST_UNREAD:
                    await self.writer.drained(PAUSE)
                    if self.writer.closed:
                        return
                else:
                    self._heard += 1
            elif self.other.newest <= 1 or type(kind) is not str:
                raise BadFrame(f"a frame of the unknown type {kind!r}")

    async def _ping(self) -> None:
        """Notices silence. A round that took much longer than it should says that this process was slow, and counts nothing."""
        loop, silent = asyncio.get_running_loop(), 0
        pong: Optional[asyncio.Task[None]] = None
        try:
            while silent < MOST_SILENT:
                before, moved = loop.time(), self._heard + self.writer.sent
                pong = pong or loop.create_task(self._round_trip())
                await asyncio.sleep(PING)
                if pong.done():
                    pong, silent = None, 0
                elif moved != self._heard + self.writer.sent:
                    silent = 0  # the ping waits behind much else
                elif loop.time() - before < PING + 1:
                    silent += 1
            self.abort()
        finally:
            if pong:
                pong.cancel()

    async def _round_trip(self) -> None:
        """The ping itself may have to wait: a peer that reads nothing takes no ping either."""
        try:
            await (await self.socket.ping())
        except SocketError:
            pass  # the reader of the link is told the same

    def abort(self) -> None:
        if self.socket.transport:
            self.socket.transport.abort()

    def goaway(self, reason: str) -> None:
        if not self.leaving:
            self.leaving = reason
            self.calls.leave()
            if reason == "stopped":
                self.running.refuses = True
            self.writer.send((f'{{"type":"goaway","last":{self.running.last},"reason":"{reason}"}}', []))
            self.check_idle()

    def tell_functions(self, added: List[str], removed: List[str]) -> None:
        """In pieces: a frame is no larger than the other side takes."""
        tags = [(tag, True) for tag in added] + [(tag, False) for tag in removed]
        while tags:
            piece, tags = tags[:32], tags[32:]
            new, old = [tag for tag, is_new in piece if is_new], [tag for tag, is_new in piece if not is_new]
            self.writer.send((f'{{"type":"functions","added":{to_json(new)},"removed":{to_json(old)}}}', []))

    def check_idle(self) -> None:
        """A duplicate is closed once both sides have given it up and nothing runs on it."""
        done = self.leaving == self.other_leaving == "duplicate" and self.running.idle and self.calls.idle
        if done and not self._closing:
            self._closing = asyncio.get_running_loop().create_task(self.close(1000))

    async def close(self, code: int) -> None:
        await self.writer.flushed()
        try:
            await self.socket.close(code)
        except SocketError:
            pass

    def release(self) -> None:
        """The other link of the pair has nothing more to say: the events that waited for it follow."""
        held, self.held = self.held, None
        for frame in held or ():
            self._event(frame, 0)

    # Frames.

    def _result(self, frame: Dict[str, Any], size: int) -> None:
        whole(frame, "id")
        self.calls.result(frame)
        if self.leaving:
            self.check_idle()

    def _error(self, frame: Dict[str, Any], size: int) -> None:
        whole(frame, "id")
        if "arg" in frame:
            self.running.given_ended(frame)
        else:
            self.calls.error(frame)
            self.check_idle()

    def _next(self, frame: Dict[str, Any], size: int) -> None:
        if "arg" in frame:
            self.running.value(frame, size)
        else:
            self.calls.value(frame, size)

    def _complete(self, frame: Dict[str, Any], size: int) -> None:
        if "arg" in frame:
            self.running.given_ended(frame)
        else:
            self.calls.complete(frame)
            self.check_idle()

    def _cancel(self, frame: Dict[str, Any], size: int) -> None:
        id = whole(frame, "id")
        if "arg" in frame:
            self.calls.cancel(id, whole(frame, "arg"))
        else:
            self.running.cancel(id, frame.get("late") is True)

    def _credit(self, frame: Dict[str, Any], size: int) -> None:
        id, count, bytes = whole(frame, "id"), whole(frame, "count", 1), whole(frame, "bytes")
        if "arg" in frame:
            self.calls.credit(id, whole(frame, "arg"), count, bytes)
        else:
            self.running.credit(id, count, bytes)

    def _functions(self, frame: Dict[str, Any], size: int) -> None:
        added, removed = frame.get("added"), frame.get("removed")
        if type(added) is not list or type(removed) is not list or not all(type(tag) is str for tag in added + removed):
            raise BadFrame("malformed functions")
        self.owner.functions_changed(self.peer, added, removed)

    def _goaway(self, frame: Dict[str, Any], size: int) -> None:
        reason = frame.get("reason")
        if reason not in ("stopped", "duplicate", "idle"):
            raise BadFrame("a goaway for an unknown reason")
        if reason == "idle":
            return  # not answered: this side needs the connection
        self.other_leaving = reason
        self.calls.leave()
        if reason == "stopped":
            self.calls.refuse(whole(frame, "last"))
        else:
            self.goaway("duplicate")
        self.owner.left(self, reason)
        self.check_idle()

    def _event(self, frame: Dict[str, Any], size: int) -> None:
        if self.held is not None:
            self.held.append(frame)
            if len(self.held) > MOST_HELD:
                self.release()
        elif frame["type"] == "event":
            self.owner.events.event_frame(self.peer, frame)
        else:
            self.owner.events.subscribed_frame(self.peer, self, frame)
