"""A Python peer of app-net: call functions of other processes, and be called. See `Peer`."""

from .errors import NetError, RemoteError, Thrown, register_error
from .events import Event, EventStream, Gap, Subscription
from .kinds import INVALID_DATE, UNDEFINED, URL, BigInt, Bytes, Map, RegExp
from .peer import Peer
from .remote_peer import RemoteFunction, RemotePeer
from .running import Context, current
from .streams import Stream

__all__ = [
    "INVALID_DATE", "UNDEFINED", "URL", "BigInt", "Bytes", "Context", "Event", "EventStream", "Gap", "Map", "NetError", "Peer",
    "RegExp", "RemoteError", "RemoteFunction", "RemotePeer", "Stream", "Subscription", "Thrown", "current", "register_error",
]
