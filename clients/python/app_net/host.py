"""How peers of one host find each other: a file each in the runtime directory. `docs/protocol.md`, "On this host"."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import secrets
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .handshake import is_name
from .secret import base64url

ENDING = ".peer.json"
MOST_BYTES = 4096
MOST_FILES = 16_384
#: A peer whose file is missing writes it again after so many seconds, and every 5 minutes anyway.
AGAIN = 300.0
SECRET_WAIT = 4.0


class Announcement(NamedTuple):
    id: str
    incarnation: str
    addresses: Tuple[Tuple[str, int], ...]
    world: Optional[str]


def runtime_directory() -> Path:
    own = os.environ.get("APP_NET_RUNTIME_DIR")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_RUNTIME_DIR")
    if shared and os.path.isabs(shared) and os.path.isdir(shared) and os.stat(shared).st_uid == os.getuid():
        return Path(shared, "app-net")
    return Path(tempfile.gettempdir(), f"app-net-{os.getuid()}")


def safe_directory(directory: Path) -> Path:
    """Makes it if it is missing. Raises PermissionError for one in which other users could put files."""
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700, parents=True)
    status = os.lstat(directory)
    if not stat.S_ISDIR(status.st_mode):
        raise PermissionError(f"{directory} is no directory; remove it, or choose another one with APP_NET_RUNTIME_DIR")
    if status.st_uid != os.getuid():
        raise PermissionError(f"{directory} belongs to another user; choose another one with APP_NET_RUNTIME_DIR")
    if status.st_mode & 0o077:
        raise PermissionError(f"other users can use {directory}; run: chmod 700 {directory}")
    return directory


def read_secret(path: Path) -> str:
    """Raises PermissionError for a file that others can read, and ValueError for one that holds no secret."""
    status = os.stat(path)
    if status.st_mode & 0o077:
        raise PermissionError(f"other users can read {path}; run: chmod 600 {path}")
    if status.st_size > MOST_BYTES:
        raise ValueError(f"{path} is larger than a secret may be ({MOST_BYTES} bytes)")
    secret = path.read_text("utf-8").strip()
    if not secret:
        raise ValueError(f"{path} is empty; remove it, and the next peer makes a new one")
    return secret


def shared_secret(directory: Path) -> str:
    """The secret that the peers of this user share. The first one makes it."""
    path, end = directory / "secret", time.monotonic() + SECRET_WAIT
    while True:
        with contextlib.suppress(FileNotFoundError):
            return read_secret(path)
        if not any(directory.glob("*" + ENDING)) or time.monotonic() > end:
            break
        time.sleep(0.05)  # a running peer puts its own secret back
    own = directory / f".secret-{secrets.token_hex(8)}"
    _write(own, "net1_" + base64url(secrets.token_bytes(32)) + "\n")
    with contextlib.suppress(FileExistsError):
        os.link(own, path)  # unlike a rename, this never takes the place of another peer's
    own.unlink()
    return read_secret(path)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def place() -> Dict[str, str]:
    """Where this process runs, so that others know what a refused dial proves."""
    if sys.platform != "linux":
        import socket
        return {"host": socket.gethostname()}
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"host": boot, "processes": os.readlink("/proc/self/ns/pid"), "network": os.readlink("/proc/self/ns/net")}


class Announced:
    """The file of this peer."""

    def __init__(self, directory: Path, id: str, incarnation: str, port: int, world: str) -> None:
        self._directory = directory
        self.path = directory / (id + ENDING)
        self._text = json.dumps({"id": id, "incarnation": incarnation, "addresses": [{"host": "127.0.0.1", "port": port}],
                                 "pid": os.getpid(), "world": world, "from": place()})
        self._written = 0.0

    def keep(self) -> None:
        """Writes it if it is missing, or has not been written for long."""
        now = time.monotonic()
        if self._written and now - self._written < AGAIN and self.path.exists():
            return
        safe_directory(self._directory)
        own = self._directory / f".{self.path.name}-{secrets.token_hex(8)}"
        _write(own, self._text)
        os.replace(own, self.path)
        self._written = now

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            if self.path.read_text("utf-8") == self._text:
                self.path.unlink()


def announcements(directory: Path, world: str) -> Iterator[Announcement]:
    """Of the peers with this secret. A file that is no announcement is skipped."""
    try:
        names = [entry.name for entry in os.scandir(directory) if entry.name.endswith(ENDING)]
    except FileNotFoundError:
        return
    for name in names[:MOST_FILES]:
        try:
            found = read_announcement(directory / name)
        except Exception:
            continue  # removed in the meantime, or written by something else
        if found.id + ENDING == name and found.world in (None, world):
            yield found


def read_announcement(path: Path) -> Announcement:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("no regular file")
        data: Any = json.loads(file.read(MOST_BYTES))
    addresses: List[Tuple[str, int]] = []
    for each in data["addresses"][:16]:
        ip, port = ipaddress.ip_address(each["host"]), each["port"]
        if ip.is_loopback and type(port) is int and 0 < port < 65536:
            addresses.append((str(ip), port))
    if not is_name(data["id"]) or not is_name(data["incarnation"]):
        raise ValueError("a malformed id")
    return Announcement(data["id"], data["incarnation"], tuple(addresses), data.get("world"))
