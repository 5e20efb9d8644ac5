"""The calls that this side makes over one link."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Sequence, Tuple, Union

from .encode import is_plain, to_json
from .decode import error_of_frame
from .errors import BadFrame, NetError, Thrown
from .frames import Line, error_line, line_of, text_of, value_line, whole
from .kinds import UNDEFINED
from .streams import Inflow, Outflow, Stream, is_stream
from .writer import Writer

#: Calls to one peer that may wait for room.
MOST_WAITING = 10_000


class Elsewhere(Exception):
    """Nothing of the call was sent, and nothing more is sent here. Another link may take it."""


class Calls:
    def __init__(self, writer: Writer, peer: str, most: int) -> None:
        self._writer = writer
        self._peer = peer
        self._most = most
        self._id = 0
        self._loop = asyncio.get_running_loop()
        #: What waits for the answer: a future, or a stream that has begun. One that was given up stays until it is answered.
        self._pending: Dict[int, Union[asyncio.Future[Any], Inflow]] = {}
        #: Arguments that are streams, by the id of the call and the position.
        self._given: Dict[Tuple[int, int], Outflow] = {}
        self._tags: Dict[int, Tuple[str, float]] = {}
        self._room: Deque[asyncio.Future[bool]] = deque()
        #: Calls that were given room and have not gone on yet.
        self._granted = 0
        self._deadlines: Deque[Tuple[float, int]] = deque()
        self._timer: Optional[asyncio.TimerHandle] = None
        #: No new calls go here.
        self._over = False

    @property
    def idle(self) -> bool:
        return not self._pending

    async def call(self, tag: str, args: Sequence[Any], kwargs: Dict[str, Any], seconds: float, until: float,
                   beside: Dict[str, Any]) -> Any:
        """`until` is the end of the deadline of `seconds`. Raises Elsewhere if the link ends before anything was sent."""
        if len(self._pending) + self._granted >= self._most or self._room:
            await self._wait(tag, until)
        if self._over:
            raise Elsewhere
        id = self._id + 1
        streams = [index for index, each in enumerate(args) if is_stream(each)]
        line = self._line(id, tag, args, kwargs, until - self._loop.time(), beside, streams)
        if not self._writer.fits(line):
            raise NetError("TOO_LARGE", "no", f"the arguments are larger than the {self._writer.most} bytes that the peer "
                           "takes in one message; send a stream", peer=self._peer, tag=tag)
        self._id = id
        future = self._pending[id] = self._loop.create_future()
        self._tags[id] = tag, seconds
        self._writer.send(line)
        for index in streams:
            self._give(id, index, args[index], future)
        self._expect(id, until)
        try:
            return await future
        except asyncio.CancelledError:
            self._give_up(id, False)
            raise

    def _line(self, id: int, tag: str, args: Sequence[Any], kwargs: Dict[str, Any], seconds: float, beside: Dict[str, Any],
              streams: List[int]) -> Line:
        head = f'{{"type":"request","id":{id},"tag":{text_of(tag)},"deadline":{max(0, int(seconds * 1000))}'
        for key, value in beside.items():
            head += f',"{key}":{to_json(value)}'
        if streams:
            head += f',"streams":{to_json(streams)}'
            args = [None if index in streams else each for index, each in enumerate(args)]
        if not kwargs and is_plain(args):
            return f'{head},"args":{to_json(args)}}}', []
        return line_of(head, {"args": args, "kwargs": kwargs} if kwargs else {"args": args})

    async def _wait(self, tag: str, until: float) -> None:
        """For room. A call takes the room of one that was answered, in order."""
        if len(self._room) >= MOST_WAITING:
            raise NetError("OVERLOADED", "no", f"{MOST_WAITING} calls to {self._peer} wait here already", tag=tag)
        future = self._loop.create_future()
        self._room.append(future)
        timer = self._loop.call_at(until, lambda: None if future.done() else future.set_result(False))
        try:
            if await future:
                self._granted -= 1
                return
        except asyncio.CancelledError:
            if not future.cancelled() and future.result():
                self._granted -= 1
                self._next()
            raise
        finally:
            timer.cancel()
        raise NetError("DEADLINE_EXCEEDED", "no", "the deadline passed before there was room for the call",
                       peer=self._peer, tag=tag)

    def _next(self) -> None:
        while self._room and (self._over or len(self._pending) + self._granted < self._most):
            future = self._room.popleft()
            if not future.done():
                self._granted += 1
                future.set_result(True)

    def _give(self, id: int, arg: int, source: Any, future: asyncio.Future[Any]) -> None:
        outflow = self._given[id, arg] = Outflow()
        head = f'"id":{id},"arg":{arg}'

        def send(value: Any) -> int:
            line = value_line(f'{{"type":"next",{head}', value, f"a value of args[{arg}]")
            if not self._writer.fits(line):
                raise NetError("TOO_LARGE", "unknown", f"a value of args[{arg}] is larger than one message may be")
            self._writer.send(line)
            return len(line[0]) + sum(map(len, line[1]))

        async def pump() -> None:
            try:
                returned = await outflow.pump(source, send, self._writer.room)
                self._writer.send(value_line(f'{{"type":"complete",{head}', returned, f"the end of args[{arg}]"))
            except Exception as error:
                self._writer.send(error_line(f'{{"type":"error",{head}', error))
                if not future.done():
                    future.set_exception(error)
                    self._give_up(id, False)

        outflow.task = self._loop.create_task(pump())

    def _give_up(self, id: int, late: bool) -> None:
        if id in self._pending:
            self._writer.send((f'{{"type":"cancel","id":{id}}}' if not late else f'{{"type":"cancel","id":{id},"late":true}}', []))

    # Deadlines. Most calls have the same, so that theirs come in order: one timer for all of these.

    def _expect(self, id: int, until: float) -> None:
        deadlines = self._deadlines
        while deadlines and deadlines[0][1] not in self._pending:
            deadlines.popleft()
        if deadlines and until < deadlines[-1][0]:
            self._loop.call_at(until, self._expire, id)
            return
        deadlines.append((until, id))
        if self._timer is None or self._timer.when() > until:
            if self._timer:
                self._timer.cancel()
            self._timer = self._loop.call_at(until, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._deadlines:
            until, id = self._deadlines[0]
            if id in self._pending and until > now:
                self._timer = self._loop.call_at(until, self._tick)
                return
            self._deadlines.popleft()
            self._expire(id)

    def _expire(self, id: int) -> None:
        future = self._pending.get(id)
        if isinstance(future, asyncio.Future) and not future.done():
            tag, seconds = self._tags[id]
            future.set_exception(NetError("DEADLINE_EXCEEDED", "unknown", f"no answer within {seconds:g} s",
                                          peer=self._peer, tag=tag))
            self._give_up(id, True)

    # Frames of the other side.

    def result(self, frame: Dict[str, Any]) -> None:
        id = frame["id"]
        future = self._pending.get(id)
        if not isinstance(future, asyncio.Future):
            raise BadFrame("an answer to nothing")
        if frame.get("stream") is True:
            self._begin(id, future)
            return
        self._answered(id)
        if not future.done():
            if "unreadable" in frame:
                future.set_exception(self._unreadable(frame, id))
            else:
                future.set_result(frame.get("value"))

    def _unreadable(self, frame: Dict[str, Any], id: int) -> NetError:
        return NetError("NOT_SERIALIZABLE", "yes", f"the answer holds {frame['unreadable']}", peer=self._peer)

    def _begin(self, id: int, future: asyncio.Future[Any]) -> None:
        inflow = Inflow(
            lambda count, size: self._writer.send((f'{{"type":"credit","id":{id},"count":{count},"bytes":{size}}}', [])),
            lambda late: self._give_up(id, late),
        )
        self._pending[id] = inflow
        if future.done():
            inflow.ended = True
        else:
            future.set_result(Stream(inflow, self._tags[id][1]))

    def error(self, frame: Dict[str, Any]) -> None:
        id = frame["id"]
        pending = self._pending.get(id)
        if pending is None:
            raise BadFrame("an answer to nothing")
        error = self._unreadable(frame, id) if "unreadable" in frame else error_of(frame, self._peer, self._tags[id][0])
        self._answered(id)
        if isinstance(pending, Inflow):
            if isinstance(error, NetError):
                error.ran = "yes"
            pending.end(error=error)
        elif not pending.done():
            pending.set_exception(error)

    def value(self, frame: Dict[str, Any], size: int) -> None:
        inflow = self._stream(frame)
        if "unreadable" in frame:
            inflow.end(error=self._unreadable(frame, frame["id"]))
            self._give_up(frame["id"], False)
        else:
            inflow.push(frame.get("value"), size)

    def complete(self, frame: Dict[str, Any]) -> None:
        inflow = self._stream(frame)
        self._answered(frame["id"])
        inflow.end(frame.get("value"))

    def _stream(self, frame: Dict[str, Any]) -> Inflow:
        inflow = self._pending.get(whole(frame, "id"))
        if not isinstance(inflow, Inflow):
            raise BadFrame("a value of no stream")
        return inflow

    def credit(self, id: int, arg: int, count: int, size: int) -> None:
        if (id, arg) in self._given:
            self._given[id, arg].credit(count, size)

    def cancel(self, id: int, arg: int) -> None:
        """The other side reads this argument no more."""
        given = self._given.pop((id, arg), None)
        if given and given.task:
            given.task.cancel()

    def _answered(self, id: int) -> None:
        del self._pending[id]
        del self._tags[id]
        if self._given:
            for key in [key for key in self._given if key[0] == id]:
                self.cancel(*key)
        if self._room:
            self._next()

    def leave(self) -> None:
        """New calls go elsewhere."""
        self._over = True
        self._next()

    def refuse(self, last: int) -> None:
        """The other side stops. It has not taken the calls beyond `last`."""
        for id in [id for id in self._pending if id > last]:
            self._fail(id, NetError("REFUSED", "no", "the peer is stopping and did not take the call", peer=self._peer))

    def end(self, why: str) -> None:
        """The link is gone."""
        self.leave()
        if self._timer:
            self._timer.cancel()
        for id in list(self._pending):
            ran = "yes" if isinstance(self._pending[id], Inflow) else "unknown"
            message = f"the connection to {self._peer} was lost: {why}"
            self._fail(id, NetError("CONNECTION_LOST", ran, message, peer=self._peer, tag=self._tags[id][0]))

    def _fail(self, id: int, error: NetError) -> None:
        pending = self._pending[id]
        self._answered(id)
        if isinstance(pending, Inflow):
            pending.end(error=error)
        elif not pending.done():
            pending.set_exception(error)


def error_of(frame: Dict[str, Any], peer: str, tag: str) -> BaseException:
    """The exception that an `error` frame stands for."""
    if "error" in frame:
        return error_of_frame(frame["error"])
    if "thrown" in frame:
        if type(frame["thrown"]) is not dict:
            raise BadFrame("a malformed error")
        return Thrown(frame["thrown"].get("value", UNDEFINED))
    failure = frame.get("failure")
    if type(failure) is not dict or failure.get("ran") not in ("no", "yes", "unknown"):
        raise BadFrame("an error that says nothing")
    return NetError(str(failure.get("code")), failure["ran"], str(failure.get("message", "")), peer=peer, tag=tag)

