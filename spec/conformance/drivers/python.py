"""Drives `clients/python`. Commands come in as lines of JSON, answers and notices go out. README.md says what each does."""

import array
import asyncio
import datetime
import json
import sys
from pathlib import Path
from typing import Any, Dict

sys.path.insert(0, str(Path(__file__).parents[3] / "clients/python"))

import app_net  # noqa: E402
from app_net import NetError, Peer, RemoteError, Thrown, current  # noqa: E402
from app_net.decode import TYPECODES, make_bigint  # noqa: E402
from app_net.encode import bytes_of, cause_of, digits, error_parts  # noqa: E402

KINDS = ["undefined", "number", "bigint", "date", "invalidDate", "regexp", "url", "set", "map", "error", "bytes", "buffer"]
CAPABILITIES = ["directory", "address", "listen", "call", "serve", "kwargs.call", "kwargs.serve", "functions", "meta", "caller",
                "throw", "deadline", "cancel", "streams.read", "streams.serve", "arguments.send", "arguments.serve",
                "events.hear", "events.emit", "events.gap", "presence", "unsendable", "none",
                *(f"values.{kind}" for kind in KINDS)]


def write(line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def tell(value: Any) -> Any:
    if value is app_net.UNDEFINED:
        return {"$": "undefined"}
    if isinstance(value, app_net.BigInt):
        return {"$": "bigint", "text": digits(value)}
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return {"$": "number", "text": "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"}
        return {"$": "number", "text": "-0"} if str(value) == "-0.0" else value
    if isinstance(value, datetime.datetime):
        return {"$": "date", "text": value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"}
    if value is app_net.INVALID_DATE:
        return {"$": "date", "text": "Invalid Date"}
    if isinstance(value, app_net.RegExp):
        return {"$": "regexp", "source": value.source, "flags": value.flags}
    if isinstance(value, app_net.URL):
        return {"$": "url", "text": str(value)}
    if isinstance(value, set):
        return {"$": "set", "items": [tell(each) for each in sorted(value, key=repr)]}
    if isinstance(value, app_net.Map):
        return {"$": "map", "entries": [[tell(key), tell(each)] for key, each in value.items()]}
    if isinstance(value, BaseException):
        return {"$": "error", **tell_error(value)}
    data, kind = bytes_of(value)
    if data is not None:
        return {"$": "bytes", "kind": kind, "hex": data.hex()}
    if isinstance(value, (list, tuple)):
        return [tell(each) for each in value]
    return {key: tell(each) for key, each in value.items()} if isinstance(value, dict) else value


def tell_error(error: BaseException) -> Dict[str, Any]:
    parts = error_parts(error)
    told = {key: tell(parts[key]) for key in ("name", "message", "code", "properties") if key in parts}
    cause = cause_of(error)
    return told if cause is None else {**told, "cause": tell(cause)}


def understand(told: Any) -> Any:
    if isinstance(told, list):
        return [understand(each) for each in told]
    if not isinstance(told, dict):
        return told
    if "$" not in told:
        return {key: understand(each) for key, each in told.items()}
    return MAKE[told["$"]](told)


def make_bytes(told: Any) -> Any:
    data, kind = bytes.fromhex(told["hex"]), told["kind"]
    if kind == "Uint8Array":
        return data
    return array.array(TYPECODES[kind], data) if kind in TYPECODES else app_net.Bytes(data, kind)


def make_error(told: Any) -> Any:
    error = RemoteError(told["message"])
    error.name, error.message, error.classes = told["name"], told["message"], (told["name"],)
    error.code = understand(told.get("code"))
    error.properties = understand(told.get("properties", {}))
    error.__cause__ = understand(told.get("cause"))
    return error


MAKE = {
    "undefined": lambda told: app_net.UNDEFINED,
    "number": lambda told: float(told["text"].replace("Infinity", "inf")),
    "bigint": lambda told: make_bigint(told["text"]),
    "date": lambda told: app_net.INVALID_DATE if told["text"] == "Invalid Date" else
    datetime.datetime.fromisoformat(told["text"].replace("Z", "+00:00")),
    "regexp": lambda told: app_net.RegExp(told["source"], told["flags"]),
    "url": lambda told: app_net.URL(told["text"]),
    "set": lambda told: {understand(each) for each in told["items"]},
    "map": lambda told: app_net.Map((understand(key), understand(each)) for key, each in told["entries"]),
    "bytes": make_bytes,
    "error": make_error,
    "stream": lambda told: counted(told["count"], told.get("fails")),
}


async def counted(count: Any, fails: Any) -> Any:
    driver.sent = 0
    async for each in count_to(count, fails):
        driver.sent += 1
        yield each


async def count_to(count: Any, fails: Any = None) -> Any:
    at = 0
    while count is None or at < count:
        yield at
        at += 1
        if at % 16 == 0:
            await asyncio.sleep(0)
    if fails:
        raise ValueError(fails)


class OutOfPaper(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.tray, self.code = 7, "E_PAPER"


class Driver:
    def __init__(self) -> None:
        self.peer: Any = None
        self.calls: Dict[str, Any] = {}
        self.streams: Dict[str, Any] = {}
        self.subscriptions: Dict[str, Any] = {}
        self.sent = self.produced = 0
        self.released = asyncio.Event()

    def find(self, id: str) -> Any:
        found = [peer for peer in self.peer.peers if peer.id == id]
        if not found:
            raise NetError("NOT_SENT", "no", f"no peer has the id {id}")
        return found[0]

    async def describe(self, command: Any) -> Any:
        return {"implementation": "clients/python", "capabilities": CAPABILITIES}

    async def start(self, command: Any) -> Any:
        address = command.get("address")
        self.peer = Peer(name=command.get("name"), id=command.get("own"), runtime_dir=command.get("directory"), secret=command.get("secret"),
                         seeds=[address] if address else [])
        self.peer.on("join", lambda peer: write({"notice": "joined", "peer": peer.id, "name": peer.name}))
        self.peer.on("leave", lambda peer, why: write({"notice": "left", "peer": peer.id, "why": why}))
        await self.peer.start()
        return self.peer.id

    async def peers(self, command: Any) -> Any:
        return [{"id": peer.id, "name": peer.name, "functions": sorted(peer.functions)} for peer in self.peer.peers]

    async def call(self, command: Any) -> Any:
        function = self.find(command["peer"]).function(command["tag"], deadline=seconds(command), meta=command.get("meta"))
        args = [understand(each) for each in command.get("args", [])]
        task = asyncio.ensure_future(function(*args, **understand(command.get("kwargs", {}))))
        self.calls[command.get("key", "")] = task
        return tell(await task)

    async def cancel(self, command: Any) -> None:
        self.calls[command["key"]].cancel()

    async def open(self, command: Any) -> None:
        function = self.find(command["peer"]).function(command["tag"], deadline=seconds(command))
        self.streams[command["key"]] = await function(*[understand(each) for each in command.get("args", [])])

    async def read(self, command: Any) -> Any:
        stream, values = self.streams[command["key"]], []
        while len(values) < command["count"]:
            try:
                values.append(tell(await stream.__anext__()))
            except StopAsyncIteration:
                return {"values": values, "ended": True, "returned": tell(stream.returned)}
        return {"values": values, "ended": False}

    async def leave(self, command: Any) -> None:
        await self.streams[command["key"]].aclose()

    async def sent_(self, command: Any) -> int:
        return self.sent

    async def subscribe(self, command: Any) -> None:
        event = command["event"]
        self.subscriptions[event] = self.peer.subscribe(
            event,
            lambda each: write({"notice": "event", "event": each.name, "peer": each.peer.id, "sequence": each.sequence,
                                "value": tell(app_net.UNDEFINED if each.value is None else each.value)}),
            on_gap=lambda gap, peer: write({"notice": "gap", "event": event, "why": gap.why, "missed": gap.missed}))

    async def unsubscribe(self, command: Any) -> None:
        self.subscriptions[command["event"]].unsubscribe()

    async def emit(self, command: Any) -> int:
        return self.peer.emit(command["event"], understand(command["value"]))

    async def subscribers(self, command: Any) -> int:
        return len(await self.peer.subscribers(command["event"], 0))

    async def connect(self, command: Any) -> None:
        self.peer.connect(command["tag"], lambda: command["tag"])

    async def disconnect(self, command: Any) -> None:
        self.peer.disconnect(command["tag"])

    async def stop(self, command: Any) -> None:
        await self.peer.stop()
        asyncio.get_running_loop().call_later(0.01, ended.set)

    async def serve(self, command: Any) -> None:
        def fail() -> None:
            raise OutOfPaper("no paper") from ValueError("jam")

        def throw(value: Any) -> None:
            raise Thrown(value)

        async def slow(ms: float, value: Any) -> Any:
            await asyncio.sleep(ms / 1000)
            return value

        async def hang() -> None:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                write({"notice": "cancelled", "tag": "std.hang"})
                raise

        async def count(to: Any, fails: Any = None) -> Any:
            self.produced = 0
            try:
                async for each in count_to(to, fails):
                    self.produced += 1
                    yield each
            finally:
                write({"notice": "ended", "tag": "std.count"})

        async def sum_of(values: Any) -> int:
            total = 0
            async for each in values:
                total += each
            return total

        async def first(values: Any) -> Any:
            async for each in values:
                return each

        async def hold(values: Any) -> int:
            await self.released.wait()
            total = 0
            async for _ in values:
                total += 1
                if total == 100:
                    break
            return total

        functions: Dict[str, Any] = {
            "echo": lambda value: value, "all": lambda *args: list(args),
            "named": lambda first, *given, **options: [first, given[0] if given else options],
            "nothing": lambda: None, "fail": fail, "throw": throw, "unsendable": lambda: {"inner": lambda: None},
            "slow": slow, "hang": hang, "count": count, "produced": lambda: self.produced, "sum": sum_of, "first": first,
            "hold": hold, "release": self.released.set, "meta": lambda: current().meta, "caller": lambda: current().caller.id}
        for name, fn in functions.items():
            self.peer.connect(f"std.{name}", fn)


def seconds(command: Any) -> Any:
    return command["deadline"] / 1000 if "deadline" in command else None


def failed(error: BaseException) -> Any:
    if isinstance(error, NetError):
        return {"failure": {"code": error.code, "ran": error.ran}}
    if isinstance(error, Thrown):
        return {"thrown": tell(error.value)}
    return {"aborted": True} if isinstance(error, asyncio.CancelledError) else {"error": tell_error(error)}


async def run(command: Any) -> None:
    try:
        name = "sent_" if command["do"] == "sent" else command["do"]
        write({"id": command["id"], "done": await getattr(driver, name)(command)})
    except (Exception, asyncio.CancelledError) as error:
        write({"id": command["id"], "failed": failed(error)})


async def main() -> None:
    global driver, ended
    driver, ended = Driver(), asyncio.Event()
    reader = asyncio.StreamReader(limit=2**26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def read() -> None:
        tasks = set()
        try:
            while True:
                line = await reader.readline()
                if not line:
                    return
                task = loop.create_task(run(json.loads(line)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        finally:
            ended.set()

    reading = loop.create_task(read())
    await ended.wait()
    if reading.done():
        reading.result()
    reading.cancel()


asyncio.run(main())
