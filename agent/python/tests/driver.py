"""A controller in few lines: starts an agent as rmote does and speaks frames with it."""
import os
import select
import signal
import subprocess
import sys
import time
import zlib

import bootstrap
import column_reader

from rmote.wire import HEAD, encode
from rmote.wire import decode as decode_plain

SOURCES = os.path.dirname(bootstrap.HERE)
CORE = ("wire", "values", "seldom", "agent")
REST = 2
MARK = b"0123456789abcdef" * 2
RUN = "import sys;exec(sys.argv[1].replace(chr(126),chr(10)))"
HELLO, LOAD, CALL, CANCEL, PING, CLOSE, RETURN, RAISE, OUTPUT, LOG, PONG, BYE = 1, 2, 3, 4, 5, 6, 33, 34, 35, 36, 37, 38
INPUT, CREDIT, INPUT_END, DATA, INPUT_CREDIT, DATA_END = 7, 8, 9, 39, 40, 41
# What each stream begins with.
FIRST = 1 << 18
# The rate of a link, in KiB a second, on which nothing is compressed.
FAST = 1 << 15
# Only a hang lasts that long.
PATIENCE = 90


def source(name):
    with open(os.path.join(SOURCES, name + ".py"), "rb") as file:
        return file.read()


def first_stage():
    """The first stage as one shell word."""
    lines = source("first_stage").decode().split("\n")
    return "~".join(line.replace("    ", " ") for line in lines if line and not line.startswith("#"))


def joined(names):
    return b"\0".join("rmote.{}".format(name).encode() + b"\0" + source("rmote/" + name) for name in names)


def core():
    """Loader and agent as the bytes that follow on standard input."""
    return b"#rmote\n" + zlib.compress(source("rmote/loader") + b"\0" + joined(CORE))


def rest():
    """What the agent gets of itself once it has said hello."""
    names = {name[:-3] for name in os.listdir(os.path.join(SOURCES, "rmote")) if name.endswith(".py")}
    return frame(LOAD, 0, zlib.compress(joined(sorted(names.difference(CORE, ["loader"])))), REST)


def argv(python=None, size=None, rest=()):
    size = len(core()) if size is None else size
    swapped = (MARK[16:] + MARK[:16]).decode()
    return [python or sys.executable, "-ESsc", RUN, first_stage(), swapped, str(size), "", RUN] + list(rest)


def decode(data):
    """A value; only a controller reads columns, which a list of a hundred items or more is."""
    return column_reader.read(data) if data[:1] == b"\x0e" else decode_plain(data)


def frame(kind, id=0, payload=b"", flags=0):
    return HEAD.pack(6 + len(payload), kind, flags, id) + bytes(payload)


def alive(pid):
    """Whether a process is there and no zombie."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def members(group):
    """The living processes of a group."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as file:
                state, _, its = file.read().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its) == group and state not in "ZX":
            found.append(int(pid))
    return found


def until(what, message="it never happened"):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(message)


class Raised(Exception):
    """A call ended with an exception."""

    def __init__(self, described):
        Exception.__init__(self, described)
        self.__dict__.update(described)
        self.described = described
        self.given = described.get("args")


class Link:
    """The bytes of a process; nothing here waits for ever."""

    def __init__(self, words, **options):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **options)
        self.buffer = b""

    def write(self, data):
        """Writes all, and reads meanwhile so that neither side waits for the other."""
        view = memoryview(data)
        while len(view):
            readable, writable, _ = select.select([self.process.stdout], [self.process.stdin], [], PATIENCE)
            if not readable and not writable:
                raise AssertionError("the link takes nothing")
            if readable:
                self.fill()
            if writable:
                view = view[os.write(self.process.stdin.fileno(), view[:4096]):]

    def fill(self):
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise AssertionError("nothing comes")
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def rest(self):
        """All that comes until the other side closes."""
        try:
            while True:
                self.fill()
        except EOFError:
            data, self.buffer = self.buffer, b""
            return data

    def wait(self):
        """Closes the link and returns the exit status and what standard error held."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.rest()
            status = self.process.wait(PATIENCE)
            return status, self.process.stderr.read()
        finally:
            if self.process.returncode is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()


class Agent(Link):
    """A session."""

    def __init__(self, python=None, log_level=20, frame_limit=(1 << 27) + 6, version=1, heartbeat=0, whole=True, rate=FAST, **options):
        Link.__init__(self, argv(python), **options)
        self.returned = {}
        self.outputs = {}
        self.order = []
        self.logs = []
        self.dropped = 0
        self.pongs = []
        self.asked = 0
        self.items = {}
        self.parts = {}
        self.taken = {}
        self.given = {}
        self.granted = {}
        self.over = set()
        self.streamed = set()
        self.hello = None
        self.bye = False
        self.last = 0
        hello = encode({"version": version, "frame_limit": frame_limit, "log_level": log_level, "heartbeat": heartbeat})
        # Sooner than a controller sends the rest, since a test may not care to read the agent's hello; `whole=False` is as it does.
        self.whole = whole
        self.rate = b"" if rate is None else frame(CREDIT, 0, rate.to_bytes(4, "little"))
        self.deflated = []
        self.inflating = {}
        self.write(core() + frame(HELLO, payload=hello) + (rest() + self.rate if whole else b""))
        begin = self.take(len(MARK) + 1)
        if begin != MARK + b"P":
            raise AssertionError(begin + self.rest())

    @property
    def pid(self):
        return self.process.pid

    def load(self, name, text, package=False):
        """Loads a module."""
        source = text if isinstance(text, bytes) else text.encode()
        payload = encode((name, zlib.compress(source), name.replace(".", "/") + ".py", package))
        self.write(frame(LOAD, payload=payload, flags=1))

    def load_own(self, *names):
        for name in names + ("children",) * ("process" in names):
            self.load("rmote." + name, source("rmote/" + name))

    def call(self, function, *args, **kwargs):
        """Sends a call and returns its id; `deadline` is in milliseconds, `streams` names arguments, `take` takes a stream."""
        self.last += 1
        deadline, streams, take = kwargs.pop("deadline", 0), kwargs.pop("streams", None), kwargs.pop("take", False)
        parts = (function, deadline, list(args), kwargs) + ((streams,) if streams else ())
        if streams or take:
            self.load_own("streams")
        self.write(frame(CALL, self.last, encode(parts), flags=take))
        return self.last

    def stream(self, function, *args, **kwargs):
        """Calls a function whose results are a stream."""
        return self.call(function, *args, take=True, **kwargs)

    def grant(self, id, size):
        self.given[id] = self.given.get(id, 0) + size
        self.write(frame(CREDIT, id, size.to_bytes(4, "little")))

    def put(self, id, item):
        """Sends an item of an input."""
        self.write(frame(INPUT, id, item if isinstance(item, bytes) else encode(item), flags=isinstance(item, bytes)))

    def put_deflated(self, id, payload, flags):
        self.write(frame(INPUT, id, zlib.compress(payload), flags=flags | 4))

    def put_parts(self, id, parts, level=6):
        """Sends items of an input as one zlib stream."""
        stream = zlib.compressobj(level)
        for number, part in enumerate(parts):
            payload = stream.compress(part) + stream.flush(zlib.Z_SYNC_FLUSH)
            self.write(frame(INPUT, id, payload, flags=13 if number else 5))

    def end(self, id, reason=None):
        self.write(frame(INPUT_END, id, (reason or "").encode(), flags=reason is not None))

    def all(self, id):
        """All items of a stream, taken as fast as they come, once its call has ended."""
        seen = 0
        while id not in self.returned:
            self.serve()
            if self.taken.get(id, 0) - seen > FIRST // 2:
                self.grant(id, self.taken[id] - seen)
                seen = self.taken[id]
        return self.items.get(id, [])

    def cancel(self, id):
        self.write(frame(CANCEL, id))

    def serve(self):
        """Takes one frame."""
        length, kind, flags, id = HEAD.unpack(self.take(10))
        payload = self.take(length - 6)
        self.order.append((kind, id))
        if kind != HELLO and not self.whole:
            # Its first word after hello: it has answered, or asks.
            self.whole = True
            self.write(rest() + self.rate)
        size = len(payload)
        if kind == RETURN and flags & 4:
            payload = zlib.decompress(payload)
            self.deflated.append((id, len(payload), size))
        elif kind == DATA and flags & 4:
            if not flags & 8:
                self.inflating[id] = zlib.decompressobj()
            payload = self.inflating[id].decompress(payload)
            self.deflated.append((id, len(payload), size))
        if kind in (RETURN, RAISE):
            if id in self.returned:
                raise AssertionError("call %d is answered twice" % id)
            self.returned[id] = kind, decode(payload)
            if flags & 1:
                self.streamed.add(id)
        elif kind == OUTPUT:
            if id in self.returned:
                raise AssertionError("output of call %d after its answer" % id)
            key = id, 2 if flags else 1
            self.outputs[key] = self.outputs.get(key, b"") + payload
        elif kind == DATA:
            if id in self.returned or id in self.over:
                raise AssertionError("data of %d after its end" % id)
            if self.taken.get(id, 0) >= FIRST + self.given.get(id, 0):
                raise AssertionError("data of %d without credit" % id)
            self.taken[id] = self.taken.get(id, 0) + 10 + size
            part = self.parts.setdefault(id, [])
            part.append(payload)
            if not flags & 2:
                payload = b"".join(self.parts.pop(id))
                self.items.setdefault(id, []).append(payload if flags & 1 else decode(payload))
        elif kind == INPUT_CREDIT:
            self.granted[id] = self.granted.get(id, 0) + int.from_bytes(payload, "little")
        elif kind == DATA_END:
            self.over.add(id)
        elif kind == LOG and flags:
            self.dropped += decode(payload)
        elif kind == LOG:
            self.logs.append((id,) + decode(payload))
        elif kind == PONG:
            self.pongs.append(payload)
        elif kind == HELLO:
            self.hello = decode(payload)
        elif kind == LOAD:
            self.asked += 1
            if (flags, id, payload) != (2, 0, b""):
                raise AssertionError("load with %r" % ((flags, id, payload),))
        elif kind == BYE:
            self.bye = True
        else:
            raise AssertionError("kind %d" % kind)

    def result(self, id):
        while id not in self.returned:
            self.serve()
        kind, value = self.returned[id]
        if kind == RAISE:
            raise Raised(value)
        return value

    def error(self, id):
        """How a call failed."""
        try:
            value = self.result(id)
        except Raised as error:
            return error
        raise AssertionError("it returned %r" % (value,))

    def run(self, function, *args, **kwargs):
        return self.result(self.call(function, *args, **kwargs))

    def fails(self, function, *args, **kwargs):
        return self.error(self.call(function, *args, **kwargs))

    def printed(self, id, number=1):
        return self.outputs.get((id, number), b"")

    def output(self, number=1):
        """All that was printed, by any call."""
        return b"".join(data for (_, its), data in sorted(self.outputs.items()) if its == number)

    def close(self):
        """Ends the session and checks that nothing is left of it."""
        status, errors = self.wait()
        left = members(self.pid)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        if left:
            raise AssertionError("processes are left: %r" % left)
        if status or errors:
            raise AssertionError("exit status %r, %s" % (status, errors.decode("utf-8", "replace")))
