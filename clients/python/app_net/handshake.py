"""Five messages in which both sides prove that they know the secret. `docs/protocol.md`, "The handshake"."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
import struct
from typing import Any, Awaitable, Callable, Dict, FrozenSet, List, NamedTuple, Optional

from .errors import BadFrame
from .secret import PROTOCOL, Keys, base64url, sha256_hmac
from .socket import address_of, local_address, remote_address, take_up_to

SECONDS = 5.0
LIMITS = {"message": 16 * 1024 * 1024, "calls": 1024, "subscriptions": 1024}
TEXTS = ("name", "group", "host")


class Refused(Exception):
    """The handshake failed. The socket is closed with `code`."""

    def __init__(self, message: str, code: int = 4401) -> None:
        super().__init__(message)
        self.code = code


class Taken(Refused):
    """Another live process has the id of this peer."""


class Self(NamedTuple):
    """What a peer says of itself."""

    id: str
    incarnation: str
    name: str
    group: str
    pid: int
    host: str


class Other(NamedTuple):
    """What the other side said of itself."""

    id: str
    incarnation: str
    limits: Dict[str, Any]
    generation: int
    name: str
    group: str
    hub: bool
    pid: int
    host: str
    functions: FrozenSet[str]
    #: The highest version of the protocol that it speaks.
    newest: int


def encode(message: Dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


async def as_dialler(socket: Any, keys: Keys, own: Self, to: str, generation: int, functions: FrozenSet[str]) -> Other:
    return await asyncio.wait_for(_dialler(socket, keys, own, to, generation, functions), SECONDS)


async def _dialler(socket: Any, keys: Keys, own: Self, to: str, generation: int, functions: FrozenSet[str]) -> Other:
    address = remote_address(socket)
    nonce = base64url(secrets.token_bytes(32))
    m1 = encode({"type": "hello", "versions": [1], "id": own.id, "incarnation": own.incarnation, "nonce": nonce, "to": to,
                 "generation": generation, "limits": LIMITS})
    await socket.send(m1)
    m2 = await _text(socket)
    welcome = _message(m2, "welcome")
    _identified(welcome, own, nonce)
    _need(welcome.get("version") == 1, "a welcome of another version")
    _need(to in ("", welcome["id"]), "the peer at this address is another one than was meant")
    hashed = transcript(address, m1, m2)
    m3 = encode({"type": "proof", "proof": base64url(sha256_hmac(keys.dialler, hashed))})
    # The socket begins to read a message as soon as it has the one before: this counts from the one after M4.
    take_up_to(socket, LIMITS["message"])
    await socket.send(m3)
    answer = json.loads(await _text(socket))
    if type(answer) is dict and answer.get("type") == "taken":
        _proved(answer, keys.acceptor, hashed + m3.encode() + b"taken")
        raise Taken(f"another live process has the id {own.id}; give each process its own", 4409)
    accept = _message(answer, "accept")
    _proved(accept, keys.acceptor, hashed + m3.encode())
    other = _other(welcome, accept)
    await socket.send(encode({"type": "describe", **describe(own, functions)}))
    return other


async def as_acceptor(socket: Any, keys: Keys, own: Self, functions: Callable[[], FrozenSet[str]],
                      is_taken: Callable[[str, str], Awaitable[bool]]) -> Other:
    """`is_taken` says whether another life of this id is alive. It may take a second, and is asked after a right proof."""
    return await asyncio.wait_for(_acceptor(socket, keys, own, functions, is_taken), SECONDS)


async def _acceptor(socket: Any, keys: Keys, own: Self, functions: Callable[[], FrozenSet[str]],
                    is_taken: Callable[[str, str], Awaitable[bool]]) -> Other:
    address = local_address(socket)
    nonce = base64url(secrets.token_bytes(32))
    m1 = await _text(socket)
    hello = _message(m1, "hello")
    _identified(hello, own, nonce)
    _need(type(hello.get("to")) is str, "a malformed hello")
    m2 = encode({"type": "welcome", "version": 1, "versions": [1], "id": own.id, "incarnation": own.incarnation,
                 "nonce": nonce, "limits": LIMITS})
    await socket.send(m2)
    m3 = await _text(socket)
    hashed = transcript(address, m1, m2)
    _proved(_message(m3, "proof"), keys.dialler, hashed)
    _need(hello["to"] in ("", own.id), "the dialler means another peer")
    if await is_taken(hello["id"], hello["incarnation"]):
        proof = sha256_hmac(keys.acceptor, hashed + m3.encode() + b"taken")
        await socket.send(encode({"type": "taken", "proof": base64url(proof)}))
        raise Taken("another live process has the id of the dialler", 4409)
    take_up_to(socket, LIMITS["message"])  # from the message after M5
    proof = sha256_hmac(keys.acceptor, hashed + m3.encode())
    await socket.send(encode({"type": "accept", "proof": base64url(proof), **describe(own, functions())}))
    return _other(hello, _message(await _text(socket), "describe"))


def transcript(address: Any, m1: str, m2: str) -> bytes:
    """T. Both proofs are made of it, so both sides must have seen the same messages and the same address."""
    _need(address is not None, "the connection broke")
    binding = _lp(b"loopback") + _lp(address_of(*address).encode())
    return hashlib.sha256(_lp(PROTOCOL.encode()) + _lp(binding) + _lp(m1.encode()) + _lp(m2.encode())).digest()


def _lp(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def describe(own: Self, functions: FrozenSet[str]) -> Dict[str, Any]:
    """M4 or M5. Without `digest` and the other fields of presence this peer is a leaf."""
    return {"name": own.name, "group": own.group, "hub": False, "pid": own.pid, "host": own.host,
            "functions": listed_of(functions)}


def listed_of(functions: FrozenSet[str]) -> List[str]:
    """As many as the handshake has room for. A `functions` frame says the rest."""
    listed, room = [], 8 * 1024 - 2
    for tag in sorted(functions):
        room -= len(json.dumps(tag)) + 1
        if room < 0:
            break
        listed.append(tag)
    return listed


async def _text(socket: Any) -> str:
    message = await socket.recv()
    if not isinstance(message, str) or len(message) > 16 * 1024:
        raise BadFrame("no message of a handshake")
    return message


def _message(text: Any, kind: str) -> Dict[str, Any]:
    try:
        message = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        raise Refused(f"not the message {kind!r} that comes now") from None
    _need(type(message) is dict and message.get("type") == kind, f"not the message {kind!r} that comes now")
    return message  # type: ignore[no-any-return]


def _identified(message: Dict[str, Any], own: Self, nonce: str) -> None:
    versions, limits = message.get("versions"), message.get("limits")
    _need(type(versions) is list and len(versions) <= 64 and all(type(each) is int for each in versions), "malformed versions")
    _need(1 in versions, "no common version")  # type: ignore[operator]
    _need(all(is_name(message.get(key)) for key in ("id", "incarnation")), "a malformed id")
    _need(_is_text(message.get("nonce"), 43) and re.fullmatch(r"[A-Za-z0-9_-]{43}", message["nonce"]), "a malformed nonce")
    _need(message["id"] != own.id and message["nonce"] != nonce, "this peer has dialled itself")
    _need(type(limits) is dict, "malformed limits")
    for key, least in (("message", 65_536), ("calls", 1), ("subscriptions", 0)):  # others may have come later
        limit = limits.get(key, 0)  # type: ignore[union-attr]
        _need(type(limit) is int and limit >= least, "malformed limits")


def _proved(message: Dict[str, Any], key: bytes, data: bytes) -> None:
    proof = message.get("proof")
    expected = base64url(sha256_hmac(key, data))
    if not _is_text(proof, 43) or not hmac.compare_digest(str(proof).encode("utf-8", "replace"), expected.encode()):
        raise Refused("the other side does not know the secret")


def _other(first: Dict[str, Any], described: Dict[str, Any]) -> Other:
    functions = described.get("functions")
    _need(all(_is_text(described.get(key), 256) for key in TEXTS), "a malformed description")
    _need(type(described.get("hub")) is bool and type(described.get("pid")) is int, "a malformed description")
    _need(type(functions) is list and all(_is_text(tag, 1024) for tag in functions), "a malformed list of functions")
    generation = first.get("generation", 0)
    _need(type(generation) is int and generation >= 0, "a malformed generation")
    return Other(first["id"], first["incarnation"], first["limits"], generation, described["name"], described["group"],
                 described["hub"], described["pid"], described["host"], frozenset(functions or ()), max(first["versions"]))


def is_name(value: Any) -> bool:
    return type(value) is str and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) is not None


def _is_text(value: Any, most: int) -> bool:
    return type(value) is str and len(value) <= most


def _need(holds: Optional[object], message: str) -> None:
    if not holds:
        raise Refused(message)
