import asyncio
import time
from typing import Any, AsyncIterator, Iterator, List

from app_net import NetError, Peer, RemoteError, Thrown, current, register_error

from .support import PeersTestCase, eventually


class OutOfPaper(Exception):
    def __init__(self, tray: int, printer: str) -> None:
        super().__init__(f"tray {tray} of {printer} is empty")
        self.tray = tray


class Calls(PeersTestCase):
    async def test_a_function_is_called_with_arguments_and_names(self) -> None:
        def prepare(peer: Peer) -> None:
            @peer.connect("resize")
            def resize(image: str, *, width: int = 100) -> Any:
                return [image, width]

        callee, _, _ = await self.two(prepare)
        self.assertEqual(await callee.call("resize", "cat"), ["cat", 100])
        self.assertEqual(await callee.call("resize", "cat", width=200), ["cat", 200])
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'height'"):
            await callee.call("resize", "cat", height=1)

    async def test_it_answers_pings_and_does_not_list_them(self) -> None:
        callee, _, _ = await self.two()
        await callee.call("net.ping")
        self.assertEqual(list(callee.functions), [])
        with self.assertRaisesRegex(NetError, "there is no function net.info here") as refused:
            await callee.call("net.info")
        self.assertEqual(refused.exception.code, "NO_SUCH_TAG")

    async def test_errors_are_raised_as_their_classes(self) -> None:
        register_error(OutOfPaper)

        def prepare(peer: Peer) -> None:
            @peer.connect("fail")
            def fail(kind: str) -> None:
                if kind == "own":
                    raise OutOfPaper(7, "laser")
                if kind == "thrown":
                    raise Thrown({"not": "an error"})
                if kind == "exit":
                    raise SystemExit(3)
                try:
                    {}["missing"]
                except KeyError as error:
                    raise ValueError("bad") from error

        callee, _, _ = await self.two(prepare)
        with self.assertRaises(OutOfPaper) as own:
            await callee.call("fail", "own")
        self.assertIsInstance(own.exception, RemoteError)
        self.assertEqual((str(own.exception), own.exception.tray), ("tray 7 of laser is empty", 7))
        with self.assertRaises(ValueError) as built_in:
            await callee.call("fail", "other")
        assert isinstance(built_in.exception, RemoteError)
        self.assertIsInstance(built_in.exception.__cause__, KeyError)
        self.assertIn("in fail", built_in.exception.stack or "")
        with self.assertRaises(Thrown) as thrown:
            await callee.call("fail", "thrown")
        self.assertEqual(thrown.exception.value, {"not": "an error"})
        with self.assertRaises(RemoteError) as ended:
            await callee.call("fail", "exit")
        self.assertEqual(ended.exception.name, "SystemExit")

    async def test_calls_that_fail_say_whether_they_ran(self) -> None:
        def prepare(peer: Peer) -> None:
            peer.connect("unsendable", lambda: object())
            peer.connect("hang", lambda: asyncio.sleep(100))

        callee, caller, _ = await self.two(prepare)
        for tag, code, ran in [("hangs", "NO_SUCH_TAG", "no"), ("unsendable", "NOT_SERIALIZABLE", "yes"),
                               ("hang", "DEADLINE_EXCEEDED", "unknown")]:
            with self.assertRaises(NetError) as raised:
                await callee.function(tag, deadline=0.1)()
            self.assertEqual((raised.exception.code, raised.exception.ran), (code, ran))
        with self.assertRaisesRegex(NetError, "there is hang"):
            await callee.call("hangs")
        with self.assertRaisesRegex(NetError, r"args\[0\].fn is a function"):
            await callee.call("hang", {"fn": print})

    async def test_cancelling_the_task_cancels_the_function(self) -> None:
        events: List[Any] = []

        def prepare(peer: Peer) -> None:
            @peer.connect("hang")
            async def hang() -> None:
                context = current()
                assert context
                events.append((context.caller.name, context.meta, context.deadline))
                try:
                    await asyncio.sleep(100)
                except asyncio.CancelledError:
                    events.append("cancelled")
                    raise

        callee, _, _ = await self.two(prepare)
        task = asyncio.ensure_future(callee.function("hang", deadline=20, meta={"a": "b"})())
        await eventually(lambda: events)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        await eventually(lambda: len(events) == 2)
        name, meta, deadline = events[0]
        self.assertEqual((name, meta, events[1]), ("caller", {"a": "b"}, "cancelled"))
        self.assertAlmostEqual(deadline, 20, delta=1)
        self.assertIsNone(current())

    async def test_a_function_in_a_thread_leaves_the_event_loop_free(self) -> None:
        def prepare(peer: Peer) -> None:
            @peer.connect("block", thread=True)
            def block(seconds: float) -> Any:
                time.sleep(seconds)
                context = current()
                return context and context.caller.name

            peer.connect("quick", lambda: 1)

        callee, _, _ = await self.two(prepare)
        slow = asyncio.ensure_future(callee.call("block", 0.3))
        await asyncio.sleep(0)
        self.assertEqual(await callee.call("quick"), 1)
        self.assertFalse(slow.done())
        self.assertEqual(await slow, "caller")

    async def test_calls_wait_for_room_and_are_all_answered(self) -> None:
        async def slow(number: int) -> int:
            await asyncio.sleep(0.01)
            return number

        callee, _, _ = await self.two(lambda peer: peer.connect("slow", slow))
        answers = await asyncio.gather(*(callee.call("slow", number) for number in range(3000)))
        self.assertEqual(answers, list(range(3000)))

    async def test_a_call_that_waits_for_room_can_be_cancelled_and_can_be_late(self) -> None:
        def prepare(peer: Peer) -> None:
            peer.connect("hang", lambda: asyncio.sleep(100))
            peer.connect("echo", lambda value: value)

        callee, _, _ = await self.two(prepare)
        hanging = [asyncio.ensure_future(callee.call("hang")) for _ in range(1024)]
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(callee.call("hang"))
        with self.assertRaises(NetError) as late:
            await callee.function("hang", deadline=0.05)()
        self.assertEqual((late.exception.code, late.exception.ran), ("DEADLINE_EXCEEDED", "no"))
        waiting.cancel()
        for each in hanging:
            each.cancel()
        await asyncio.gather(waiting, *hanging, return_exceptions=True)
        self.assertEqual(await callee.call("echo", 1), 1)

    async def test_a_function_can_be_called_by_those_that_it_was_called_by(self) -> None:
        def prepare(peer: Peer) -> None:
            @peer.connect("back")
            async def back(number: int) -> Any:
                context = current()
                assert context
                return await context.caller.call("double", number)

        callee, caller, _ = await self.two(prepare)
        caller.connect("double", lambda number: number * 2)
        self.assertEqual(await callee.call("back", 21), 42)


class Streams(PeersTestCase):
    async def test_generators_are_streams_plain_and_async(self) -> None:
        def plain(count: int) -> Iterator[int]:
            yield from range(count)
            return "end"

        async def swift(count: int) -> AsyncIterator[int]:
            for each in range(count):
                yield each
            raise ValueError("torn")

        def prepare(peer: Peer) -> None:
            peer.connect("plain", plain)
            peer.connect("swift", swift)
            peer.connect("number", lambda: 1)

        callee, _, _ = await self.two(prepare)
        self.assertEqual([each async for each in callee.stream("plain", 200)], list(range(200)))
        stream = await callee.call("plain", 1)
        self.assertEqual(([each async for each in stream], stream.returned), ([0], "end"))
        got = []
        with self.assertRaisesRegex(ValueError, "torn"):
            async for each in callee.stream("swift", 100):
                got.append(each)
        self.assertEqual(got, list(range(100)))
        with self.assertRaisesRegex(TypeError, "returned no stream"):
            async for _ in callee.stream("number"):
                pass

    async def test_leaving_the_loop_ends_the_generator(self) -> None:
        state = {"at": 0, "ended": 0}

        async def endless() -> AsyncIterator[int]:
            try:
                while True:
                    state["at"] += 1
                    yield state["at"]
            finally:
                state["ended"] += 1

        callee, _, _ = await self.two(lambda peer: peer.connect("endless", endless))
        async for each in callee.stream("endless"):
            if each == 100:
                break
        await eventually(lambda: state["ended"] == 1)
        stream = await callee.call("endless")
        del stream
        await eventually(lambda: state["ended"] == 2)
        async with await callee.call("endless") as stream:
            await stream.__anext__()
        await eventually(lambda: state["ended"] == 3)

    async def test_a_slow_reader_makes_the_source_wait(self) -> None:
        state = {"at": 0}

        async def endless() -> AsyncIterator[bytes]:
            while True:
                state["at"] += 1
                yield b"x" * 100_000

        callee, _, _ = await self.two(lambda peer: peer.connect("endless", endless))
        stream = await callee.call("endless")
        await eventually(lambda: state["at"] > 10)
        await asyncio.sleep(0.1)
        self.assertLess(state["at"], 15)  # 1 MiB of pieces of 100 kB
        for _ in range(100):
            self.assertEqual(len(await stream.__anext__()), 100_000)
        await stream.aclose()

    async def test_a_stream_that_is_silent_is_late(self) -> None:
        async def silent() -> AsyncIterator[int]:
            yield 1
            await asyncio.sleep(100)

        callee, _, _ = await self.two(lambda peer: peer.connect("silent", silent))
        got = []
        with self.assertRaises(NetError) as raised:
            async for each in callee.function("silent", deadline=0.1).stream():
                got.append(each)
        self.assertEqual((got, raised.exception.code, raised.exception.ran), ([1], "DEADLINE_EXCEEDED", "yes"))

    async def test_arguments_are_streams_and_their_errors_fail_the_call(self) -> None:
        async def total(numbers: Any) -> int:
            return sum([each async for each in numbers])

        async def first(numbers: Any) -> Any:
            return await numbers.__anext__()

        async def given(count: int) -> AsyncIterator[int]:
            for each in range(count):
                yield each
            if count == 7:
                raise LookupError("torn")

        def prepare(peer: Peer) -> None:
            peer.connect("total", total)
            peer.connect("first", first)

        callee, _, _ = await self.two(prepare)
        self.assertEqual(await callee.call("total", given(1000)), 499_500)
        self.assertEqual(await callee.call("total", (each for each in range(10))), 45)
        self.assertEqual(await callee.call("first", given(100_000)), 0)
        with self.assertRaisesRegex(LookupError, "torn"):
            await callee.call("total", given(7))


class Lost(PeersTestCase):
    async def test_a_peer_that_stops_answers_what_it_has_begun_and_takes_no_more(self) -> None:
        async def slow() -> str:
            await asyncio.sleep(0.1)
            return "done"

        callee, caller, other = await self.two(lambda peer: peer.connect("slow", slow))
        left: List[Any] = []
        caller.on("leave", lambda peer, why: left.append((peer.name, why)))
        task = asyncio.ensure_future(callee.call("slow"))
        await asyncio.sleep(0.02)
        await other.stop()
        self.assertEqual((await task, left), ("done", [("callee", "stopped")]))
        with self.assertRaises(NetError) as raised:
            await callee.call("slow")
        self.assertEqual((raised.exception.code, raised.exception.ran), ("NOT_SENT", "no"))

    async def test_what_waits_when_this_peer_stops_fails(self) -> None:
        callee, caller, _ = await self.two(lambda peer: peer.connect("hang", lambda: asyncio.sleep(100)))
        calling = asyncio.ensure_future(callee.call("hang"))
        waiting = asyncio.ensure_future(caller.ready(has="nothing"))
        await asyncio.sleep(0.05)
        await caller.stop()
        with self.assertRaisesRegex(NetError, "STOPPED"):
            await waiting
        with self.assertRaisesRegex(NetError, "CONNECTION_LOST"):
            await calling
        with self.assertRaisesRegex(NetError, "start it first"):
            await caller.ready()

    async def test_a_connection_that_breaks_is_dialled_again_and_nobody_leaves(self) -> None:
        def prepare(peer: Peer) -> None:
            peer.connect("echo", lambda value: value)
            peer.connect("hang", lambda: asyncio.sleep(100))

        callee, caller, _ = await self.two(prepare)
        left: List[Any] = []
        caller.on("leave", lambda *args: left.append(args))
        for _ in range(5):
            hanging = asyncio.ensure_future(callee.call("hang"))
            await callee.call("echo", 1)
            for link in callee.links:
                link.abort()
            with self.assertRaises(NetError) as raised:
                await hanging
            self.assertEqual((raised.exception.code, raised.exception.ran), ("CONNECTION_LOST", "unknown"))
            self.assertEqual(await callee.call("echo", 2), 2)
        self.assertEqual(left, [])
