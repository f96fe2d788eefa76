"""Compression of what is bulky, on a link so slow that it pays."""
import zlib
from time import monotonic

from rmote.streams import CONTINUED, DEFLATED, FAST

# What a link that nobody knows yet is taken for, in KiB a second: for the first chunks of a stream, whose frames are still so
# large that they tell how fast it is, and then, as one that is fast would be known.
GUESSES = 1 << 14, 1 << 10
# How many those first chunks are.
FIRST = 3
# How much of a larger chunk is tried first.
SAMPLE = 1 << 14
# What is expected of level 1 before it was tried: bytes a second, and how much of them is left.
SPEED, LEFT = 100e6, 0.5
# Level 6 takes so many times as long, and leaves so much of what level 1 does.
SLOWER, SMALLER = 3.3, 0.83
# How much the last chunk counts in what is known: it is not the processor alone that was slow in one moment.
NEW = 0.25
# A chunk of which more is left goes as it is.
WORTH = 0.9
# How many chunks are not tried when one was not worth it: the first time, and at most.
PAUSE, PAUSE_MOST = 8, 64


class Choice:
    """Which chunks of a stream are compressed and how well, by what those before have shown. The controller has the same."""

    # What level 1 does here, once it is known.
    speed = left = 0
    skipped, pause = 0, PAUSE
    # How much of the work is done while the link still carries what was there before.
    hidden = 0.75

    def level(self, rate):
        """The level for the next chunk, where the link carries so many KiB a second; 0 for none."""
        if rate >= FAST:
            return 0
        if self.skipped:
            self.skipped -= 1
            return 0
        speed, left, rate = self.speed or SPEED, self.left or LEFT, rate * 1024 or 1e-6
        costs = [1 / rate]
        for work, send in (1 / speed, left / rate), (SLOWER / speed, SMALLER * left / rate):
            costs.append(max(work, send + work * (1 - self.hidden)))
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
        self.speed = (self.speed or speed) * (1 - NEW) + speed * NEW
        self.left = (self.left or left) * (1 - NEW) + left * NEW
        return True

    def skip(self):
        self.skipped, self.pause = self.pause, min(2 * self.pause, PAUSE_MOST)
        self.speed = self.left = 0


class Packer:
    """Compresses results, each a zlib stream of its own."""

    def __init__(self, agent):
        self.agent = agent
        self.choice = Choice()

    def rate(self):
        return self.agent.rate

    def pack(self, flags, data):
        """A frame's flags and payload, as they travel."""
        rate = self.rate()
        choice, size = self.choice, len(data)
        level = choice.level(rate)
        if not level or not choice.speed and size > 4 * SAMPLE and not self.tried(1, data[:SAMPLE], lambda data: zlib.compress(data, 1)):
            return flags, data
        return self.deflate(level, flags, data) or (flags, data)

    def tried(self, level, data, deflate):
        """What a function makes of it, if that was worth it."""
        start = monotonic()
        packed = deflate(data)
        return packed if self.choice.tried(level, len(data), len(packed), monotonic() - start) else None

    def deflate(self, level, flags, data):
        packed = self.tried(level, data, lambda data: zlib.compress(data, level))
        return packed and (flags | DEFLATED, packed)


class StreamPacker(Packer):
    """Compresses the chunks of a stream, all of the same level as one zlib stream: what came before is known by then."""

    stream = level = None
    guessed = 0

    def rate(self):
        if not self.agent.rate >> 32:
            return self.agent.rate
        if self.guessed == FIRST:
            return GUESSES[1]
        self.guessed += 1
        return GUESSES[0]

    def deflate(self, level, flags, data):
        stream, self.stream = self.stream, None
        if stream and self.level == level:
            flags |= CONTINUED
        else:
            stream = zlib.compressobj(level)
        packed = self.tried(level, data, lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))
        if packed:
            # What is not sent is not known there.
            self.stream, self.level = stream, level
            return flags | DEFLATED, packed


def shrink(agent, call, payload):
    """A result as it travels."""
    packer = agent.__dict__.get("packer")
    if not packer:
        packer = agent.packer = Packer(agent)
        packer.choice.hidden = 0
    flags, payload = packer.pack(0, payload)
    call.streamed |= flags
    return payload
