#!/usr/bin/env python3
"""A client for the protocol app-net.v1 (docs/protocol.md). It needs only Python's standard library.

    client.py <tag> [json args...] [--kwargs '{"a":1}']

Calls the function of every peer of this host and prints a line of JSON for each: its pid, and the value or the error. A value
that JSON cannot represent is printed as it came: with the `meta` of its frame, and with the bytes in base64 as `binary`.
"""
import argparse, base64, contextlib, hashlib, hmac, http.client, json, os, re, secrets, socket, struct, sys, tempfile
import time, unicodedata
from pathlib import Path

PROTOCOL, SECONDS, LIMITS = "app-net.v1", 30, {"message": 16 * 1024 * 1024, "calls": 16}
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MOST_BINARIES = 4096  # of one frame


class Failed(Exception):
    """Carries a message, and the code that closes the connection."""


class WebSocket:
    """The client side of RFC 6455, as far as it is needed here."""
    def __init__(self, host, port, seconds):
        self.until, self.max_bytes = time.monotonic() + seconds, 48 * 1024  # 16 KiB of characters are never more
        self.socket = socket.create_connection((host, port), timeout=seconds)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = ["GET / HTTP/1.1", f"Host: {address_of(host, port)}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {PROTOCOL}", "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        status, headers = self.stream.readline(1024), http.client.parse_headers(self.stream)
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        if (not status.startswith(b"HTTP/1.1 101") or headers["Sec-WebSocket-Protocol"] != PROTOCOL
                or headers["Sec-WebSocket-Accept"] != base64.b64encode(digest).decode()):
            raise Failed(f"the upgrade was refused: {status!r}", 1002)

    def take(self, length):
        self.socket.settimeout(max(0.001, self.until - time.monotonic()))
        data = self.stream.read(length)
        if len(data) < length:
            raise OSError("the connection broke")
        return data

    def send(self, data, opcode=TEXT):
        length, mask = len(data), secrets.token_bytes(4)
        head = bytes([0x80 | opcode, 0x80 | (length if length < 126 else 126 if length < 65536 else 127)])
        head += b"" if length < 126 else struct.pack(">H" if length < 65536 else ">Q", length)
        key = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
        self.socket.sendall(head + mask + masked)

    def receive(self, most_binaries=0):
        """The next text message, and the binary ones that came before it. Pings are answered on the way."""
        message, kind, binaries, earlier = None, None, [], 0
        while True:
            first, second = self.take(2)
            opcode, final, length = first & 0x0F, first & 0x80, second & 0x7F
            if first & 0x70 or second & 0x80 or (opcode >= CLOSE and not (final and length < 126)):
                raise Failed("a malformed WebSocket frame", 1002)
            if length > 125:
                length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
            if length + len(message or b"") + earlier > self.max_bytes:
                raise Failed("a message is too large", 1009)
            data = self.take(length)
            if opcode == CLOSE:
                code = int.from_bytes(data[:2], "big") or 1000
                raise Failed(f"the peer closed the connection with {code}", code)  # and is answered with the same code
            elif opcode == PING:
                self.send(data, PONG)
            elif opcode in (TEXT, BINARY, CONTINUATION) and (opcode == CONTINUATION) == (message is not None):
                message, kind = (message or b"") + data, opcode or kind
                if final and kind == TEXT:
                    return message.decode(), binaries
                if final:
                    binaries, earlier, message = [*binaries, message], earlier + len(message), None
                    if len(binaries) > most_binaries:
                        raise Failed("too many binary messages", 4400)
            elif opcode != PONG:
                raise Failed("neither a message nor a part of one", 4400)


def address_of(ip, port):
    ip = ip.removeprefix("::ffff:")  # IPv4 mapped into IPv6
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sha256_hmac(key, data):
    return hmac.digest(key, data, "sha256")


def encode(message):
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


def handshake_keys(secret):
    """K_D and K_A, and the name of the world in which the secret holds."""
    if re.fullmatch(r"net1_[A-Za-z0-9_-]{43}", secret):
        key = base64.urlsafe_b64decode(secret[5:] + "=")
    else:
        passphrase = unicodedata.normalize("NFC", secret).encode()
        key = hashlib.scrypt(passphrase, salt=PROTOCOL.encode(), n=32768, r=8, p=3, dklen=32, maxmem=2**26)
    extracted = sha256_hmac(PROTOCOL.encode(), key)  # HKDF: extract, then expand to two blocks
    first = sha256_hmac(extracted, b"handshake\x01")
    second = sha256_hmac(extracted, first + b"handshake\x02")
    return (first, second), base64url(sha256_hmac(extracted, b"world\x01")[:12])


def transcript(address, m1, m2):
    """T. Both proofs are made of it, so both sides must have seen the same messages and the same address."""
    def lp(data):
        return struct.pack(">I", len(data)) + data
    binding = lp(b"loopback") + lp(address.encode())
    return hashlib.sha256(lp(PROTOCOL.encode()) + lp(binding) + lp(m1) + lp(m2)).digest()


def handshake(ws, keys, to):
    """Both sides prove that they know the secret. Returns M2 and M4, in which the acceptor describes itself."""
    own, nonce = base64url(secrets.token_bytes(16)), base64url(secrets.token_bytes(32))
    m1 = encode({"type": "hello", "versions": [1], "id": own, "incarnation": own, "nonce": nonce, "to": to,
                 "limits": LIMITS})
    ws.send(m1)
    m2, _ = ws.receive()
    welcome = json.loads(m2)
    if ((welcome["type"], welcome["version"], welcome["id"]) != ("welcome", 1, to) or welcome["nonce"] == nonce
            or not re.fullmatch(r"[A-Za-z0-9_-]{43}", welcome["nonce"])
            or not all(type(welcome["limits"][name]) is int for name in LIMITS)):
        raise ValueError("no valid welcome")
    hashed = transcript(address_of(*ws.socket.getpeername()[:2]), m1, m2.encode())
    m3 = encode({"type": "proof", "proof": base64url(sha256_hmac(keys[0], hashed))})
    ws.send(m3)
    accept = json.loads(ws.receive()[0])
    expected = base64url(sha256_hmac(keys[1], hashed + m3))
    if accept["type"] != "accept" or not hmac.compare_digest(accept["proof"], expected):
        raise ValueError("the peer does not know the secret")
    ws.send(encode({"type": "describe", "name": "client.py", "group": "", "hub": False, "pid": os.getpid(),
                    "host": socket.gethostname()[:256], "functions": []}))
    return welcome, accept


def request(ws, limits, data):
    """Sends the only request of this connection, which has the id 1. Returns the `result` or `error` frame and its bytes."""
    if len(data) > limits["message"]:
        raise Failed("the arguments are larger than the peer takes", 1001)
    ws.until, ws.max_bytes = time.monotonic() + SECONDS, LIMITS["message"]
    ws.send(data)
    while True:
        text, binaries = ws.receive(MOST_BINARIES)
        for frame in map(json.loads, text.split("\n")):
            count = frame.get("meta", {}).get("binary", 0)
            taken, binaries = binaries[:count], binaries[count:]
            if frame["type"] in ("result", "error") and frame["id"] == 1:
                return frame, taken
            if frame["type"] == "request":  # this side has no functions
                failure = {"code": "NO_SUCH_TAG", "ran": "no", "message": "a client without functions"}
                ws.send(encode({"type": "error", "id": frame["id"], "failure": failure}))


def call(peer, keys, data):
    """Dials a peer, sends the request and hangs up. Returns the line to print."""
    ws, pid, code, fault = None, None, 1001, 4401  # the code that closes: now, and after a frame that is wrong
    try:
        pid = peer["pid"]
        ws = WebSocket(peer["addresses"][0]["host"], peer["addresses"][0]["port"], seconds=5)
        welcome, accept = handshake(ws, keys, peer["id"])
        pid, fault = accept["pid"], 4400
        frame, binaries = request(ws, welcome["limits"], data)
        rich = {key: frame[key] for key in ("meta",) if key in frame}
        if binaries:
            rich["binary"] = [base64.b64encode(each).decode() for each in binaries]
        if frame["type"] == "result":
            return {"pid": pid, "value": frame.get("value"), **rich}
        error = {key: frame[key] for key in ("error", "thrown", "failure") if key in frame}
        return {"pid": pid, "error": error, **rich}
    except Failed as error:
        message, code = error.args
        return {"pid": pid, "error": message}
    except OSError as error:
        return {"pid": pid, "error": str(error)}
    except (ValueError, LookupError, TypeError, RecursionError, http.client.HTTPException) as error:
        code = fault
        return {"pid": pid, "error": f"the peer broke the protocol: {error!r}"}
    finally:
        if ws:
            with contextlib.closing(ws.socket), contextlib.suppress(OSError):
                ws.send(struct.pack(">H", code), CLOSE)


def runtime_directory():
    shared = os.environ.get("XDG_RUNTIME_DIR")
    if os.environ.get("APP_NET_RUNTIME_DIR"):
        return Path(os.environ["APP_NET_RUNTIME_DIR"])
    if shared and os.path.isdir(shared) and os.stat(shared).st_uid == os.getuid():
        return Path(shared, "app-net")
    return Path(tempfile.gettempdir(), f"app-net-{os.getuid()}")


def main():
    parser = argparse.ArgumentParser(description="Calls a function at every peer of this host.")
    parser.add_argument("tag")
    parser.add_argument("args", nargs="*", type=json.loads, help="arguments, each as JSON")
    parser.add_argument("--kwargs", type=json.loads, default={}, help="named arguments, a JSON object")
    options = parser.parse_intermixed_args()
    try:
        data = encode({"type": "request", "id": 1, **vars(options), "deadline": SECONDS * 1000})
        keys, world = handshake_keys((runtime_directory() / "secret").read_text("utf-8").strip())
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    answered = False
    for path in runtime_directory().glob("*.peer.json"):
        try:
            peer = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue  # stopped in the meantime
        if peer.get("world", world) != world:
            continue  # a peer with another secret
        line = call(peer, keys, data)
        answered = answered or "value" in line
        print(json.dumps(line), flush=True)
    sys.exit(0 if answered else 1)


if __name__ == "__main__":
    main()
