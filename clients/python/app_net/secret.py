"""The keys that follow from the secret. `docs/protocol.md`, "Compute the keys"."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from typing import NamedTuple

PROTOCOL = "app-net.v1"


class Keys(NamedTuple):
    dialler: bytes
    acceptor: bytes
    #: Says in announcements which secret a peer has.
    world: str


def keys_of(secret: str) -> Keys:
    """For a passphrase this takes about 0.1 s and 32 MiB."""
    if re.fullmatch(r"net1_[A-Za-z0-9_-]{43}", secret):
        key = base64.urlsafe_b64decode(secret[5:] + "=")
    else:
        passphrase = unicodedata.normalize("NFC", secret).encode()
        key = hashlib.scrypt(passphrase, salt=PROTOCOL.encode(), n=32768, r=8, p=3, dklen=32, maxmem=2**26)
    extracted = sha256_hmac(PROTOCOL.encode(), key)  # HKDF: extract, then expand to two blocks
    first = sha256_hmac(extracted, b"handshake\x01")
    second = sha256_hmac(extracted, first + b"handshake\x02")
    return Keys(first, second, base64url(sha256_hmac(extracted, b"world\x01")[:12]))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sha256_hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
