"""Reads frames, runs what they call, and answers."""
import _signal
import _thread
import os
import select
import sys
import time

from rmote.wire import HEAD, NotData, TooLarge, decode, encode

try:
    from _contextvars import ContextVar
except ImportError:
    class ContextVar:
        """Python 3.6 has none: one value a thread, so coroutines share theirs."""

        def __init__(self, name):
            self.local = _thread._local()

        def get(self, default):
            return getattr(self.local, "value", default)

        def set(self, value):
            self.local.value = value

VERSION = 1
HELLO, LOAD, CALL, CANCEL, PING, CLOSE, RETURN, RAISE, OUTPUT, LOG, PONG, BYE = 1, 2, 3, 4, 5, 6, 33, 34, 35, 36, 37, 38
PART = 1 << 16
THREADS = 512
TICK = 0.005
QUIET_TICKS = 20
GRACE = 2.0
PLAIN = {type(None), bool, int, float, str, bytes}
CURRENT = ContextVar("rmote call")
agent = None


class NoSuchFunction(LookupError):
    """Nothing can be called by the name that was given."""


class Call:
    """One call in flight."""

    __slots__ = ("id", "function", "printed", "groups", "task", "cancelled", "done")

    def __init__(self, id):
        self.id = id
        self.function = None
        self.printed = {}
        self.groups = set()
        self.task = None
        self.cancelled = self.done = False


class Function:
    """What a name stands for, and whether it has been slow."""

    __slots__ = ("run", "convert", "slow")

    def __init__(self, run):
        self.run = run
        self.convert = None
        self.slow = False


class Agent:
    def __init__(self, sources):
        self.sources = sources
        self.input, self.out, self.errors = os.dup(0), os.dup(1), os.dup(2)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.close(null)
        self.frame_limit = 1 << 27
        self.log_level = 30
        self.refusal = None
        self.buffer = bytearray()
        self.pending = bytearray()
        self.write_lock = _thread.allocate_lock()
        self.lock = _thread.allocate_lock()
        self.session = Call(0)
        self.calls = {}
        self.functions = {}
        self.deadlines = {}
        self.loop = None
        self.jobs = []
        self.threads = 0
        # Which thread reads: its number. The watcher moves it on when the reader is stuck in a call.
        self.reader = 0
        self.inline = None
        self.served = 0
        self.alarm = _thread.allocate_lock()
        self.alarm.acquire()
        self.dozing = False
        self.wake_at = None
        self.forked = False
        self.ending = _thread.allocate_lock()

    # Bytes out

    def send(self, kind, flags, id, payload):
        with self.write_lock:
            self.pending += HEAD.pack(6 + len(payload), kind, flags, id)
            if len(payload) < PART:
                self.pending += payload
                if len(self.pending) < PART:
                    return
                payload = b""
            pending, self.pending = self.pending, bytearray()
            self.write(pending)
            self.write(payload)

    def flush(self):
        if self.pending:
            with self.write_lock:
                pending, self.pending = self.pending, bytearray()
                self.write(pending)

    def write(self, data):
        view = memoryview(data)
        while len(view):
            try:
                view = view[os.write(self.out, view):]
            except BlockingIOError:
                select.select([], [self.out], [])
            except OSError:
                self.end()

    # Bytes in

    def serve(self):
        try:
            self.read(self.reader)
        except BaseException as error:
            self.end("%s: %s" % (type(error).__name__, error))

    def read(self, mine):
        """Reads and serves until another thread has become the reader."""
        while True:
            buffer = self.buffer
            at = 0
            while len(buffer) - at >= 10:
                length, kind, flags, id = HEAD.unpack_from(buffer, at)
                if not 6 <= length <= self.frame_limit:
                    self.end("frame of %d bytes" % length)
                end = at + 4 + length
                if len(buffer) < end:
                    break
                payload = bytes(buffer[at + 10:end])
                at = end
                if kind == CALL:
                    # What has been served leaves the buffer first, since another thread may read on meanwhile.
                    del buffer[:at]
                    at = 0
                    if not self.call(mine, id, payload):
                        return
                else:
                    self.control(kind, flags, id, payload)
            if at:
                del buffer[:at]
            self.flush()
            try:
                data = os.read(self.input, PART)
            except BlockingIOError:
                select.select([self.input], [], [])
                continue
            except OSError:
                data = b""
            if not data:
                self.end()
            buffer += data

    def control(self, kind, flags, id, payload):
        if kind == LOAD:
            name, source, file, package = decode(payload)
            if flags & 1:
                import zlib
                source = zlib.decompressobj().decompress(source, self.frame_limit)
            self.sources.add(name, source, file, package)
        elif kind == CANCEL:
            self.cancel(id)
        elif kind == PING:
            self.send(PONG, 0, 0, payload)
        elif kind == HELLO:
            hello = decode(payload)
            if hello["version"] != VERSION:
                self.refusal = "the controller speaks protocol %s, this agent %d" % (hello["version"], VERSION)
            self.frame_limit = min(hello["frame_limit"], self.frame_limit)
            self.log_level = hello["log_level"]
        elif kind == CLOSE:
            self.send(BYE, 0, 0, b"")
            self.flush()
            self.end()
        else:
            self.end("frame of unknown kind %d" % kind)

    # Calls

    def call(self, mine, id, payload):
        """Serves a call; false when another thread reads by now."""
        call = self.calls[id] = Call(id)
        self.served += 1
        try:
            if self.refusal:
                raise NoSuchFunction(self.refusal)
            name, deadline, args, kwargs = decode(payload)
        except (ValueError, TypeError) as error:
            self.fail(call, error, "agent")
            return True
        if deadline:
            self.deadlines[call] = at = time.monotonic() + deadline / 1000
            if self.wake_at is None or at < self.wake_at:
                self.wake()
        function = self.functions.get(name)
        if function is not None and function.slow:
            self.spawn(lambda: self.run(call, function, name, args, kwargs))
            return True
        self.inline = call
        if self.dozing:
            self.wake()
        self.run(call, function, name, args, kwargs)
        with self.lock:
            if self.reader != mine:
                self.flush()
                return False
            self.inline = None
        return True

    def run(self, call, function, name, args, kwargs):
        CURRENT.set(call)
        try:
            function = call.function = function or self.resolve(name)
            if function.convert or not all(type(arg) in PLAIN for arg in args + list(kwargs.values())):
                from rmote.arguments import convert
                args, kwargs = convert(function, args, kwargs)
            result = function.run(*args, **kwargs)
            if hasattr(result, "__await__"):
                with self.lock:
                    if self.loop is None:
                        from rmote.coroutines import Loop
                        self.loop = Loop(self)
                self.loop.start(call, result)
                return
        except BaseException as error:
            self.fail(call, error)
        else:
            self.finish(call, result)
        CURRENT.set(None)

    def finish(self, call, result):
        try:
            payload = encode(result, self.frame_limit - 6)
        except BaseException as error:
            self.fail(call, error, "limit" if isinstance(error, TooLarge) else "agent")
        else:
            self.answer(RETURN, call, payload)

    def fail(self, call, error, by="function"):
        if call.cancelled:
            by = "cancelled"
        elif isinstance(error, NoSuchFunction) or type(error) is TypeError and error.__traceback__.tb_next is None:
            # A TypeError from outside every function: the arguments do not fit the signature.
            by = "agent"
        try:
            from rmote.failure import describe
            payload = encode(describe(error, by, self.sources))
        except BaseException as second:
            kind = type(error).__name__
            payload = encode({"by": by, "type": kind, "bases": [kind], "message": "it could not be described: %s" % type(second).__name__})
        self.answer(RAISE, call, payload)

    def answer(self, kind, call, payload):
        if self.forked:
            os._exit(0)
        if call.printed:
            self.flush_printed(call)
        self.descriptors.drain()
        call.done = True
        self.calls.pop(call.id, None)
        self.deadlines.pop(call, None)
        self.send(kind, 0, call.id, payload)

    def resolve(self, name):
        """The function of a name, `module:qualified.name` or a dotted name."""
        module, colon, path = name.partition(":")
        if not colon:
            parts = name.split(".")
            for cut in range(len(parts) - 1, 0, -1):
                module, path = ".".join(parts[:cut]), ".".join(parts[cut:])
                if module in self.sources.table or self.importable(module):
                    break
            else:
                raise NoSuchFunction("%s: no module of that name" % name)
        target, owner, attribute = self.sources.module(module), None, None
        for attribute in path.split("."):
            owner, target = target, getattr(target, attribute, self)
            if target is self:
                raise NoSuchFunction("%s: %s has no attribute %s" % (name, getattr(owner, "__name__", "it"), attribute))
        if not callable(target):
            raise NoSuchFunction("%s is no function" % name)
        code = getattr(target, "__code__", None)
        if isinstance(owner, type) and code and code.co_varnames[:1] == ("self",) and not hasattr(target, "__self__"):
            # A plain method: all calls of a session share one instance.
            owner_name = "%s:%s" % (module, owner.__qualname__)
            instance = self.functions.get(owner_name)
            if instance is None:
                instance = self.functions[owner_name] = Function(owner())
            target = getattr(instance.run, attribute)
        function = Function(target)
        try:
            kinds = getattr(target, "__annotations__", {}).values()
            function.convert = any(type(kind) is not type or kind.__module__ != "builtins" for kind in kinds)
        except NameError:
            # Python 3.14 evaluates annotations only now.
            pass
        self.functions[name] = function
        return function

    def importable(self, module):
        try:
            __import__(module)
        except ImportError as error:
            if error.name and (module + ".").startswith(error.name + "."):
                return False
            raise
        return True

    def cancel(self, id):
        call = self.calls.get(id)
        if call is not None:
            call.cancelled = True
            if self.loop is not None:
                self.loop.cancel(call)
            if call.groups:
                self.spawn(lambda: self.stop(list(call.groups)))

    # Threads

    def spawn(self, job):
        with self.lock:
            self.jobs.append(job)
            if self.threads >= THREADS:
                return
            self.threads += 1
        try:
            _thread.start_new_thread(self.work, ())
        except RuntimeError:
            with self.lock:
                self.threads -= 1
                busy = self.threads
            if not busy:
                self.work()

    def work(self):
        while True:
            with self.lock:
                if not self.jobs:
                    self.threads -= 1
                    return
                job = self.jobs.pop(0)
            job()
            self.flush()

    def wake(self):
        self.dozing = False
        try:
            self.alarm.release()
        except RuntimeError:
            pass

    def watch(self):
        """Makes another thread the reader when a call holds the reader up, and ends calls at their deadlines."""
        quiet = 0
        while True:
            seen, served = self.inline, self.served
            doze = False
            if quiet > QUIET_TICKS:
                self.dozing = True
                doze = self.inline is None
            if doze:
                self.wake_at = min(self.deadlines.values()) if self.deadlines else None
                if self.wake_at is None:
                    self.alarm.acquire()
                else:
                    self.alarm.acquire(True, max(0, self.wake_at - time.monotonic()))
                quiet = 0
                seen = self.inline
            self.dozing = False
            self.alarm.acquire(True, TICK)
            self.flush()
            if self.deadlines:
                now = time.monotonic()
                for call, at in list(self.deadlines.items()):
                    if at <= now:
                        self.deadlines.pop(call, None)
                        self.cancel(call.id)
            with self.lock:
                if seen is not None and self.inline is seen:
                    if seen.function:
                        seen.function.slow = True
                    self.reader += 1
                    self.inline = None
                    _thread.start_new_thread(self.serve, ())
            quiet = quiet + 1 if served == self.served else 0

    # What calls print, log and start

    def enter(self, call):
        CURRENT.set(call)

    def sole(self):
        calls = list(self.calls)
        return calls[0] if len(calls) == 1 else 0

    def current(self):
        call = CURRENT.get(None)
        if call is None or call.done:
            call = self.calls.get(self.sole(), self.session)
        return call

    def output(self, id, number, data):
        self.send(OUTPUT, number - 1, id, data)

    def flush_printed(self, call):
        for number in list(call.printed):
            self.output(call.id, number, call.printed.pop(number))

    def log(self, level, logger, message):
        if not self.forked:
            self.send(LOG, 0, self.current().id, encode((level, logger, message)))

    def stop(self, groups, grace=GRACE):
        """Ends process groups: TERM, and KILL to what is left after a grace."""
        for signal in (_signal.SIGTERM, _signal.SIGKILL):
            for group in groups:
                signal_group(group, signal)
            until = time.monotonic() + grace
            while any(signal_group(group, 0) for group in groups):
                if time.monotonic() > until:
                    break
                time.sleep(0.01)

    def fork(self):
        """In a forked child: the link is the parent's alone."""
        self.forked = True
        for descriptor in (self.input, self.out, self.errors):
            os.close(descriptor)
        self.descriptors.forked()

    def end(self, reason=None):
        """Ends the process and whatever its calls have started."""
        if self.forked:
            os._exit(1)
        if not self.ending.acquire(False):
            # Another thread ends the process; this one must do nothing more.
            while True:
                time.sleep(60)
        if reason:
            os.write(self.errors, ("rmote agent: %s\n" % reason).encode("utf-8", "backslashreplace"))
        groups = {group for call in list(self.calls.values()) + [self.session] for group in call.groups}
        own = os.getpgrp()
        leader = own == os.getpid()
        if leader:
            signal_group(own, _signal.SIGTERM)
        if groups or leader and children():
            _thread.start_new_thread(self.stop, (groups, 1.0))
            until = time.monotonic() + 1.2
            while children() and time.monotonic() < until:
                time.sleep(0.005)
            for group in groups:
                signal_group(group, _signal.SIGKILL)
            if leader and children():
                signal_group(own, _signal.SIGKILL)
        os._exit(1 if reason else 0)


def signal_group(group, signal):
    """Whether the group was there to be signalled."""
    try:
        os.killpg(group, signal)
    except OSError:
        return False
    return True


def children():
    """Whether this process has children left; reaps those that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def adopt(group):
    """Makes a process group the current call's: it ends when the call is cancelled or the link ends."""
    if agent:
        agent.current().groups.add(group)


def release(group):
    """Says that a process group that was adopted has ended."""
    if agent:
        for call in list(agent.calls.values()) + [agent.session]:
            call.groups.discard(group)


def main(sources):
    global agent
    try:
        # A terminal's Ctrl-C is the controller's to act on, and what calls start can be ended by group.
        os.setsid()
    except OSError:
        pass
    agent = Agent(sources)
    from rmote.output import Descriptors
    agent.descriptors = Descriptors(agent)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=agent.fork)
    else:
        fork = os.fork

        def forking():
            pid = fork()
            if not pid:
                agent.fork()
            return pid

        os.fork = forking
    _signal.signal(_signal.SIGTERM, lambda *_: agent.ending.locked() or agent.end())
    agent.send(HELLO, 0, 0, encode({
        "version": VERSION, "frame_limit": agent.frame_limit, "python": tuple(sys.version_info[:3]),
        "implementation": sys.implementation.name, "executable": sys.executable or "", "platform": sys.platform,
        "hostname": os.uname()[1], "pid": os.getpid()}))
    _thread.start_new_thread(agent.watch, ())
    agent.serve()
    # Another thread reads now. The main thread stays, since the process would end with it.
    while True:
        time.sleep(3600)
