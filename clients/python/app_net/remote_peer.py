"""Another peer, as users see it."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from typing import Any, AsyncIterator, Deque, Dict, FrozenSet, List, Optional, Set

from .calls import Elsewhere
from .encode import is_plain
from .errors import NetError
from .frames import Line
from .handshake import Other
from .link import Link
from .streams import Stream

#: Events that wait for a link.
MOST_BACKLOG = 1024
#: Characters of the JSON of `meta`.
MOST_META = 4096
#: Milliseconds that a `deadline` can be, as a timer: 2**31 - 1, in seconds.
MOST_SECONDS = (2**31 - 1) / 1000


class RemoteFunction:
    """A function of another peer: call it and await the result, or iterate over `stream(…)`."""

    def __init__(self, peer: RemotePeer, tag: str, deadline: float, meta: Dict[str, Any]) -> None:
        self._peer = peer
        self._tag = tag
        self._deadline = deadline
        self._beside = {"headers": meta} if meta else {}

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises RemoteError if the function does, and NetError if the call fails. Cancelling it cancels the call there."""
        until = asyncio.get_running_loop().time() + self._deadline
        while True:
            link = self._peer.link or await self._peer.linked(self._tag, until)
            try:
                return await link.calls.call(self._tag, args, kwargs, self._deadline, until, self._beside)
            except Elsewhere:
                continue

    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        result = await self(*args, **kwargs)
        if not isinstance(result, Stream):
            raise TypeError(f"{self._tag} returned no stream but {type(result).__name__}; call it without stream()")
        async with result:
            async for value in result:
                yield value


class RemotePeer:
    #: Why it left: 'stopped', 'lost' or 'replaced'; None while it is there.
    why: Optional[str] = None

    def __init__(self, other: Other, deadline: float = 30.0) -> None:
        self.id = other.id
        self.incarnation = other.incarnation
        self.name = other.name
        self.group = other.group
        self.hub = other.hub
        self.pid = other.pid
        self.host = other.host
        #: Tags of its functions.
        self.functions: FrozenSet[str] = other.functions
        self.deadline = deadline
        #: Names of events to which it is subscribed here.
        self.interests: Set[str] = set()
        self.links: List[Link] = []
        #: Events for it, after it has said that another link stays and before that link is known here.
        self.backlog: Deque[Line] = deque(maxlen=MOST_BACKLOG)

    def __repr__(self) -> str:
        return f"<peer {self.name} {self.id}{f' {self.why}' if self.why else ''}>"

    @property
    def link(self) -> Optional[Link]:
        """The one for new calls."""
        for link in reversed(self.links):
            if link.usable:
                return link
        return None

    async def linked(self, tag: str, until: float) -> Link:
        """Waits while its connection is dialled again."""
        loop = asyncio.get_running_loop()
        while self.why is None and loop.time() < until:
            if self.link:
                return self.link
            await asyncio.sleep(0.005)
        raise NetError("NOT_SENT", "no", f"{self.name} has left: {self.why}" if self.why else f"no connection to {self.name}",
                       peer=self.id, tag=tag)

    async def call(self, tag: str, *args: Any, **kwargs: Any) -> Any:
        """Calls its function `tag`. `function(tag, deadline=…)` has options."""
        return await self.function(tag)(*args, **kwargs)

    def stream(self, tag: str, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Iterates over the values of its function `tag`. The call is made when the loop begins."""
        return self.function(tag).stream(*args, **kwargs)

    def function(self, tag: str, *, deadline: Optional[float] = None, meta: Optional[Dict[str, Any]] = None) -> RemoteFunction:
        """Its function `tag`.

        `deadline`: seconds until the call fails with DEADLINE_EXCEEDED; for a stream, the longest wait for a value. Default: 30.
        `meta`: a small dict that travels with the call; its JSON has at most 4,096 characters.
        """
        if type(tag) is not str or not 1 <= len(tag) <= 1024:
            raise ValueError(f"a tag is a str of 1 to 1,024 characters, not {tag!r}")
        seconds = self.deadline if deadline is None else deadline
        check_seconds("deadline", seconds)
        return RemoteFunction(self, tag, seconds, check_meta(meta))


def check_seconds(name: str, value: Any) -> None:
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 < value <= MOST_SECONDS:
        raise ValueError(f"{name} is a number of seconds above 0 and up to {MOST_SECONDS:.0f}, not {value!r}")


def check_meta(meta: Any) -> Dict[str, Any]:
    if meta is None:
        return {}
    if type(meta) is not dict or not is_plain(meta) or len(json.dumps(meta, separators=(",", ":"))) > MOST_META:
        raise ValueError(f"meta is a dict of plain JSON of at most {MOST_META} characters, not {str(meta)[:80]}")
    return meta
