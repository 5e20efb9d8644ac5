"""The WebSocket. `websockets` has had two implementations since 10.4; what differs between them is here."""

from __future__ import annotations

import http
import ipaddress
import re
from typing import Any, Awaitable, Callable, Dict, Optional, Tuple, Union, cast

import websockets
from websockets.exceptions import ConnectionClosed, WebSocketException

from .secret import PROTOCOL

__all__ = ["Closed", "SocketError", "address_of", "dial", "listen", "local_address", "remote_address", "take_up_to"]

Closed = ConnectionClosed
SocketError = (OSError, WebSocketException, TimeoutError)

#: Of one message until the handshake is done: 16 Ki UTF-16 units are never more bytes.
HANDSHAKE_BYTES = 48 * 1024
#: Within which a client asks for the upgrade.
UPGRADE_SECONDS = 5
MAJOR = int(re.match(r"\d+", cast(Any, websockets).__version__)[0])  # type: ignore[index]

_options: Dict[str, Any] = {"subprotocols": [PROTOCOL], "compression": None, "ping_interval": None, "close_timeout": 1,
                            "max_size": HANDSHAKE_BYTES, "write_limit": 2**20}


async def dial(host: str, port: int, seconds: float) -> Any:
    options = dict(_options, open_timeout=seconds)
    if MAJOR >= 15:
        options["proxy"] = None
    socket = await cast(Any, websockets).connect(f"ws://{address_of(host, port)}/", **options)
    if socket.subprotocol != PROTOCOL:
        await socket.close(1002)
        raise OSError(f"{address_of(host, port)} does not speak {PROTOCOL}")
    return socket


async def listen(handler: Callable[[Any], Awaitable[None]], host: str, port: int) -> Tuple[Any, int]:
    """Returns the server and its port."""
    options = dict(_options, process_request=_refusal)
    if MAJOR < 14:
        options["create_protocol"] = _hasty(cast(Any, websockets).WebSocketServerProtocol)
    else:
        options["open_timeout"] = UPGRADE_SECONDS
    server = await cast(Any, websockets).serve(handler, host, port, **options)
    return server, next(iter(server.sockets)).getsockname()[1]


def _hasty(protocol: Any) -> Any:
    """The older implementation waits for ever for a client that asks for nothing."""

    class Hasty(protocol):  # type: ignore[misc]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.loop.call_later(UPGRADE_SECONDS, lambda: None if self.open or self.closed else transport.abort())

    return Hasty


async def _refusal(first: Any, second: Any) -> Union[None, Any, Tuple[Any, Any, bytes]]:
    """Turns web pages away, and whoever does not ask for the protocol. The older implementation gives path and headers."""
    headers = second if MAJOR < 14 else second.headers
    if headers.get("Origin") is not None or not _is_own(headers.get("Host", "")):
        status = http.HTTPStatus.FORBIDDEN
    elif PROTOCOL not in re.split(r"\s*,\s*", headers.get("Sec-WebSocket-Protocol", "")):
        status = http.HTTPStatus.BAD_REQUEST
    else:
        return None
    return (status, [], b"") if MAJOR < 14 else first.respond(status, "")


def _is_own(host: str) -> bool:
    """Whether the `Host` is an IP address or `localhost`. A name could be one that somebody pointed to this host."""
    name = re.sub(r":\d+$", "", host).strip("[]").lower()
    try:
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def take_up_to(socket: Any, most: int) -> None:
    """From now on messages may have so many bytes."""
    if MAJOR < 14:
        socket.max_size = most
    elif hasattr(socket.protocol, "max_message_size"):
        socket.protocol.max_message_size = most
    else:
        socket.protocol.max_size = most


def buffered(socket: Any) -> int:
    """Bytes that the network has not taken yet."""
    transport = socket.transport
    return int(transport.get_write_buffer_size()) if transport else 0


def remote_address(socket: Any) -> Optional[Tuple[str, int]]:
    address = socket.remote_address
    return (address[0], address[1]) if address else None


def local_address(socket: Any) -> Optional[Tuple[str, int]]:
    address = socket.local_address
    return (address[0], address[1]) if address else None


def address_of(ip: str, port: int) -> str:
    if ip.startswith("::ffff:"):  # IPv4 mapped into IPv6
        ip = ip[len("::ffff:"):]
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
