"""Sends lines. Those that come while a message is on its way are the next message."""

from __future__ import annotations

import asyncio
from typing import Any, List, Optional

from .frames import Line
from .socket import SocketError, buffered

#: Characters of one message, as far as it is up to us. A longer line is a message of its own.
MESSAGE = 256 * 1024
#: Streams wait while so much is not taken by the network.
ENOUGH = 1024 * 1024


class Writer:
    def __init__(self, socket: Any, most: int) -> None:
        self._socket = socket
        #: Bytes of one message that the other side takes.
        self.most = most
        self._batch = min(MESSAGE, most)
        self._lines: List[Line] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._idle: List[asyncio.Future[None]] = []
        self._closed = False
        #: Messages that the network has taken.
        self.sent = 0
        self._task: Optional[asyncio.Task[None]] = asyncio.get_running_loop().create_task(self._run())

    def fits(self, line: Line) -> bool:
        return len(line[0]) + sum(map(len, line[1])) <= self.most

    def send(self, line: Line) -> None:
        if self._closed:
            return
        self._lines.append(line)
        self._size += len(line[0]) + sum(map(len, line[1]))
        if len(self._lines) == 1:
            self._wake.set()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def queued(self) -> int:
        """Bytes that wait here. The socket holds up to 1 MiB more."""
        return self._size

    @property
    def waiting(self) -> int:
        """Bytes that the network has not taken yet."""
        return self._size + buffered(self._socket)

    async def room(self) -> None:
        """Until the network has taken most of what was sent."""
        while self._size > ENOUGH and not self._closed:
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle

    async def drained(self, seconds: float) -> None:
        """The same, but not longer than so."""
        try:
            await asyncio.wait_for(self.room(), seconds)
        except asyncio.TimeoutError:
            pass

    async def flushed(self) -> None:
        while self._size > 0 and not self._closed:
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle

    def close(self) -> None:
        self._closed = True
        self._settle()
        if self._task:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                lines, self._lines = self._lines, []
                size, at = 0, 0
                for index, (text, binaries) in enumerate(lines):
                    if binaries or size + len(text) >= self._batch:
                        await self._message(lines[at:index])
                        size, at = 0, index
                    if binaries:
                        for each in binaries:
                            await self._socket.send(each)
                        await self._message([(text, [])])
                        at, self._size = index + 1, self._size - sum(map(len, binaries))
                    else:
                        size += len(text) + 1
                await self._message(lines[at:])
                self._settle()
        except SocketError:
            self.close()  # the reader of the link is told the same

    async def _message(self, lines: List[Line]) -> None:
        if lines:
            await self._socket.send("\n".join([text for text, _ in lines]))
            self.sent += 1
            self._size -= sum([len(text) for text, _ in lines])

    def _settle(self) -> None:
        idle, self._idle = self._idle, []
        for each in idle:
            if not each.done():
                each.set_result(None)
