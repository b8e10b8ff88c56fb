"""A cable between two network namespaces that delays, loses and paces packets: netem for kernels without it.

Each end is a TUN device, so every protocol passes. Conditions come one JSON object a line on standard input and
hold from then on:

    {"delay": 30, "jitter": 10, "loss": 0.02, "rate": 5e6, "queue": 200}

`delay`, `jitter` and `queue` are milliseconds, `rate` is bits a second (0 for none), `loss` is 0 to 1; they hold for
both directions unless "direction" is "down" (a to b) or "up" (b to a). What is not named stays. Each change is
answered by a line with the packets and drops of both directions so far; "ready" is the first line. The end of
standard input ends the cable.
"""

import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
LARGEST_PACKET = 65_536
# Packets read before the heap is looked at again: a burst must not hold up what is due.
READS_AT_ONCE = 64


def open_tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


class Direction:
    """One way of the cable: a tail-drop queue in front of the rate, then the delay."""

    def __init__(self, out, seed):
        self.out = out
        self.random = random.Random(seed)
        self.delay = self.jitter = self.loss = self.rate = 0.0
        self.queue = 200.0
        self.free_at = 0.0
        self.packets = self.lost = self.overflowed = 0

    def change(self, conditions):
        for name in ("delay", "jitter", "loss", "rate", "queue"):
            if name in conditions:
                setattr(self, name, float(conditions[name]))

    def leaves_at(self, packet, now):
        """Seconds on the clock of `now`, None for never."""
        self.packets += 1
        if self.random.random() < self.loss:
            self.lost += 1
            return None
        at = now
        if self.rate > 0:
            start = max(self.free_at, now)
            if start - now > self.queue / 1000:
                self.overflowed += 1
                return None
            self.free_at = at = start + len(packet) * 8 / self.rate
        return at + max(0.0, self.delay + self.random.uniform(-self.jitter, self.jitter)) / 1000

    def counters(self):
        return {"packets": self.packets, "lost": self.lost, "overflowed": self.overflowed}


def take_precedence():
    """A link does not wait for a busy machine: real-time scheduling, where this user may."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        pass


def run(name_a, name_b, seed):
    take_precedence()
    a, b = open_tun(name_a), open_tun(name_b)
    down, up = Direction(b, seed), Direction(a, seed + 1)
    directions = {a: down, b: up}
    waiting = []
    order = 0
    commands = b""
    poll = select.epoll()
    for source in (a, b, sys.stdin.fileno()):
        poll.register(source, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, out, packet = heapq.heappop(waiting)
            try:
                os.write(out, packet)
            except OSError:
                pass  # The other end is not up yet, or its queue is full.
        timeout = max(0.0, waiting[0][0] - now) if waiting else -1
        for source, _ in poll.poll(timeout):
            if source == sys.stdin.fileno():
                read = os.read(source, 65_536)
                if not read:
                    return
                *lines, commands = (commands + read).split(b"\n")
                for line in lines:
                    conditions = json.loads(line)
                    which = conditions.get("direction")
                    for direction in (down, up):
                        if which is None or direction is (down if which == "down" else up):
                            direction.change(conditions)
                    print(json.dumps({"down": down.counters(), "up": up.counters()}), flush=True)
                continue
            direction = directions[source]
            try:
                for _ in range(READS_AT_ONCE):
                    packet = os.read(source, LARGEST_PACKET)
                    at = direction.leaves_at(packet, time.monotonic())
                    if at is not None:
                        order += 1
                        heapq.heappush(waiting, (at, order, direction.out, packet))
            except BlockingIOError:
                pass


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
