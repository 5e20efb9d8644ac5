"""The calls that the other side of one link makes here."""

from __future__ import annotations

import asyncio
import difflib
from contextvars import ContextVar
from types import CoroutineType
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from .calls import error_of
from .encode import message_of
from .errors import BadFrame, NetError, Thrown
from .frames import Line, error_line, failure_line, failure_of, thrown_line, value_line, whole, word
from .handshake import LIMITS
from .streams import Inflow, Outflow, Stream, is_awaitable, is_stream
from .writer import Writer


class Function(NamedTuple):
    call: Callable[..., Any]
    #: Runs in a thread, and leaves the event loop free.
    thread: bool


class Context(NamedTuple):
    """What a function can know of the call that it runs for."""

    caller: Any
    tag: str
    #: Seconds that the caller would still wait when the call came; None if it did not say.
    deadline: Optional[float]
    meta: Dict[str, Any]
    trace: Any


def _ping(*_args: Any, **_kwargs: Any) -> None:
    pass


#: What the library itself answers. It is not listed among the functions.
_OWN = {"net.ping": Function(_ping, False)}

_current: ContextVar[Optional[Context]] = ContextVar("app_net.current", default=None)


def current() -> Optional[Context]:
    """The call that this function runs for. None where it was called from here."""
    return _current.get()


class _Run:
    """One call that is not answered yet."""

    __slots__ = ("cancelled", "late", "outflow", "task")

    def __init__(self) -> None:
        self.task: Optional[asyncio.Task[Any]] = None
        self.outflow: Optional[Outflow] = None
        self.cancelled = False
        self.late = False


class Running:
    def __init__(self, writer: Writer, functions: Dict[str, Function], caller: Callable[[], Any],
                 idle: Callable[[], None]) -> None:
        self._writer = writer
        self._functions = functions
        self._caller = caller
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._runs: Dict[int, _Run] = {}
        self._given: Dict[Tuple[int, int], Inflow] = {}
        #: The highest id that was taken.
        self.last = 0
        #: Set once this side takes no more.
        self.refuses = False

    @property
    def idle(self) -> bool:
        return not self._runs

    def request(self, frame: Dict[str, Any]) -> None:
        id, tag = whole(frame, "id", 1), word(frame, "tag")
        args, kwargs, deadline = frame.get("args"), frame.get("kwargs", {}), frame.get("deadline")
        if id <= self.last or type(args) is not list or type(kwargs) is not dict:
            raise BadFrame("a malformed request")
        if self.refuses:
            return
        self.last = id
        if "streams" in frame:
            self._take(id, args, frame["streams"])
        function = self._functions.get(tag) or _OWN.get(tag)
        if "unreadable" in frame:
            self._fail(id, "BAD_REQUEST", "no", f"the request holds {frame['unreadable']}")
        elif len(self._runs) >= LIMITS["calls"]:
            self._fail(id, "OVERLOADED", "no", f"more than {LIMITS['calls']} calls of this peer run here")
        elif function is None:
            self._fail(id, "NO_SUCH_TAG", "no", self._no_such(tag))
        elif deadline == 0:
            self._fail(id, "DEADLINE_EXCEEDED", "no", "the deadline passed before the function could start")
        else:
            seconds = deadline / 1000 if isinstance(deadline, (int, float)) else None
            headers = frame.get("headers", {})
            context = Context(self._caller(), tag, seconds, headers if type(headers) is dict else {}, frame.get("trace") or None)
            token = _current.set(context)
            try:
                self._run(id, function, args, kwargs)
            finally:
                _current.reset(token)

    def _run(self, id: int, function: Function, args: Any, kwargs: Dict[str, Any]) -> None:
        try:
            if function.thread:
                value: Any = asyncio.to_thread(function.call, *args, **kwargs)
            else:
                value = function.call(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the function is the user's, and may raise anything
            self._threw(id, error)
            return
        if is_awaitable(value):
            run = self._runs[id] = _Run()
            run.task = self._loop.create_task(_awaited(value))
            run.task.add_done_callback(lambda task: self._settled(id, run, task))
            if type(value) is CoroutineType:  # one that was cancelled before it began would complain
                run.task.add_done_callback(lambda _: value.close())
        elif is_stream(value):
            self._stream(id, self._runs.setdefault(id, _Run()), value)
        else:
            self._answer(id, value)

    def _settled(self, id: int, run: _Run, task: asyncio.Task[Any]) -> None:
        if run.cancelled:
            if not task.cancelled():
                task.exception()  # so that nobody is told that it was not looked at
            self._give_up(id, run)
        elif task.cancelled():
            self._threw(id, asyncio.CancelledError("the function cancelled itself"))
        elif task.exception():
            self._threw(id, task.exception())  # type: ignore[arg-type]
        elif is_stream(task.result()):
            self._stream(id, run, task.result())
        else:
            self._answer(id, task.result())

    def _stream(self, id: int, run: _Run, source: Any) -> None:
        self._writer.send((f'{{"type":"result","id":{id},"stream":true}}', []))
        outflow = run.outflow = Outflow()

        def send(value: Any) -> int:
            line = value_line(f'{{"type":"next","id":{id}', value, "a value of the stream")
            if not self._writer.fits(line):
                raise NetError("TOO_LARGE", "yes", "a value of the stream is larger than one message may be")
            self._writer.send(line)
            return len(line[0]) + sum(map(len, line[1]))

        def ended(task: asyncio.Task[Any]) -> None:
            if run.cancelled:
                if not task.cancelled():
                    task.exception()
                self._give_up(id, run)
            elif task.cancelled():
                self._threw(id, asyncio.CancelledError("the function cancelled itself"))
            elif task.exception():
                self._threw(id, task.exception())  # type: ignore[arg-type]
            else:
                self._answer(id, task.result(), "complete")

        run.task = self._loop.create_task(_awaited(outflow.pump(source, send, self._writer.room)))
        run.task.add_done_callback(ended)

    # Answers. Each ends the call.

    def _answer(self, id: int, value: Any, kind: str = "result") -> None:
        try:
            line = value_line(f'{{"type":"{kind}","id":{id}', value, "the result")
        except NetError as error:
            line = failure_of(error, f'{{"type":"error","id":{id}', "yes")
        if not self._writer.fits(line):
            self._fail(id, "TOO_LARGE", "yes", f"the result is larger than the {self._writer.most} bytes that the caller takes")
        else:
            self._end(id, line)

    def _threw(self, id: int, error: BaseException) -> None:
        head = f'{{"type":"error","id":{id}'
        if isinstance(error, NetError) and error.code in ("NOT_SERIALIZABLE", "TOO_LARGE") and id in self._runs:
            line = failure_of(error, head, "yes")
        elif isinstance(error, Thrown):
            line = thrown_line(head, error)
        else:
            line = error_line(head, error)
        if not self._writer.fits(line):
            line = error_line(head, Exception(f"{type(error).__name__}: {message_of(error)[:1000]} (cut)"))
        self._end(id, line)

    def _fail(self, id: int, code: str, ran: str, message: str) -> None:
        self._end(id, failure_line(f'{{"type":"error","id":{id}', code, ran, message))

    def _give_up(self, id: int, run: _Run) -> None:
        code = "DEADLINE_EXCEEDED" if run.late else "CANCELLED"
        self._fail(id, code, "unknown", "the caller gave up")

    def _end(self, id: int, line: Line) -> None:
        self._runs.pop(id, None)
        if self._given:
            for key in [key for key in self._given if key[0] == id]:
                self._given.pop(key).end(error=NetError("CANCELLED", "unknown", "the call of this stream was answered"))
        self._writer.send(line)
        if not self._runs:
            self._idle()

    def _no_such(self, tag: str) -> str:
        near = difflib.get_close_matches(tag, list(self._functions)[:1000], 3)
        return f"there is no function {tag} here" + (f"; there is {', '.join(near)}" if near else "")

    # Arguments that are streams.

    def _take(self, id: int, args: Any, positions: Any) -> None:
        if type(positions) is not list or len(set(map(str, positions))) < len(positions):
            raise BadFrame("malformed streams of a request")
        for arg in positions:
            if type(arg) is not int or not 0 <= arg < len(args):
                raise BadFrame("malformed streams of a request")
            args[arg] = Stream(self._inflow(id, arg))

    def _inflow(self, id: int, arg: int) -> Inflow:
        head = f'"id":{id},"arg":{arg}'

        def give_up(late: bool) -> None:
            if self._given.get((id, arg)) is inflow:
                self._writer.send((f'{{"type":"cancel",{head}}}', []))

        inflow = self._given[id, arg] = Inflow(
            lambda count, size: self._writer.send((f'{{"type":"credit",{head},"count":{count},"bytes":{size}}}', [])), give_up)
        return inflow

    def value(self, frame: Dict[str, Any], size: int) -> None:
        inflow = self._given.get((whole(frame, "id"), whole(frame, "arg")))
        if inflow is None:
            return  # of a request that is answered
        if "unreadable" in frame:
            inflow.end(error=NetError("NOT_SERIALIZABLE", "no", f"the stream holds {frame['unreadable']}"))
        else:
            inflow.push(frame.get("value"), size)

    def given_ended(self, frame: Dict[str, Any]) -> None:
        inflow = self._given.get((whole(frame, "id"), whole(frame, "arg")))
        if inflow is None:
            return
        if frame["type"] == "error":
            inflow.end(error=error_of(frame, "the caller", ""))
        else:
            inflow.end(frame.get("value"))

    def credit(self, id: int, count: int, size: int) -> None:
        run = self._runs.get(id)
        if run and run.outflow:
            run.outflow.credit(count, size)

    def cancel(self, id: int, late: bool) -> None:
        run = self._runs.get(id)
        if run and run.task and not run.cancelled:
            run.cancelled, run.late = True, late
            run.task.cancel()

    def end(self, why: str) -> None:
        """The link is gone, and so is who would read the answers."""
        for run in list(self._runs.values()):
            run.cancelled = True
            if run.task:
                run.task.cancel()
        given, self._given = self._given, {}
        for inflow in given.values():
            inflow.end(error=NetError("CONNECTION_LOST", "unknown", why))


async def _awaited(value: Any) -> Any:
    """A task that raises SystemExit ends the event loop. A function that a peer called must not."""
    try:
        return await value
    except SystemExit as error:
        raise RuntimeError(f"the function tried to end the process: {error!r}") from error
