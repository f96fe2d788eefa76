"""Reads frames, runs what they call, and answers: what every session does. The rest of the class is in `seldom`."""
import _signal
import os
import sys
from _thread import RLock, allocate_lock, get_ident, stack_size, start_new_thread
from os import _exit, getpgrp, getpid, read, write
from select import POLLIN, poll, select
from time import monotonic, sleep

from rmote.wire import HEAD, LIMIT, decode, encode, request

VERSION = 1
HELLO, LOAD, CALL, CLOSE, RETURN, RAISE, BYE = 1, 2, 3, 6, 33, 34, 38
PART = 1 << 16
TICK = 0.005
# What a read has room for: more where much comes.
ROOM, ROOM_MOST = 1 << 12, 1 << 18
ANSWERS = RETURN, RAISE
PLAIN = {type(None), bool, int, float, str, bytes}
# The call that each thread runs.
CURRENT = {}
RECURSION = sys.getrecursionlimit()
agent = None
# Holds an item for each process that is being started and is no call's yet.
starting = []


class NoSuchFunction(LookupError):
    """Nothing can be called by the name that was given."""


class Cancelled(BaseException):
    """What a cancelled call raises; no Exception, so that who retries after each of those does not go on."""

    def __str__(self):
        return "the call was cancelled"


class Call:
    """One call in flight."""

    function = task = deadline = results = thread = settle = check = None
    cancelled = done = streamed = killed = False
    streams = printed = groups = ()

    def __init__(self, id):
        self.id = id

    def own(self, name, make):
        """An attribute that most calls do without."""
        return self.__dict__.setdefault(name, self.__dict__.get(name) or make())

    def bell(self):
        """A lock that a cancellation releases once: who gets it raises Cancelled, or sees to it."""
        lock = allocate_lock()
        lock.acquire()
        return self.__dict__.setdefault("rung", lock)


class Function:
    """What a name stands for, and whether it has been slow."""

    # Whether it is a tool's of the user's own, whether its arguments may have to be fitted, and to what; the latter is found
    # out when it is first called.
    own = slow = convert = False
    kinds = None

    def __init__(self, run):
        self.run = inner = run
        for _ in range(9):
            inner = getattr(inner, "__wrapped__", inner)
        # What was decorated, for its signature.
        self.inner = getattr(inner, "__func__", inner)
        self.code = getattr(self.inner, "__code__", None)
        try:
            self.convert = bool(self.inner.__annotations__)
        except Exception:
            # None, or Python 3.14 cannot evaluate them.
            pass


class Printing:
    """Stands in for sys.stdout or sys.stderr until something is done with it."""

    def __init__(self, number):
        self.number = number

    def __getattr__(self, name):
        from rmote.output import text
        return getattr(text(agent, self.number), name)


class Agent:
    heartbeat = threads = served = silent = at = 0
    limit = LIMIT
    log_level = 30
    # KiB a second that the link carries, as the controller sees it.
    rate = 1 << 32
    refusal = loop = inline = None
    # Which thread reads: its number. The watcher moves it on when the reader is stuck in a call.
    reader = 0
    room = ROOM
    idle = forked = False
    # Whether the watcher waits to be woken.
    dozing = True

    def __init__(self, sources):
        *low, self.null = fill()
        self.sources = sources
        sources.want = self.want
        self.input, self.out, self.errors = map(os.dup, (0, 1, 2))
        # What was read, and from where on (`at`) it was not yet looked at.
        self.data = b""
        # Frames to be written, header and payload in turn; before answers those of what was read from the descriptors.
        self.pending, self.heard = [], []
        # These two may be taken again by the thread that has them, since a finalizer may print.
        self.writing = RLock()
        self.printing = RLock()
        self.lock, self.parked, self.ending = [allocate_lock() for _ in range(3)]
        self.parked.acquire()
        self.session = Call(0)
        self.calls = {}
        self.streams = {}
        self.functions = {}
        self.owners = {}
        self.deadlines = set()
        # Calls that have printed a part of a line.
        self.held = set()
        # What is called before the process ends, however its calls fare: it leaves no files behind.
        self.cleanups = set()
        self.doomed = {}
        self.jobs = []
        # In the place of descriptors 1 and 2 are pipes, for what tools and their children write there.
        self.readers, self.places, self.poll = {}, {0: self.null}, poll()
        for number in 1, 2:
            reader, self.places[number] = os.pipe()
            os.set_blocking(reader, False)
            self.readers[reader] = number
            self.poll.register(reader, POLLIN)
        for number, own in self.places.items():
            os.dup2(own, number)
        self.texts = sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = Printing(1), Printing(2)
        # What wakes the watcher. A signal does so too: its handler may wait for ever for a main thread that fell asleep just
        # before it.
        self.woken, self.told = os.pipe()
        os.set_blocking(self.told, False)
        _signal.set_wakeup_fd(self.told)
        for number in low:
            if number > 2:
                os.close(number)

    def __getattr__(self, name):
        # What is seldom done is compiled when it is.
        from rmote.seldom import Seldom
        method = Seldom.__dict__.get(name)
        if not method:
            from rmote.further import Further
            method = Further.__dict__[name]
        setattr(Agent, name, method)
        return method.__get__(self)

    # Bytes out

    def send(self, kind, flags, id, payload):
        self.pending.extend((HEAD.pack(6 + len(payload), kind, flags, id), payload))
        if kind in ANSWERS:
            # Not sooner: what the call has written to the descriptors may be read between.
            self.calls.pop(id, None)
        if len(payload) > 4096 or len(self.pending) > 200:
            self.flush()

    def flush(self, *bulk):
        """Writes all that waits, and then a frame that is not to wait."""
        if (self.pending or self.heard or bulk) and not self.writing._is_owned():
            with self.writing:
                while self.pending or self.heard:
                    batch = self.pending[:]
                    del self.pending[:len(batch)]
                    if self.heard or any(head[4] in ANSWERS for head in batch[::2]):
                        # Output comes before the result.
                        if self.poll.poll(0):
                            self.hear(batch)
                        if self.heard:
                            batch = self.insert(batch)
                    self.write(batch)
                if bulk:
                    self.write(bulk)

    def want(self):
        """Asks for the rest of the agent, unless it is here; what waits to be written may be what it waits for."""
        if self.sources.rest is self.sources.asked is None:
            self.sources.asked = True
            self.send(LOAD, 2, 0, b"")
        self.flush()

    def write(self, parts):
        if max(map(len, parts)) <= PART:
            data, done = b"".join(parts), 0
            try:
                done = write(self.out, data)
            except OSError:
                # If it lasts, the following meets it again.
                pass
            if done == len(data):
                return
            parts = memoryview(data)[done:],
        self.write_large(parts)

    # Bytes in

    def guard(self, job, *args):
        """Runs what one of the agent's own threads does."""
        try:
            job(*args)
        except BaseException as error:
            self.end(error)

    def read(self, mine):
        """Reads and serves until another thread has become the reader."""
        unpack = HEAD.unpack_from
        while True:
            data, at = self.data, self.at
            size, missing = len(data), 0
            while size - at >= 10:
                length, kind, flags, id = unpack(data, at)
                if not 6 <= length <= LIMIT + 6:
                    raise ValueError("frame of %d bytes" % length)
                end = at + 4 + length
                if end > size:
                    missing = end - size
                    break
                payload = data[at + 10:end]
                # Another thread may read on meanwhile.
                self.at = at = end
                if kind == CALL and flags < 2:
                    if not self.call(mine, id, payload, flags):
                        return
                elif kind == LOAD and flags < 3:
                    self.load(flags, payload)
                elif kind == HELLO and not flags:
                    self.greet(decode(payload))
                elif kind == CLOSE and not flags:
                    self.send(BYE, 0, 0, b"")
                    self.flush()
                    self.end()
                else:
                    self.control(kind, flags, id, payload)
            self.flush()
            if not self.calls:
                sys.stdout, sys.stderr = self.texts
            data = payload = None
            parts = [self.data[at:]]
            self.data = b""
            while True:
                # The rest of a large frame is not moved each time some of it comes.
                parts.append(self.receive(min(max(missing, self.room), ROOM_MOST), missing))
                missing -= len(parts[-1])
                if missing <= 0:
                    break
            self.data, self.at = b"".join(parts), 0

    def receive(self, room, _=0):
        while True:
            try:
                data = read(self.input, room)
                break
            except BlockingIOError:
                select([self.input], [], [])
            except OSError:
                data = b""
                break
        if not data:
            self.end()
        self.silent = 0
        self.room = ROOM if len(data) < room // 4 else min(4 * room, ROOM_MOST) if len(data) == room else room
        return data

    def greet(self, hello):
        if hello["version"] != VERSION:
            self.refusal = "the controller speaks protocol %s, this agent %d" % (hello["version"], VERSION)
        self.limit = min(hello["frame_limit"] - 6, LIMIT)
        self.log_level = hello["log_level"]
        self.heartbeat = hello.get("heartbeat", 0) / 1000

    def load(self, flags, payload):
        if flags == 2:
            return self.sources.complete(payload)
        name, source, file, package = decode(payload)
        if flags:
            import zlib
            source = zlib.decompressobj().decompress(source, LIMIT)
        self.sources.add(name, source, file, package)

    # Calls

    def call(self, mine, id, payload, flags):
        """Serves a call; false when another thread reads by now."""
        call = self.calls[id] = Call(id)
        self.served += 1
        if self.dozing:
            self.wake()
        try:
            if self.refusal:
                raise NoSuchFunction(self.refusal)
            name, deadline, args, kwargs, *streams = request(payload)
            if flags or streams:
                from rmote.streams import bind
                bind(self, call, flags, args, kwargs, *streams or ({},))
            function = self.functions.get(name)
            if deadline:
                call.deadline = monotonic() + deadline / 1000
                self.deadlines.add(call)
            # Not sooner may another thread read on: the streams would not be there for what comes to them.
            self.inline = call
        except Exception as error:
            self.inline = call
            self.fail(call, error, "agent")
        else:
            (self.spawn if function and function.slow else self.run)(call, function, name, args, kwargs)
        with self.lock:
            if self.reader == mine:
                self.inline = None
                return True
        self.flush()
        return False

    def run(self, call, function, name, args, kwargs):
        thread = get_ident()
        CURRENT[thread] = call
        by, failed = "function", None
        try:
            if call.cancelled and name:
                raise Cancelled
            function = call.function = function or self.resolve(name)
            if function.own and (function.convert or not PLAIN.issuperset(map(type, args)) or not PLAIN.issuperset(map(type, kwargs.values()))):
                by = "agent"
                from rmote.arguments import convert
                args, kwargs = convert(function, args, kwargs)
                by = "function"
            call.thread = thread
            try:
                result = function.run(*args, **kwargs)
                if call.results and name:
                    result = call.results.begin(result)
            finally:
                # What waits to be raised by now would hit the agent. A stream may go on in another thread.
                if call.thread == thread:
                    call.thread = None
                    if call.settle:
                        call.settle()
            if hasattr(type(result), "__await__"):
                self.follow(call, result)
                call = None
        except BaseException as error:
            failed = error
        if sys.getrecursionlimit() < RECURSION:
            sys.setrecursionlimit(RECURSION)
        if failed is not None:
            self.fail(call, failed, by)
            # It holds this frame.
            failed = None
        elif call:
            self.finish(call, result)
        del CURRENT[thread]

    def finish(self, call, result):
        if call.results and result is call.results:
            # It goes on when the controller has taken some.
            return
        try:
            if call.killed:
                # The result may be of commands that were ended.
                raise Cancelled
            payload = encode(result, self.limit)
            if len(payload) > 1 << 14 and self.rate < PART:
                from rmote.compression import shrink
                payload = shrink(self, call, payload)
        except BaseException as error:
            self.fail(call, error, "agent")
        else:
            self.answer(RETURN, call, payload)

    def answer(self, kind, call, payload):
        if self.forked:
            _exit(0)
        with self.printing:
            if call.printed:
                self.flush_printed(call)
            call.done = True
        for stream in call.streams:
            stream.end()
        if call.deadline:
            self.deadlines.discard(call)
        if call.groups:
            self.session.own("groups", set).update(call.groups)
        self.send(kind, kind == RETURN and call.streamed, call.id, payload)

    def resolve(self, name):
        """The function of a name, `module:qualified.name` or a dotted name."""
        module, colon, path = name.partition(":")
        if not colon:
            module, _, path = name.rpartition(".")
        while not module or not (module in self.sources.table or importable(module)):
            if colon or "." not in module:
                raise NoSuchFunction("%s: no module of that name" % name)
            module, _, part = module.rpartition(".")
            path = part + "." + path
        own = module in self.sources.table and not module.startswith("rmote.")
        target = self.sources.module(module)
        for attribute in path.split("."):
            owner, target = target, getattr(target, attribute, self)
            if target is self:
                raise NoSuchFunction("%s: no attribute %s" % (name, attribute))
        function = Function(target)
        if isinstance(owner, type) and function.code and function.code.co_varnames[:1] == ("self",) and not hasattr(target, "__self__"):
            # A plain method: all calls of a session share one instance.
            instance = self.owners.setdefault(owner, [RLock()])
            with instance[0]:
                if len(instance) < 2:
                    instance.append(owner())
            function = Function(getattr(instance[1], attribute))
        function.own = own
        return self.functions.setdefault(name, function)

    # The process

    def wake(self):
        """Wakes the watcher."""
        if self.dozing:
            self.dozing = False
            try:
                write(self.told, b"\0")
            except BlockingIOError:
                pass

    def attend(self):
        """The watcher, up to its first tick after something has happened."""
        select([self.woken, *self.readers], [], [])
        sleep(TICK)
        self.watch()

    def fork(self):
        """In a forked child: the link is the parent's alone."""
        self.forked = True
        self.sources.want = bool
        self.sources.complete(b"")
        for number in (self.input, self.out, self.errors, self.told, self.woken, *self.readers):
            os.closerange(number, number + 1)
        try:
            # A signal to the child is none to the parent's event loop.
            _signal.set_wakeup_fd(-1)
        except ValueError:
            # PyPy has its own idea of the main thread.
            pass

    def end(self, reason=None):
        """Ends the process and whatever its calls have started."""
        if self.forked:
            _exit(1)
        while not self.ending.acquire(False):
            # Another thread ends the process; this one must do nothing more.
            sleep(60)
        try:
            if reason or self.cleanups or starting or fruitful():
                self.clean_up(reason)
        finally:
            _exit(reason is not None)


def fill():
    """Takes the low descriptors: 0 to 2 if they are closed, and those that a tool may close blindly."""
    low = [os.open(os.devnull, os.O_RDWR)]
    while low[-1] < 24:
        low.append(os.dup(low[-1]))
    return low


def importable(module):
    try:
        __import__(module)
    except ImportError as error:
        if error.name and (module + ".").startswith(error.name + "."):
            return False
        raise
    return True


def fruitful():
    """Whether this process has, or has ever had, a child."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        try:
            with open("/proc/self/stat", "rb") as file:
                # What children that were waited for have cost: page faults, which none does without.
                return file.read().rpartition(b")")[2].split()[8] != b"0"
        except OSError:
            pass
    except AttributeError:
        pass
    return True


def main(sources):
    global agent
    # A cancellation ends it.
    sys.modules["time"].sleep = lambda seconds: agent.nap(seconds)
    if getpgrp() != getpid():
        # A terminal's Ctrl-C is the controller's to act on, and what calls start can be ended by group.
        os.setsid()
    agent = Agent(sources)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=agent.fork)
    else:
        agent.hook_fork()
    # HUP and TERM end the agent in order; INT and ALRM are nothing to it, though a tool may cause them. Python ignores PIPE,
    # and all children would; what has a handler here is the default in them.
    for number in 1, 2, 13, 14, 15:
        _signal.signal(number, lambda number, _: number in (1, 15) and not agent.ending.locked() and agent.end())
    # A map of eight pairs; the version of Python is a tuple of three.
    python = b"\t\3" + b"".join(map(encode, sys.version_info[:3]))
    pairs = (
        "version", VERSION, "frame_limit", LIMIT + 6, "implementation", sys.implementation.name, "executable", sys.executable or "",
        "platform", sys.platform, "hostname", os.uname()[1], "pid", getpid(), "python")
    agent.send(HELLO, 0, 0, b"\x0b\x08" + b"".join(map(encode, pairs)) + python)
    # At once: a first call that ends the process has ended an agent that had begun.
    agent.flush()
    # Where the system's own is small, as with musl, a deep recursion would end the process.
    stack_size(1 << 23)
    for job in (agent.attend,), (agent.read, 0):
        agent.guard(start_new_thread, agent.guard, job)
    # Signal handlers, a tool's too, run in the main thread: besides it sees whether the controller lives, and runs the loop.
    while not agent.loop:
        try:
            agent.parked.acquire(True, 1)
            agent.listen(lambda: agent.loop)
        except BaseException:
            pass
    agent.guard(agent.loop.run)
