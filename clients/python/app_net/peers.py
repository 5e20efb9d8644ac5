"""Who is there: the other peers, each with its links."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Awaitable, Callable, Dict, FrozenSet, List, Optional, Set, Tuple

from .errors import NetError
from .events import Events, guarded
from .handshake import Other, listed_of
from .link import Link
from .remote_peer import RemotePeer
from .running import Function

#: Links of one pair, and seconds after which a dead one no longer holds the events of the other back.
MOST_LINKS, LONGEST_HELD = 8, 1.0


class Peers:
    """Owns the links. `redial` dials a peer whose last link broke, once, and says whether that led to a link."""

    def __init__(self, own_id: str, functions: Dict[str, Function], redial: Callable[[RemotePeer], Awaitable[bool]],
                 deadline: float) -> None:
        self.own_id = own_id
        self.functions = functions
        self.present: Dict[str, RemotePeer] = {}
        self.events = Events(lambda: list(self.present.values()))
        self._redial = redial
        self._deadline = deadline
        self._losses: Dict[str, int] = {}
        self._listeners: Dict[str, List[Callable[..., Any]]] = {"join": [], "leave": [], "change": []}
        self._waiting: Set[asyncio.Future[None]] = set()
        self._tasks: Set[asyncio.Task[Any]] = set()
        self.stopping = False

    def on(self, what: str, listener: Callable[..., Any]) -> Callable[[], None]:
        if what not in self._listeners:
            raise ValueError(f"on: there is no {what!r}; there is {', '.join(self._listeners)}")
        self._listeners[what].append(listener)
        return lambda: self._listeners[what].remove(listener)

    def generation(self, id: str) -> int:
        return self._losses.get(id, 0)

    async def is_taken(self, id: str, incarnation: str) -> bool:
        """Whether another life of this id is alive. Its connection may be dead without anybody having noticed."""
        peer = self.present.get(id)
        if peer is None or peer.incarnation == incarnation or peer.link is None:
            return False
        try:
            await asyncio.wait_for(await peer.link.socket.ping(), 1)
            return True
        except Exception:
            return False

    async def run(self, socket: Any, other: Other, dialled: bool, generation: int, told: FrozenSet[str]) -> None:
        """A new link, until it ends. `told` are the functions that this side had when it described itself."""
        peer = self._peer_of(other)
        link = Link(self, peer, socket, other, dialled, generation)
        current = peer.link
        peer.links.append(link)
        if current:
            self._cross(current, link)
        if len(peer.links) > MOST_LINKS:
            peer.links[0].abort()
        is_new = other.id not in self.present
        self.present[other.id] = peer
        if peer.link is link:  # a duplicate is not asked: its answer would overtake what is on its way on the other
            self.events.opened(peer, link)
        if is_new:
            self._tell("join", peer)
        link.tell_functions(*self._untold(told))
        self._changed()
        why = await link.run()
        self._closed(link, why)

    def _untold(self, told: FrozenSet[str]) -> Tuple[List[str], List[str]]:
        """What the handshake had no room for, and what has changed since."""
        listed = frozenset(listed_of(told))
        return sorted(frozenset(self.functions) - listed), sorted(listed - frozenset(self.functions))

    def _peer_of(self, other: Other) -> RemotePeer:
        peer = self.present.get(other.id)
        if peer and peer.incarnation != other.incarnation:
            self._leave(peer, "replaced")
            peer = None
        if peer is None:
            return RemotePeer(other, self._deadline)
        peer.functions = frozenset(other.functions)
        return peer

    def _cross(self, current: Link, link: Link) -> None:
        """Two links of one pair: one stays."""
        stays = self._keep(current, link)
        goes = link if stays is current else current
        if current.dialled != link.dialled and current.generation == link.generation:
            stays.held = stays.held or []
            asyncio.get_running_loop().call_later(LONGEST_HELD, stays.release)
        goes.goaway("duplicate")

    def _keep(self, current: Link, link: Link) -> Link:
        """Both sides decide by the same facts. `docs/protocol.md`, "Two connections between one pair"."""
        if current.generation != link.generation:
            return current if current.generation > link.generation else link
        if current.dialled == link.dialled:
            return link
        return link if link.dialled == (self.own_id < link.other.id) else current

    def _closed(self, link: Link, why: str) -> None:
        peer = link.peer
        peer.links.remove(link)
        for each in peer.links:
            each.release()
        if peer.links or self.present.get(peer.id) is not peer:
            return
        peer.interests.clear()
        if link.other_leaving == "stopped" or self.stopping:
            self._leave(peer, "stopped")
            return
        self._losses[peer.id] = self._losses.get(peer.id, 0) + 1
        task = asyncio.get_running_loop().create_task(self._lost(peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lost(self, peer: RemotePeer) -> None:
        """One fresh dial decides. A network that drops one connection makes no peer leave."""
        if not await self._redial(peer) and not peer.links and self.present.get(peer.id) is peer:
            self._leave(peer, "lost")

    def left(self, link: Link, reason: str) -> None:
        """The other side has sent goaway."""
        for each in link.peer.links:
            each.release()
        if reason == "stopped" and self.present.get(link.peer.id) is link.peer:
            self._leave(link.peer, "stopped")

    def _leave(self, peer: RemotePeer, why: str) -> None:
        del self.present[peer.id]
        peer.why = why
        self._changed()
        self._tell("leave", peer, why)

    def functions_changed(self, peer: RemotePeer, added: List[str], removed: List[str]) -> None:
        peer.functions = (peer.functions - frozenset(removed)) | frozenset(added)
        self._changed()
        self._tell("change", peer)

    def announce(self, added: List[str], removed: List[str]) -> None:
        """Tells everybody of functions that were connected or disconnected."""
        for peer in self.present.values():
            for link in peer.links:
                link.tell_functions(added, removed)

    async def ready(self, matches: Callable[[RemotePeer], bool], least: int) -> List[RemotePeer]:
        while True:
            found = [peer for peer in self.present.values() if matches(peer)]
            if len(found) >= least:
                random.shuffle(found)
                return found
            future = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                await future
            finally:
                self._waiting.discard(future)

    def fail(self, error: NetError) -> None:
        """Ends what waits for peers."""
        self.events.end(error)
        for future in self._waiting:
            if not future.done():
                future.set_exception(error)

    async def stop(self, drain: float) -> None:
        """Says goodbye, lets what runs come to its end, and closes."""
        self.stopping = True
        links = [link for peer in self.present.values() for link in peer.links]
        for link in links:
            link.goaway("stopped")
        end = asyncio.get_running_loop().time() + drain
        while any(not link.running.idle and not link.closed for link in links) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
        await asyncio.gather(*(link.close(1001) for link in links if not link.closed), return_exceptions=True)

    def _tell(self, what: str, *args: Any) -> None:
        for listener in list(self._listeners[what]):
            guarded(listener, *args)

    def _changed(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)


def matcher(has: Optional[str], name: Optional[str], group: Optional[str],
            where: Optional[Callable[[RemotePeer], bool]]) -> Callable[[RemotePeer], bool]:
    return lambda peer: ((has is None or has in peer.functions) and (name is None or peer.name == name)
                         and (group in (None, "*") or peer.group == group) and (where is None or bool(where(peer))))
