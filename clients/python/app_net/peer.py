"""The peer of this process."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import secrets
import signal
import socket as sockets
import sys
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Tuple, TypeVar, Union, overload

from .errors import NetError
from .events import EventStream, Event, Gap, Subscription
from .handshake import Self, is_name
from .host import read_secret, runtime_directory, safe_directory, shared_secret
from .meeting import Meeting
from .peers import Peers, matcher
from .remote_peer import RemotePeer, check_meta, check_seconds
from .running import Function
from .secret import base64url, keys_of
from .streams import is_stream

F = TypeVar("F", bound=Callable[..., Any])
Where = Optional[Callable[[RemotePeer], bool]]


class Peer:
    """Finds the other peers of this host, calls their functions, and is called.

        peer = Peer()

        @peer.connect("math.multiply")
        def multiply(a: int, b: int) -> int:
            return a * b

        async def main():
            async with peer:
                other = await peer.ready(has="img.resize@1")
                print(await other.call("img.resize@1", "cat.png", 200))

    `name`: what people call it; default: `<script>:<pid>`. `group`: default `main`, or APP_NET_GROUP.
    `id`: default: a new one for each peer. Give one only if others must know it.
    `secret`, `secret_file`: default: the secret that the peers of this user share, in the runtime directory.
    `runtime_dir`: where they announce themselves; default: APP_NET_RUNTIME_DIR, and what `docs/discovery.md` says.
    `announce`: False for a peer that only dials: it is seen and called by those that it has dialled.
    `port`: where it listens, on 127.0.0.1; default: any. `seeds`: addresses of this host, such as `127.0.0.1:4000`.
    `deadline`: seconds that a call waits. `drain_time`: seconds that `stop()` waits for calls that run here.
    """

    def __init__(self, *, name: Optional[str] = None, group: Optional[str] = None, id: Optional[str] = None,
                 secret: Optional[str] = None, secret_file: Union[None, str, Path] = None,
                 runtime_dir: Union[None, str, Path] = None, announce: bool = True, port: int = 0,
                 seeds: Iterable[str] = (), deadline: float = 30.0, drain_time: float = 10.0) -> None:
        script = os.path.basename(sys.argv[0] or "python") if hasattr(sys, "argv") else "python"
        self.name = _text("name", name or os.environ.get("APP_NET_NAME") or f"{script}:{os.getpid()}")
        self.group = _text("group", group or os.environ.get("APP_NET_GROUP") or "main")
        if id is not None and not is_name(id):
            raise ValueError(f"id has 1 to 64 characters of A-Za-z0-9_-, not {id!r}")
        if secret is not None and (type(secret) is not str or not secret.strip()):
            raise ValueError("secret is a str that is not empty; leave it out to use the secret of this user")
        if secret is not None and secret_file is not None:
            raise ValueError("give secret or secret_file, not both")
        if type(port) is not int or not 0 <= port < 65536:
            raise ValueError(f"port is a whole number from 0 to 65535, not {port!r}")
        check_seconds("deadline", deadline)
        if drain_time != 0:
            check_seconds("drain_time", drain_time)
        self.id: str = id or base64url(secrets.token_bytes(16))
        self.incarnation = base64url(secrets.token_bytes(16))
        file = secret_file or os.environ.get("APP_NET_SECRET_FILE")
        self._secret = secret
        self._secret_file = Path(file) if file and secret is None else None
        self._runtime_dir = Path(runtime_dir) if runtime_dir is not None else None
        self._announce, self._port, self._deadline, self._drain_time = announce, port, deadline, drain_time
        self._seeds = _addresses(seeds)
        self._functions: Dict[str, Function] = {}
        self._peers = Peers(self.id, self._functions, self._redial, deadline)
        self._meeting: Optional[Meeting] = None
        self._state = "new"

    async def __aenter__(self) -> Peer:
        await self.start()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.stop()

    async def start(self) -> None:
        """Raises OSError where the runtime directory or the port cannot be used. Can be done once."""
        if self._state != "new":
            raise RuntimeError(f"this peer is {self._state}; make a new Peer")
        self._state = "starting"
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        self._state = "online"

    async def _start(self) -> None:
        directory = safe_directory(self._runtime_dir or runtime_directory())
        loop = asyncio.get_running_loop()
        secret = self._secret
        if secret is None and self._secret_file:
            secret = read_secret(self._secret_file)
        elif secret is None:
            secret = await loop.run_in_executor(None, shared_secret, directory)
        keys = await loop.run_in_executor(None, keys_of, secret)  # a passphrase takes 0.1 s of a core
        own = Self(self.id, self.incarnation, self.name, self.group, os.getpid(), sockets.gethostname()[:256])
        self._meeting = Meeting(own, keys, directory, self._announce, self._port, self._seeds, self._peers)
        await self._meeting.start()

    async def stop(self) -> None:
        """Says goodbye and waits for the calls that run here, for up to `drain_time`."""
        if self._state in ("stopped", "stopping"):
            return
        self._state = "stopping"
        self._peers.fail(NetError("STOPPED", "no", "this peer was stopped"))
        if self._meeting:
            await self._meeting.retire()
            await self._peers.stop(self._drain_time)
            await self._meeting.close()
        self._state = "stopped"

    async def serve(self, stop_on: Iterable[signal.Signals] = (signal.SIGTERM, signal.SIGINT)) -> None:
        """Starts if need be, and answers calls until one of the signals comes. Then stops."""
        if self._state == "new":
            await self.start()
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        for each in stop_on:
            loop.add_signal_handler(each, ended.set)
        try:
            await ended.wait()
        finally:
            for each in stop_on:
                loop.remove_signal_handler(each)
            await self.stop()

    @property
    def port(self) -> Optional[int]:
        """Where it listens on 127.0.0.1; None before `start()` and without `announce`."""
        return self._meeting.port if self._meeting else None

    async def _redial(self, peer: RemotePeer) -> bool:
        return await self._meeting.redial(peer) if self._meeting and self._state == "online" else False

    # Functions.

    @overload
    def connect(self, tag: str, fn: F, *, thread: bool = False) -> F: ...

    @overload
    def connect(self, tag: str, *, thread: bool = False) -> Callable[[F], F]: ...

    def connect(self, tag: str, fn: Optional[Any] = None, *, thread: bool = False) -> Any:
        """Makes a function callable by others. Can be used as a decorator.

        It may be a plain or an `async` function. A generator, plain or `async`, is a stream. If the caller gives up, an `async`
        function gets asyncio.CancelledError. `thread=True` runs a plain function in a thread, so that it may block.
        """
        if type(tag) is not str or not 1 <= len(tag) <= 1024:
            raise ValueError(f"connect: a tag is a str of 1 to 1,024 characters, not {tag!r}")
        if tag.startswith("net."):
            raise ValueError(f"connect: tags that begin with net. belong to the library: {tag}")
        if fn is None:
            return lambda given: self.connect(tag, given, thread=thread)
        if not callable(fn):
            raise TypeError(f"connect: {fn!r} is no function")
        if tag in self._functions:
            raise ValueError(f"connect: the tag {tag} is taken; disconnect it first")
        if thread and (asyncio.iscoroutinefunction(fn) or is_stream(fn)):
            raise TypeError("connect: thread=True is for plain functions; an async function must not block")
        self._functions[tag] = Function(fn, thread)
        self._peers.announce([tag], [])
        return fn

    def disconnect(self, tag: str) -> None:
        """Calls of it that run go on."""
        if self._functions.pop(tag, None) is None:
            raise ValueError(f"disconnect: there is no function {tag}")
        self._peers.announce([], [tag])

    # Others.

    @property
    def peers(self) -> List[RemotePeer]:
        """Those that are there now, of every group."""
        return list(self._peers.present.values())

    def on(self, what: str, listener: Callable[..., Any]) -> Callable[[], None]:
        """`join` and `change` (its functions) give the peer, `leave` the peer and why. Returns a function that ends it."""
        return self._peers.on(what, listener)

    async def ready(self, *, has: Optional[str] = None, name: Optional[str] = None, group: Optional[str] = None,
                    where: Where = None) -> RemotePeer:
        """Waits for a peer: that has this function, with this name, of this group (default: this peer's; '*': any)."""
        return (await self.all_ready(1, has=has, name=name, group=group, where=where))[0]

    async def all_ready(self, least: int, *, has: Optional[str] = None, name: Optional[str] = None,
                        group: Optional[str] = None, where: Where = None) -> List[RemotePeer]:
        """Waits for so many peers, and returns all that match, in random order."""
        if self._state not in ("online", "starting"):
            raise NetError("STOPPED", "no", f"this peer is {self._state}; start it first: async with peer")
        return await self._peers.ready(matcher(has, name, group or self.group, where), least)

    # Events.

    def emit(self, name: str, value: Any = None, *, meta: Optional[Dict[str, Any]] = None) -> int:
        """To everybody who is subscribed. Never waits. Returns how many those are."""
        return self._peers.events.emit(name, value, check_meta(meta))

    async def subscribers(self, name: str, least: int = 1) -> List[RemotePeer]:
        """Waits until so many peers are subscribed to the event."""
        return await self._peers.events.wait(name, least)

    def subscribe(self, name: str, listener: Callable[[Event], Any], *, on_gap: Optional[Callable[[Gap, RemotePeer], Any]] = None,
                  where: Where = None) -> Subscription:
        """Calls the listener with each event, of peers that are there and of those that come. '*' is every name.

        `where` chooses peers; default: those of this peer's group. `on_gap` is told of events that were missed, at once; the next
        event has the gap, too.
        """
        return self._peers.events.add(name, listener, on_gap, where or self._is_of_group)

    def events(self, name: str, *, where: Where = None, buffer: int = 1024) -> EventStream:
        """The same for `async for`. Up to `buffer` events wait for the loop; beyond it the oldest is dropped, with a gap.

        The loop ends with `aclose()`, and with `stop()` of this peer.
        """
        stream = EventStream(buffer)
        stream.subscription = self._peers.events.add(name, stream.take, None, where or self._is_of_group)
        return self._peers.events.stream(stream)

    def _is_of_group(self, peer: RemotePeer) -> bool:
        return peer.group == self.group


def _text(name: str, value: Any) -> str:
    if type(value) is not str or len(value) > 256:
        raise ValueError(f"{name} is a str of at most 256 characters, not {value!r}")
    return value


def _addresses(seeds: Iterable[str]) -> FrozenSet[Tuple[str, int]]:
    if isinstance(seeds, str):
        raise TypeError("seeds is a list of addresses, not one str")
    found = set()
    for seed in seeds:
        parts = re.fullmatch(r"\[?([0-9a-fA-F:.]+)\]?:(\d{1,5})", seed) if type(seed) is str else None
        try:
            ip = ipaddress.ip_address(parts[1]) if parts else None
        except ValueError:
            ip = None
        if parts is None or ip is None or not 0 < int(parts[2]) < 65536:
            raise ValueError(f"a seed is an address such as 127.0.0.1:4000, not {seed!r}")
        if not ip.is_loopback:
            raise ValueError(f"the seed {seed} is on another host: Python can speak within a host only, since its ssl module "
                             "gives no access to what the proofs are bound to")
        found.add((str(ip), int(parts[2])))
    return frozenset(found)
