"""Compression of what is bulky, on a link so slow that it pays."""
import zlib
from time import monotonic

from rmote.streams import DEFLATED, FAST

# For how many chunks of a stream, once it is long, a link that nobody knows yet is taken for one of so many KiB a second:
# one that is fast is known before, one that is slow would have to carry all of them until it is known.
UNSURE, GUESS = 8, 1 << 12
# How much of a larger chunk is tried first.
SAMPLE = 1 << 14
# What is expected of level 1 before it was tried: bytes a second, and how much of them is left.
SPEED, LEFT = 100e6, 0.5
# Level 6 takes so many times as long, and leaves so much of what level 1 does.
SLOWER, SMALLER = 3.3, 0.83
# A chunk of which more is left goes as it is.
WORTH = 0.9
# How many chunks are not tried when one was not worth it: the first time, and at most.
PAUSE, PAUSE_MOST = 8, 64


class Choice:
    """Which chunks of a stream are compressed and how well, by what those before have shown. The controller has the same."""

    # What level 1 does here, once it is known.
    speed = left = 0
    skipped, pause = 0, PAUSE

    def level(self, rate):
        """The level for the next chunk, where the link carries so many KiB a second; 0 for none."""
        if rate >= FAST:
            return 0
        if self.skipped:
            self.skipped -= 1
            return 0
        speed, left, rate = self.speed or SPEED, self.left or LEFT, rate * 1024 or 1e-6
        costs = 1 / rate, 1 / speed + left / rate, SLOWER / speed + SMALLER * left / rate
        level = (0, 1, 6)[costs.index(min(costs))]
        if not level:
            self.skip()
        elif self.speed:
            # It pays.
            self.pause = PAUSE
        return level

    def tried(self, level, before, after, seconds):
        """Learns what a level did; whether it was worth it."""
        if after > WORTH * before:
            self.skip()
            return False
        speed, left = before / max(seconds, 1e-6), after / before
        if level > 1:
            speed, left = speed * SLOWER, left / SMALLER
        self.speed = (speed + (self.speed or speed)) / 2
        self.left = (left + (self.left or left)) / 2
        return True

    def skip(self):
        self.skipped, self.pause = self.pause, min(2 * self.pause, PAUSE_MOST)
        self.speed = self.left = 0


class Packer:
    """Compresses the chunks of a stream, or results."""

    def __init__(self, agent):
        self.agent = agent
        self.choice = Choice()
        self.unsure = UNSURE

    def pack(self, flags, data):
        """A frame's flags and payload, as they travel."""
        rate = self.agent.rate
        if rate >> 32:
            rate = GUESS if self.unsure else FAST
            self.unsure -= rate == GUESS
        choice, size = self.choice, len(data)
        level = choice.level(rate)
        if level and not choice.speed and size > 4 * SAMPLE and self.deflate(1, data[:SAMPLE]) is None:
            level = 0
        packed = level and self.deflate(level, data)
        return (flags | DEFLATED, packed) if packed else (flags, data)

    def deflate(self, level, data):
        start = monotonic()
        packed = zlib.compress(data, level)
        return packed if self.choice.tried(level, len(data), len(packed), monotonic() - start) else None


def shrink(agent, call, payload):
    """A result as it travels."""
    packer = agent.__dict__.get("packer")
    if not packer:
        packer = agent.packer = Packer(agent)
    flags, payload = packer.pack(0, payload)
    call.streamed |= flags
    return payload
