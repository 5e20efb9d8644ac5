"""Streams in both directions, with credit for values and for bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from types import CoroutineType, GeneratorType
from typing import Any, AsyncIterator, Callable, Deque, Iterator, Optional, Tuple, Union

from .errors import BadFrame, NetError

FIRST_COUNT = 32
FIRST_BYTES = 1024 * 1024


class Inflow:
    """Values that come here. It holds what nobody has read yet, and gives credit for what somebody has."""

    def __init__(self, credit: Callable[[int, int], None], give_up: Callable[[bool], None]) -> None:
        self._credit = credit
        self._give_up = give_up
        self._values: Deque[Tuple[Any, int]] = deque()
        self._count, self._bytes = FIRST_COUNT, FIRST_BYTES
        self._read, self._read_bytes = 0, 0
        self._waiter: Optional[asyncio.Future[None]] = None
        self.ended = False
        self._error: Optional[BaseException] = None
        #: What the generator returned.
        self.returned: Any = None

    def push(self, value: Any, size: int) -> None:
        if self._count <= 0 or self._bytes <= 0:
            raise BadFrame("a value of a stream without credit")
        self._count -= 1
        self._bytes -= size
        if not self.ended:
            self._values.append((value, size))
            self._wake()

    def end(self, value: Any = None, error: Optional[BaseException] = None) -> None:
        if not self.ended:
            self.ended, self.returned, self._error = True, value, error
            self._wake()

    def leave(self, late: bool = False) -> None:
        """Nobody reads any more."""
        self._values.clear()
        if not self.ended:
            self.ended = True
            self._give_up(late)
            self._wake()

    async def next(self, seconds: Optional[float] = None) -> Any:
        """Raises StopAsyncIteration at the end, and the error of the stream after the values before it."""
        while not self._values:
            if self.ended:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            if self._waiter:
                raise RuntimeError("two readers wait for one stream; let one of them read")
            self._waiter = asyncio.get_running_loop().create_future()
            timer = None if seconds is None else self._waiter.get_loop().call_later(seconds, self._late, seconds)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer:
                    timer.cancel()
        value, size = self._values.popleft()
        self._read += 1
        self._read_bytes += size
        if not self.ended and (self._read * 2 >= FIRST_COUNT or self._read_bytes * 2 >= FIRST_BYTES):
            self._count += self._read
            self._bytes += self._read_bytes
            self._credit(self._read, self._read_bytes)
            self._read = self._read_bytes = 0
        return value

    def _late(self, seconds: float) -> None:
        self.leave(True)
        self._error = NetError("DEADLINE_EXCEEDED", "yes", f"the stream was silent for {seconds:g} s")

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


class Stream(AsyncIterator[Any]):
    """Values from another process, for `async for`.

    Leaving the loop ends the generator there as soon as nothing here holds the stream any more. `await stream.aclose()`, or
    `async with`, ends it at once. `returned` is what the generator returned, once it has ended.
    """

    def __init__(self, inflow: Inflow, seconds: Optional[float] = None) -> None:
        self._inflow = inflow
        self._seconds = seconds

    @property
    def returned(self) -> Any:
        return self._inflow.returned

    async def __anext__(self) -> Any:
        return await self._inflow.next(self._seconds)

    async def aclose(self) -> None:
        self._inflow.leave()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._inflow.leave()

    def __del__(self) -> None:
        self._inflow.leave()


class Outflow:
    """Values that go out, as far as there is credit."""

    def __init__(self) -> None:
        self._count, self._bytes = FIRST_COUNT, FIRST_BYTES
        self._more = asyncio.Event()
        self.task: Optional[asyncio.Task[None]] = None

    def credit(self, count: int, size: int) -> None:
        self._count += count
        self._bytes += size
        self._more.set()

    async def pump(self, source: Any, send: Callable[[Any], int], room: Callable[[], Any]) -> Any:
        """Sends all values of the source. Returns what a plain generator returned."""
        values = aiter_of(source)
        try:
            while True:
                while self._count <= 0 or self._bytes <= 0:
                    self._more.clear()
                    await self._more.wait()
                await room()
                try:
                    value = await values.__anext__()
                except StopAsyncIteration:
                    return getattr(values, "returned", None)
                self._bytes -= send(value)
                self._count -= 1
        finally:
            close = getattr(values, "aclose", None)
            if close:
                await close()


class _Plain(AsyncIterator[Any]):
    """A plain iterator. Others get a turn between its values."""

    returned: Any = None

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values

    async def __anext__(self) -> Any:
        await asyncio.sleep(0)
        try:
            return next(self._values)
        except StopIteration as end:
            self.returned = end.value
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        close = getattr(self._values, "close", None)
        if close:
            close()


def aiter_of(source: Any) -> Union[AsyncIterator[Any], _Plain]:
    return source.__aiter__() if hasattr(type(source), "__aiter__") else _Plain(iter(source))


def is_stream(value: Any) -> bool:
    """Whether a function that returns this returns a stream: an async iterable, or a generator."""
    # Asked of the class, as `async for` does: attributes of the value itself are the user's code, and may raise anything.
    return type(value) is GeneratorType or hasattr(type(value), "__aiter__")


def is_awaitable(value: Any) -> bool:
    return type(value) is CoroutineType or hasattr(type(value), "__await__")
