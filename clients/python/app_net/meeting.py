"""Finds the other peers, dials them, and is dialled."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from pathlib import Path
from typing import Any, Dict, FrozenSet, Optional, Set, Tuple

from . import socket
from .errors import BadFrame
from .handshake import Refused, Self, as_acceptor, as_dialler
from .host import Announced, Announcement, announcements
from .peers import Peers
from .remote_peer import RemotePeer
from .secret import Keys

#: Seconds: how often the directory is looked at, and is listed even if it looks unchanged.
LOOK, LIST = 0.05, 2.0
#: Seconds that one dial may take, and the longest pause between two.
DIAL, LONGEST_PAUSE = 5.0, 10.0
REDIAL = 2.0
#: The peer with the higher id waits so long for the dial of the other.
POLITE = 0.25
MOST_SHAKING = 64

log = logging.getLogger("app_net")
Failures = (Refused, BadFrame, ValueError, asyncio.TimeoutError, *socket.SocketError)


class Meeting:
    def __init__(self, own: Self, keys: Keys, directory: Optional[Path], announce: bool, port: int,
                 seeds: FrozenSet[Tuple[str, int]], peers: Peers) -> None:
        self._own = own
        self._keys = keys
        self._directory = directory
        self._announce = announce
        self._port = port
        self._seeds = seeds
        self._peers = peers
        self._hints: Dict[str, Announcement] = {}
        self._tasks: Dict[Any, asyncio.Task[None]] = {}
        self._links: Set[asyncio.Task[None]] = set()
        self._server: Any = None
        self._announced: Optional[Announced] = None
        #: Sockets whose handshake runs, the oldest first.
        self._shaking: Dict[Any, None] = {}
        self._retired = False
        #: Where this peer listens.
        self.port: Optional[int] = None

    async def start(self) -> None:
        if self._announce:
            self._server, self.port = await socket.listen(self._accept, "127.0.0.1", self._port)
            if self._directory:
                own = self._own
                self._announced = Announced(self._directory, own.id, own.incarnation, self.port, self._keys.world)
                self._announced.keep()
        for address in self._seeds:
            self._task(address, self._seek(address))
        if self._directory:
            self._look()
            self._task("look", self._watch(self._directory))

    def _task(self, key: Any, run: Any) -> None:
        task = self._tasks[key] = asyncio.get_running_loop().create_task(run)
        task.add_done_callback(lambda done: self._tasks.pop(key, None) if self._tasks.get(key) is done else None)

    async def _watch(self, directory: Path) -> None:
        changed, listed = 0, 0.0
        loop = asyncio.get_running_loop()
        while not self._retired:
            await asyncio.sleep(LOOK)
            try:
                now = os.stat(directory).st_mtime_ns
            except OSError:
                now = 0
            if now != changed or loop.time() - listed > LIST:
                changed, listed = now, loop.time()
                try:
                    if self._announced:
                        self._announced.keep()
                except OSError as error:
                    log.warning("this peer cannot be announced: %s", error)
                self._look()

    def _look(self) -> None:
        assert self._directory
        self._hints = {each.id: each for each in announcements(self._directory, self._keys.world) if each.id != self._own.id}
        for id in self._hints:
            if id not in self._tasks and id not in self._peers.present:
                self._task(id, self._seek_announced(id))

    async def _seek_announced(self, id: str) -> None:
        """Dials a peer of the directory until it is there, or its file is gone."""
        if self._announce and self._own.id > id:
            await asyncio.sleep(POLITE)
        pause = 0.1
        while id in self._hints and id not in self._peers.present and not self._retired:
            hint = self._hints[id]
            for address in hint.addresses:
                if await self._dial(address, id, DIAL):
                    return
            await asyncio.sleep(random.random() * pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _seek(self, address: Tuple[str, int]) -> None:
        """Keeps a connection to whoever listens at a seed."""
        pause = 0.1
        while not self._retired:
            done = await self._dial(address, "", DIAL)
            if done:
                pause = 0.1
                await asyncio.wait([done])
            await asyncio.sleep(random.random() * pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def redial(self, peer: RemotePeer) -> bool:
        """Once, after its last link broke."""
        hint = self._hints.get(peer.id)
        addresses = hint.addresses if hint and hint.incarnation == peer.incarnation else ()
        for address in addresses:
            if await self._dial(address, peer.id, REDIAL):
                return True
        return bool(peer.links)

    async def _dial(self, address: Tuple[str, int], id: str, seconds: float) -> Optional[asyncio.Task[None]]:
        """The task of the new link, or None."""
        opened = None
        generation = self._peers.generation(id)
        try:
            opened = await asyncio.wait_for(socket.dial(*address, seconds), seconds)
            tags = frozenset(self._peers.functions)
            other = await as_dialler(opened, self._keys, self._own, id, generation, tags)
            if self._retired:
                raise Refused("this peer stops", 1001)
        except Failures as error:
            log.debug("the dial of %s failed: %s", socket.address_of(*address), error)
            if isinstance(error, Refused) and error.code == 4409:
                log.warning("%s", error)
            if opened:
                await opened.close(getattr(error, "code", 4401))
            return None
        return self._linked(opened, other, True, generation, tags)

    def _linked(self, opened: Any, other: Any, dialled: bool, generation: int, told: FrozenSet[str]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._peers.run(opened, other, dialled, generation, told))
        self._links.add(task)
        task.add_done_callback(self._links.discard)
        return task

    async def _accept(self, opened: Any) -> None:
        """The server's handler: the socket is closed when it returns."""
        # An honest peer is done in milliseconds, so the oldest one is no loss.
        if len(self._shaking) >= MOST_SHAKING:
            oldest = next(iter(self._shaking))
            del self._shaking[oldest]
            oldest.transport.abort()
        self._shaking[opened] = None
        told: FrozenSet[str] = frozenset()

        def functions() -> FrozenSet[str]:
            nonlocal told
            told = frozenset(self._peers.functions)
            return told

        try:
            other = await as_acceptor(opened, self._keys, self._own, functions, self._peers.is_taken)
        except asyncio.TimeoutError:
            opened.transport.abort()
            return
        except Failures as error:
            log.debug("a connection was turned away: %s", error)
            await opened.close(getattr(error, "code", 4401))
            return
        finally:
            self._shaking.pop(opened, None)
        await self._linked(opened, other, False, other.generation, told)

    async def retire(self) -> None:
        """Nobody is found any more, and nobody finds this peer."""
        self._retired = True
        if self._announced:
            self._announced.remove()
        while self._tasks:
            # Again: a cancellation is lost where what `wait_for` waits for ends in the same moment.
            for task in self._tasks.values():
                task.cancel()
            await asyncio.wait(list(self._tasks.values()), timeout=0.1)

    async def close(self) -> None:
        if self._server:
            self._server.close()
        if self._links:
            _, late = await asyncio.wait(self._links, timeout=2)
            for task in late:
                task.cancel()
        if self._server:
            await self._server.wait_closed()
