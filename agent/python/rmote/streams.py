"""Streams: a call's results, and arguments that are read or written while the call runs. Each has a credit in bytes."""
from _collections import deque
from _thread import RLock, allocate_lock
from io import RawIOBase
from time import monotonic

from rmote.agent import Cancelled, NoSuchFunction
from rmote.wire import HEAD, LIMIT, decode, encode

INPUT, INPUT_END, DATA, CREDIT, END = 7, 9, 39, 40, 41
RAW, MORE, DEFLATED, CONTINUED, FAILED = 1, 2, 4, 8, 1
# What a part of a zlib stream ends with.
FLUSHED = b"\0\0\xff\xff"
# What every stream begins with, and what one that is read may have on its way.
FIRST, WINDOW = 1 << 18, 1 << 20
CHUNK = 1 << 17
# KiB a second from which on a link is fast: nothing is compressed.
FAST = 1 << 15
# How many bytes tell how fast a link is: the first time, and later.
FEW, MANY = 1 << 13, 1 << 18
# How many frames that nobody had to wait for do, and the least that they can tell, in KiB a second: less than what a sender
# takes a link for that nobody knows is no news.
WHOLE, LEAST = 3, 1 << 10
# What a frame has at least whose bytes are measured, and what is worth a guess.
BULK, LARGE = 1 << 12, 1 << 14
# Seconds that a thread waits for credit before it leaves the stream and does other work.
PATIENCE = 0.1
BYTES = (bytes, bytearray, memoryview)


def bind(agent, call, flags, args, kwargs, arguments):
    """Makes a call's streams."""
    call.streams = []
    if flags:
        call.results = Results(agent, call, call.id)
    for key, id in arguments.items():
        stream = Input(agent, call, id) if id > 0 else Output(agent, call, -id)
        if isinstance(key, str):
            kwargs[key] = stream
        elif key < len(args):
            args[key] = stream
        else:
            raise NoSuchFunction("there is no argument %d to be a stream" % key)


class Stream:
    """What the streams share: who waits for something, and how it is told."""

    over = False
    future = None

    def __init__(self, agent, call, id):
        self.agent, self.call, self.id = agent, call, id
        self.gate = allocate_lock()
        self.gate.acquire()
        # Who has it deflates or inflates: each frame builds on those before. A finalizer may write in between.
        self.order = RLock()
        call.streams.append(self)
        agent.streams[id] = self

    def notify(self):
        """Wakes whoever waits, a thread or a coroutine."""
        try:
            self.gate.release()
        except RuntimeError:
            pass
        if self.future:
            self.agent.loop.loop.call_soon_threadsafe(self.resolve)

    def resolve(self):
        future, self.future = self.future, None
        if future and not future.done():
            future.set_result(None)

    async def notified(self, ready):
        """Waits in a coroutine until something is so."""
        while not ready():
            if self.future is None:
                self.future = self.agent.loop.loop.create_future()
            # What came just before is seen here.
            if not ready():
                await self.future

    def end(self):
        """Its call has ended."""
        self.over = True
        self.agent.streams.pop(self.id, None)
        self.notify()

    def check(self):
        if self.call.cancelled:
            # Nothing else then does, not while the function cleans up.
            self.call.bell().acquire(False)
            if self.call.task:
                self.agent.loop.hit(self.call)
            raise Cancelled
        if self.over:
            raise InterruptedError("the call of this stream has ended")


class Sending(Stream):
    """A stream to the controller. Two threads count, each its own: what was granted, and what was used."""

    granted, used = FIRST, 0
    flushed = 0
    packer = None

    def take(self, kind, flags, payload):
        """More credit."""
        with self.agent.lock:
            self.granted += int.from_bytes(payload, "little")
        self.notify()

    def open(self):
        return self.granted > self.used or self.over or self.call.cancelled

    def frame(self, flags, data):
        rate = self.agent.rate
        if rate < FAST and len(data) > 4096 or rate >> 32 and len(data) >= LARGE and self.agent.sources.rest is not None:
            if not self.order._is_owned():
                with self.order:
                    if not self.packer:
                        from rmote.compression import StreamPacker
                        self.packer = StreamPacker(self.agent)
                    return self.post(*self.packer.pack(flags, data))
        self.post(flags, data)

    def post(self, flags, data):
        agent = self.agent
        self.used += 10 + len(data)
        if len(data) > 4096:
            # It does not wait behind the small ones, nor they behind it.
            agent.flush(HEAD.pack(6 + len(data), DATA, flags, self.id), data)
        else:
            agent.send(DATA, flags, self.id, bytes(data))
            now = monotonic()
            if now - self.flushed > 0.001:
                self.flushed = now
                agent.flush()
            else:
                # Many that come at once travel together.
                agent.wake()

    def split(self, item):
        """The frames of an item, last first: flags and content."""
        if not isinstance(item, BYTES):
            return [(0, encode(item, self.agent.limit))]
        view = memoryview(item).cast("B")
        size = min(CHUNK, self.agent.limit)
        frames = [(RAW | MORE, view[at:at + size]) for at in range(0, len(view) or 1, size)]
        frames[-1] = RAW, frames[-1][1]
        frames.reverse()
        return frames


class Results(Sending):
    """The items of the iterator that a function returned."""

    iterator = None
    own = parked = False
    rest = ()

    def begin(self, result):
        """Sends what a function returned, if that is an iterator."""
        self.iterator = result
        if hasattr(type(result), "__next__"):
            return self.run()
        return self.follow() if hasattr(type(result), "__aiter__") else result

    def notify(self):
        Sending.notify(self)
        with self.agent.lock:
            parked = self.parked and self.open()
            if parked:
                self.parked = False
        if parked:
            self.agent.spawn(self.call, self, "", (), {})

    def park(self):
        with self.agent.lock:
            self.parked = not self.open()
            return self.parked

    def run(self):
        """Sends items until the end and returns what the generator returned, or until there is no credit and returns itself.

        Then it goes on in another thread when there is some, so that streams that nobody reads keep no threads.
        """
        agent, call = self.agent, self.call
        call.streamed = True
        try:
            while True:
                if not self.open():
                    # The thread that reads must not wait for what it has to read itself.
                    if agent.inline is not call and self.gate.acquire(True, PATIENCE):
                        continue
                    agent.flush()
                    if self.park():
                        return self
                self.check()
                if not self.rest:
                    try:
                        item = next(self.iterator)
                    except StopIteration as stop:
                        return stop.value
                    self.rest = self.split(item)
                self.frame(*self.rest.pop())
        except BaseException:
            close = getattr(self.iterator, "close", None)
            if close:
                close()
            raise

    async def follow(self):
        """The same for an asynchronous iterator."""
        from asyncio import sleep
        self.call.streamed = True
        iterator = self.iterator
        try:
            async for item in iterator:
                for frame in reversed(self.split(item)):
                    await self.notified(self.open)
                    self.check()
                    flushed = self.flushed
                    self.frame(*frame)
                    if flushed != self.flushed:
                        await sleep(0)
        finally:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()


class Output(Sending, RawIOBase):
    """A stream that a function writes: a file object for bytes, and `send` for values."""

    def write(self, data):
        """Sends bytes; waits while the reader has not taken what came before."""
        for flags, part in reversed(self.split(data)):
            # Bytes have no borders here, so nothing has to be joined.
            self.put(flags & RAW, part)
        return memoryview(data).nbytes

    def send(self, value):
        """Sends one item; waits as `write` does."""
        for flags, part in reversed(self.split(value)):
            self.put(flags, part)

    def put(self, flags, part):
        while True:
            self.check()
            if self.closed:
                raise ValueError("the stream is closed")
            if self.open():
                break
            self.gate.acquire()
        self.frame(flags, part)

    def writable(self):
        return True

    def close(self):
        if not self.closed and not self.over:
            self.agent.send(END, 0, self.id, b"")
            self.agent.flush()
        RawIOBase.close(self)


class Input(Stream, RawIOBase):
    """A stream that a function reads: an iterator over the items, or a file object over the bytes."""

    ended = False
    error = None
    # The zlib stream that a frame may go on with.
    inflating = None
    # What the sender may not have been told yet; what it was given at the start is less than the window.
    consumed = WINDOW - FIRST

    def __init__(self, agent, call, id):
        Stream.__init__(self, agent, call, id)
        self.frames = deque()
        self.left = b""

    def take(self, kind, flags, payload):
        if self.ended:
            return
        if kind == INPUT:
            self.frames.append((flags, payload))
            if len(payload) >= BULK or flags & DEFLATED:
                agent = self.agent
                if "meter" not in agent.__dict__:
                    agent.meter = Meter(agent)
                    agent.receive = agent.meter.receive
                agent.meter.tell(agent.meter.came(len(payload), monotonic()))
        else:
            self.ended = True
            if flags == FAILED:
                self.error = payload.decode("utf-8", "replace")
        self.notify()

    def ready(self):
        return self.frames or self.ended or self.over or self.call.cancelled

    def pop(self):
        """The next frame that is there, or None at the end."""
        self.check()
        if self.closed:
            raise ValueError("the stream is closed")
        if not self.frames:
            if self.error is not None:
                raise OSError("the sender of the stream failed: " + self.error)
            return None
        with self.order:
            flags, payload = self.frames.popleft()
            size = len(payload)
            # Not before it is read: unread it takes no more memory than its credit.
            if flags & DEFLATED:
                payload = self.inflate(payload, flags & CONTINUED)
        if self.ready():
            # For another thread that reads, too.
            self.notify()
        self.consumed += 10 + size
        if self.consumed >= WINDOW // 2 and not self.ended:
            self.agent.send(CREDIT, 0, self.id, self.consumed.to_bytes(4, "little"))
            self.agent.flush()
            self.consumed = 0
        return flags, payload

    def inflate(self, payload, continued):
        import zlib
        stream, self.inflating = self.inflating if continued else zlib.decompressobj(), None
        if stream:
            try:
                data = stream.decompress(payload, LIMIT + 1)
            except zlib.error:
                data = None
            if data is not None:
                if len(data) > LIMIT:
                    raise ValueError("a part of the stream inflates to more than the limit of %d bytes" % LIMIT)
                if stream.eof:
                    if not stream.unused_data:
                        return data
                elif payload.endswith(FLUSHED) and not stream.unconsumed_tail:
                    self.inflating = stream
                    return data
        raise ValueError("a deflated part of the stream is damaged")

    def frame(self):
        while not self.ready():
            self.gate.acquire()
        return self.pop()

    def __iter__(self):
        return self

    def __next__(self):
        if self.left:
            return self.read1()
        flags, payload = self.frame() or self.stop(StopIteration)
        if not flags & RAW:
            return decode(payload)
        if flags & MORE:
            parts = [payload]
            while flags & MORE:
                flags, payload = self.frame() or self.stop(EOFError)
                parts.append(payload)
            payload = b"".join(parts)
        return payload

    def __aiter__(self):
        return self

    async def __anext__(self):
        parts = [self.left] if self.left else []
        self.left = b""
        flags = 0 if parts else MORE
        while flags & MORE:
            await self.notified(self.ready)
            flags, payload = self.pop() or self.stop(EOFError if parts else StopAsyncIteration)
            if not flags & RAW:
                return decode(payload)
            parts.append(payload)
        return b"".join(parts)

    def stop(self, how):
        raise how

    def read1(self, size=-1):
        """Some bytes, as soon as there are any; none at the end."""
        while not self.left:
            frame = self.frame()
            if frame is None:
                return b""
            if not frame[0] & RAW:
                raise TypeError("the stream has values, not bytes")
            self.left = frame[1]
        data = self.left if size < 0 else self.left[:size]
        self.left = self.left[len(data):]
        return data

    def read(self, size=-1):
        """So many bytes, or all: less only at the end."""
        if size is None:
            size = -1
        parts = []
        while size:
            data = self.read1(size)
            if not data:
                break
            parts.append(data)
            size -= len(data) if size > 0 else 0
        return b"".join(parts)

    def readinto(self, buffer):
        view = memoryview(buffer).cast("B")
        data = self.read1(len(view))
        view[:len(data)] = data
        return len(data)

    def readable(self):
        return True

    def close(self):
        """Says that no more will be read; the sender then stops when its credit is used up."""
        self.frames.clear()
        RawIOBase.close(self)


class Meter:
    """How fast the bytes of frames come that have begun: their sender waits for nothing but the link."""

    size = seconds = waits = told = 0
    # Frames one after another of which nobody has waited for a part: how many, how large, and since when.
    whole = large = 0
    since = None
    waited = False
    need = FEW
    # Whether all that was there has been read, and whether what has come since counts.
    drained, counts = True, False

    def __init__(self, agent):
        self.agent = agent

    def receive(self, room, missing=0):
        """What the agent reads with from now on."""
        start = monotonic()
        data = type(self.agent).receive(self.agent, room)
        self.tell(self.read(len(data), room, monotonic() - start if missing > 0 else None))
        return data

    def tell(self, rate):
        if rate:
            self.agent.send(CREDIT, 0, 0, rate.to_bytes(4, "little"))

    def read(self, size, room, seconds):
        """A read for so many bytes; with seconds if a frame had begun before it."""
        if self.drained:
            # Else it is what came with the read before.
            self.counts = seconds is not None
            self.waits += self.counts
            self.waited |= self.counts
        self.drained = size < room
        return self.counts and self.add(size, seconds or 0)

    def came(self, size, now):
        """A frame is there. Many that nobody waited for: their sender is slower than the link, which carries more than they."""
        if self.waited or self.since is None:
            self.waited, self.whole, self.large, self.since = False, 0, 0, now
            return 0
        self.whole += 1
        self.large += size
        if self.whole < WHOLE:
            return 0
        rate = min(FAST, int(2 * self.large / 1024 / max(now - self.since, 1e-6)))
        self.whole, self.large, self.since = 0, 0, now
        if 3 * rate <= 4 * (self.told or LEAST):
            return 0
        self.told, self.size, self.seconds = rate, 0, 0
        return rate

    def add(self, size, seconds):
        """What the sender is to be told, in KiB a second, if it is news."""
        self.size += size
        self.seconds += seconds
        told = self.told
        if self.size < self.need:
            return 0
        rate = max(1, min(FAST, int(self.size / 1024 / max(self.seconds, 1e-6))))
        if rate == FAST and self.waits < 2:
            # Once is chance.
            return 0
        self.need = min(4 * self.need, MANY)
        # Half of it counts the next time, too: one moment in which this machine was busy is not the link.
        self.size, self.seconds = self.size // 2, self.seconds / 2
        if told and (rate == FAST) == (told == FAST) and 3 * told <= 4 * rate and 3 * rate <= 4 * told:
            return 0
        self.told = rate
        return rate
