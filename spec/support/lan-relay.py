"""Forwards every frame between two interfaces, later: what tc's netem does, where the kernel has no netem.

usage: lan-relay.py INTERFACE INTERFACE DELAY JITTER LOSS    (ms, ms, 0 to 1)
"""

import random
import select
import socket
import sys
import time
from collections import deque

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
LARGEST = 10 + 14 + 65536


def open_interface(name):
    each = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    # With its header each frame keeps what the sender's kernel left to the card to do: checksums and segmentation.
    each.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    each.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    each.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    each.bind((name, ETH_P_ALL))
    each.setblocking(False)
    return each


def main():
    one, other = (open_interface(name) for name in sys.argv[1:3])
    delay, jitter = (float(each) / 1000 for each in sys.argv[3:5])
    loss = float(sys.argv[5])
    ways = {one: (other, deque()), other: (one, deque())}
    print("ready", flush=True)
    while True:
        firsts = [line[0][0] for _, line in ways.values() if line]
        wait = max(0, min(firsts) - time.monotonic()) if firsts else None
        for source in select.select([one, other], [], [], wait)[0]:
            frame = source.recv(LARGEST)
            line = ways[source][1]
            due = time.monotonic() + delay + random.random() * jitter
            if random.random() >= loss:
                line.append((max(due, line[-1][0]) if line else due, frame))
        now = time.monotonic()
        for target, line in ways.values():
            while line and line[0][0] <= now:
                try:
                    target.send(line.popleft()[1])
                except OSError:
                    pass  # The link is down: the frame is lost.


main()
