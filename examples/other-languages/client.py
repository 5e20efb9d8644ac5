#!/usr/bin/env python3
"""Calls a function of every peer of this host, and prints a line of JSON for each: its pid, and the value or the error.

    client.py <tag> [json args...] [--kwargs '{"a":1}']
"""
import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Dict

sys.path.insert(0, str(Path(__file__).parents[2] / "clients/python"))  # in a checkout it need not be installed

from app_net import NetError, Peer, RemoteError, RemotePeer  # noqa: E402


async def call(peer: RemotePeer, tag: str, args: Any, kwargs: Dict[str, Any]) -> Dict[str, Any]:
    try:
        return {"pid": peer.pid, "value": await peer.call(tag, *args, **kwargs)}
    except RemoteError as error:
        return {"pid": peer.pid, "error": {"name": error.name, "message": error.message}}
    except NetError as error:
        return {"pid": peer.pid, "error": {"code": error.code, "ran": error.ran, "message": str(error)}}


async def main() -> int:
    parser = argparse.ArgumentParser(description="Calls a function of every peer of this host.")
    parser.add_argument("tag")
    parser.add_argument("args", nargs="*", type=json.loads, help="arguments, each as JSON")
    parser.add_argument("--kwargs", type=json.loads, default={}, help="named arguments, a JSON object")
    options = parser.parse_intermixed_args()
    async with Peer(announce=False) as own:
        await asyncio.wait_for(own.ready(group="*"), 5)
        lines = await asyncio.gather(*(call(peer, options.tag, options.args, options.kwargs) for peer in own.peers))
    for line in lines:
        print(json.dumps(line, default=repr))
    return 0 if any("value" in line for line in lines) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
