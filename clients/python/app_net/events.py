"""Events of this peer, and subscriptions to those of others."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from typing import Any, AsyncIterator, Callable, Deque, Dict, List, NamedTuple, Optional, Set

from .encode import to_json
from .errors import BadFrame, NetError
from .frames import text_of, value_line, whole, word
from .handshake import LIMITS

#: Bytes that may wait for one subscriber. Beyond it events are dropped, and the subscriber sees a gap.
MOST_QUEUED = 16 * 1024 * 1024
LONGEST_NAME = 256

log = logging.getLogger("app_net")


class Gap(NamedTuple):
    """Events were missed. `missed` is their number; None if nobody can know it.

    `why`: 'slow' (the emitter dropped some), 'disconnected', or 'restarted' (the emitter is a new process with the old id).
    """

    why: str
    missed: Optional[int]


class Event(NamedTuple):
    name: str
    value: Any
    #: Who emitted it.
    peer: Any
    sequence: int
    gap: Optional[Gap]
    meta: Dict[str, Any]


class Subscription:
    """End it with `unsubscribe()`, or by leaving a `with` block."""

    def __init__(self, events: Events, name: str, listener: Callable[[Event], Any], on_gap: Optional[Callable[[Gap, Any], Any]],
                 where: Optional[Callable[[Any], bool]]) -> None:
        self._events = events
        self.name = name
        self.listener = listener
        self.on_gap = on_gap
        self.where = where

    def unsubscribe(self) -> None:
        self._events.remove(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *error: Any) -> None:
        self.unsubscribe()


class Seen:
    """What is known of the events of one peer id."""

    def __init__(self, incarnation: str) -> None:
        self.incarnation = incarnation
        #: The last sequence of each name.
        self.sequences: Dict[str, int] = {}
        #: Gaps that no event has carried yet.
        self.gaps: Dict[str, Gap] = {}


class Events:
    def __init__(self, peers: Callable[[], List[Any]]) -> None:
        self._peers = peers
        self._subscriptions: Dict[str, List[Subscription]] = {}
        self._emitted: Dict[str, int] = {}
        self._seen: Dict[str, Seen] = {}
        self._changed: List[asyncio.Future[None]] = []
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()
        self._over = False
        self._warned = False

    # Emitting.

    def emit(self, name: str, value: Any, meta: Dict[str, Any]) -> int:
        check_name(name)
        if name == "*":
            raise ValueError("'*' stands for events of every name; emit an event with a name of its own")
        sequence = self._emitted.get(name, 0) + 1
        head = f'{{"type":"event","name":{text_of(name)},"sequence":{sequence}'
        if meta:
            head += f',"headers":{to_json(meta)}'
        line = value_line(head, value, "value")
        self._emitted[name] = sequence
        subscribers = self.subscribers(name)
        for peer in subscribers:
            link = peer.link
            if link is None:
                peer.backlog.append(line)
            elif link.writer.fits(line) and link.writer.waiting < MOST_QUEUED:
                link.writer.send(line)
        return len(subscribers)

    def subscribers(self, name: str) -> List[Any]:
        return [peer for peer in self._peers() if name in peer.interests or "*" in peer.interests]

    async def wait(self, name: str, least: int) -> List[Any]:
        check_name(name)
        while len(self.subscribers(name)) < least:
            changed = asyncio.get_running_loop().create_future()
            self._changed.append(changed)
            await changed
        return self.subscribers(name)

    def stream(self, stream: EventStream) -> EventStream:
        """Ends it with the peer."""
        self._streams.add(stream)
        if self._over:
            stream.end()
        return stream

    def end(self, error: NetError) -> None:
        """The peer stops: nothing comes any more."""
        self._over = True
        for stream in list(self._streams):
            stream.end()
        for each in self._changed:
            if not each.done():
                each.set_exception(error)

    def subscribe_frame(self, peer: Any, link: Any, frame: Dict[str, Any]) -> None:
        id, name = whole(frame, "id", 1), word(frame, "name", LONGEST_NAME)
        if name not in peer.interests and len(peer.interests) >= LIMITS["subscriptions"]:
            raise BadFrame(f"it subscribes to more than {LIMITS['subscriptions']} names")
        peer.interests.add(name)
        sequence = 0 if name == "*" else self._emitted.get(name, 0)
        link.writer.send((f'{{"type":"subscribed","id":{id},"sequence":{sequence}}}', []))
        changed, self._changed = self._changed, []
        for each in changed:
            if not each.done():
                each.set_result(None)

    # Subscribing.

    def add(self, name: str, listener: Callable[[Event], Any], on_gap: Optional[Callable[[Gap, Any], Any]],
            where: Optional[Callable[[Any], bool]]) -> Subscription:
        check_name(name)
        if not callable(listener):
            raise TypeError(f"subscribe: the listener is no function: {listener!r}")
        subscription = Subscription(self, name, listener, on_gap, where)
        if self._subscriptions.setdefault(name, []):
            self._subscriptions[name] = [*self._subscriptions[name], subscription]
        else:
            self._subscriptions[name] = [subscription]
            for peer in self._peers():
                if peer.link:
                    self._ask(peer.link, name)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        name = subscription.name
        left = [each for each in self._subscriptions.get(name, []) if each is not subscription]
        if left or name not in self._subscriptions:
            self._subscriptions[name] = left
            return
        del self._subscriptions[name]
        for peer in self._peers():
            if peer.link and name in peer.link.names:
                peer.link.names.discard(name)
                peer.link.writer.send((f'{{"type":"unsubscribe","name":{text_of(name)}}}', []))
                for waiting in self._subscriptions.keys() - peer.link.names:
                    self._ask(peer.link, waiting)
        for seen in self._seen.values():
            seen.sequences.pop(name, None)

    def _ask(self, link: Any, name: str) -> None:
        if len(link.names) < link.other.limits.get("subscriptions", 0):
            link.names.add(name)
            link.asks += 1
            link.asked[link.asks] = name
            link.writer.send((f'{{"type":"subscribe","id":{link.asks},"name":{text_of(name)}}}', []))
        elif not self._warned:
            self._warned = True
            log.warning("%s takes no more subscriptions; the event %s is not heard from it", link.other.id, name)

    def opened(self, peer: Any, link: Any) -> None:
        """On each new link that stays: nobody knows whether the other side saw the last one end."""
        while peer.backlog:
            link.writer.send(peer.backlog.popleft())
        seen = self._seen.get(peer.id)
        if seen is None:
            seen = self._seen[peer.id] = Seen(peer.incarnation)
        elif seen.incarnation != peer.incarnation:
            self._seen[peer.id] = Seen(peer.incarnation)
            for name in self._subscriptions:
                self._missed(peer, name, Gap("restarted", None))
        for name in self._subscriptions:
            self._ask(link, name)

    def subscribed_frame(self, peer: Any, link: Any, frame: Dict[str, Any]) -> None:
        id, sequence = whole(frame, "id", 1), whole(frame, "sequence")
        seen = self._seen.get(peer.id)
        name = link.asked.pop(id, None)
        if name is None or seen is None:
            return
        last = seen.sequences.get(name)
        if name != "*" and name in self._subscriptions:
            seen.sequences[name] = max(sequence, last or 0)
            if last is not None and sequence > last:
                self._missed(peer, name, Gap("disconnected", sequence - last))

    def event_frame(self, peer: Any, frame: Dict[str, Any]) -> None:
        name, sequence = word(frame, "name", LONGEST_NAME), whole(frame, "sequence")
        seen = self._seen.get(peer.id)
        listeners = [*self._subscriptions.get(name, ()), *self._subscriptions.get("*", ())]
        if seen is None or not listeners:
            return
        last = seen.sequences.get(name)
        if last is not None and sequence <= last:
            return
        if "unreadable" in frame:
            return  # counts as missed
        seen.sequences[name] = sequence
        if last is not None and sequence > last + 1:
            self._missed(peer, name, Gap("slow", sequence - last - 1))
        headers = frame.get("headers")
        event = Event(name, frame.get("value"), peer, sequence, seen.gaps.pop(name, None), headers if type(headers) is dict else {})
        for each in listeners:
            if _wanted(each, peer):
                guarded(each.listener, event)

    def _missed(self, peer: Any, name: str, gap: Gap) -> None:
        self._seen[peer.id].gaps[name] = gap
        for each in [*self._subscriptions.get(name, ()), *(self._subscriptions.get("*", ()) if name != "*" else ())]:
            if each.on_gap and _wanted(each, peer):
                guarded(each.on_gap, gap, peer)


class EventStream(AsyncIterator[Event]):
    """Events that wait for a loop. The oldest is dropped where there are too many."""

    def __init__(self, buffer: int) -> None:
        self.subscription: Optional[Subscription] = None
        self._buffer = buffer
        self._events: Deque[Event] = deque()
        self._dropped: Dict[Any, int] = {}
        self._waiter: Optional[asyncio.Future[None]] = None
        self._ended = False

    def take(self, event: Event) -> None:
        if len(self._events) >= self._buffer:
            old = self._events.popleft()
            self._dropped[old.peer] = self._dropped.get(old.peer, 0) + 1
        self._events.append(event)
        self._wake()

    def end(self) -> None:
        """The loop ends after the events that wait."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def __anext__(self) -> Event:
        while not self._events:
            if self._ended:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        event = self._events.popleft()
        dropped = self._dropped.pop(event.peer, 0)
        if dropped:
            earlier = event.gap.missed if event.gap else 0
            event = event._replace(gap=Gap("slow", None if earlier is None else earlier + dropped))
        return event

    async def aclose(self) -> None:
        if self.subscription:
            self.subscription.unsubscribe()
        self.end()

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self.subscription:
            self.subscription.unsubscribe()


def check_name(name: Any) -> None:
    if type(name) is not str or not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"the name of an event has 1 to {LONGEST_NAME} characters, not {name!r}")


_tasks: Set[Any] = set()


def guarded(listener: Callable[..., Any], *args: Any) -> None:
    """Calls what belongs to the user. Its errors go where asyncio's own go: to the loop's exception handler."""
    loop = asyncio.get_running_loop()
    try:
        result = listener(*args)
    except Exception as error:
        loop.call_exception_handler({"message": f"a listener of app_net raised {error!r}", "exception": error})
        return
    if asyncio.iscoroutine(result):
        task = loop.create_task(result)
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


def _wanted(subscription: Subscription, peer: Any) -> bool:
    try:
        return subscription.where is None or bool(subscription.where(peer))
    except Exception as error:
        guarded(_raise, error)
        return False


def _raise(error: Exception) -> None:
    raise error
