import asyncio
import os
import shutil
import tempfile
import unittest
from typing import Any, Callable, List

from app_net import Peer


async def eventually(check: Callable[[], Any], within: float = 15.0) -> None:
    """Waits until the check is true."""
    end = asyncio.get_running_loop().time() + within
    while not check():
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"not within {within} s")
        await asyncio.sleep(0.005)


class PeersTestCase(unittest.IsolatedAsyncioTestCase):
    """Peers that find each other in a directory of their own, and are stopped after the test."""

    def setUp(self) -> None:
        self.directory = tempfile.mkdtemp()
        self.peers: List[Peer] = []
        self.addCleanup(shutil.rmtree, self.directory)

    async def asyncTearDown(self) -> None:
        await asyncio.gather(*(peer.stop() for peer in self.peers))

    def make(self, **options: Any) -> Peer:
        peer = Peer(**{"runtime_dir": self.directory, "name": f"peer-{len(self.peers)}", "drain_time": 0.2, **options})
        self.peers.append(peer)
        return peer

    async def two(self, prepare: Callable[[Peer], Any] = lambda peer: None) -> Any:
        """The caller's view of the callee; and both peers. `prepare` connects functions of the callee."""
        callee, caller = self.make(name="callee"), self.make(name="caller")
        prepare(callee)
        await callee.start()
        await caller.start()
        return await caller.ready(name="callee"), caller, callee


os.environ.pop("APP_NET_SECRET_FILE", None)
