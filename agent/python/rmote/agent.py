"""Reads frames, runs what they call, and answers."""
import _signal
import os
import sys
from _thread import RLock, _local, allocate_lock, get_ident, stack_size, start_new_thread
from os import _exit, getpgrp, getpid, kill, killpg, listdir, read, write
from select import select
from time import monotonic, sleep

from rmote.wire import HEAD, LIMIT, TooLarge, decode, encode

try:
    from _contextvars import ContextVar
except ImportError:
    class ContextVar(_local):
        """Python 3.6 has none: one value a thread."""

        value = None

        def __init__(self, name):
            pass

        def get(self, default):
            return self.value

        def set(self, value):
            self.value = value

VERSION = 1
HELLO, LOAD, CALL, CANCEL, PING, CLOSE, RETURN, RAISE, OUTPUT, LOG, PONG, BYE = 1, 2, 3, 4, 5, 6, 33, 34, 35, 36, 37, 38
PART = 1 << 16
THREADS = 512
TICK = 0.005
QUIET_TICKS = 20
PLAIN = {type(None), bool, int, float, str, bytes}
CURRENT = ContextVar("rmote call")
# PyPy has none.
writev = getattr(os, "writev", lambda out, views: write(out, b"".join(views)))
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
    streams = ()

    def __init__(self, id):
        self.id = id
        self.printed = {}
        self.groups = set()

    def bell(self):
        """A lock that a cancellation releases once: who gets it raises Cancelled, or sees to it."""
        lock = allocate_lock()
        lock.acquire()
        return self.__dict__.setdefault("rung", lock)


class Function:
    """What a name stands for, and whether it has been slow."""

    # Whether its arguments may have to be fitted, and to what; the latter is found out when it is first called.
    slow = convert = False
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


class Agent:
    def __init__(self, sources):
        *low, self.null = fill()
        self.sources = sources
        self.input, self.out, self.errors = map(os.dup, (0, 1, 2))
        self.limit = LIMIT
        self.log_level = 30
        self.refusal = self.loop = self.inline = None
        self.buffer = bytearray()
        self.pending = []
        # These two may be taken again by the thread that has them, since a finalizer may print.
        self.writing = RLock()
        self.printing = RLock()
        self.lock = allocate_lock()
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
        self.threads = self.served = self.silent = 0
        # Which thread reads: its number. The watcher moves it on when the reader is stuck in a call.
        self.reader = 0
        self.dozing = self.forked = False
        self.alarm, self.parked, self.ending = allocate_lock(), allocate_lock(), allocate_lock()
        self.alarm.acquire()
        self.parked.acquire()
        from rmote.output import Descriptors
        self.descriptors = Descriptors(self)
        free(low)

    # Bytes out

    def send(self, kind, flags, id, payload):
        self.pending.extend((HEAD.pack(6 + len(payload), kind, flags, id), payload))
        if len(payload) > 4096 or len(self.pending) > 200:
            self.flush()

    def flush(self, *bulk):
        """Writes all that waits, and then a frame that is not to wait."""
        if (self.pending or bulk) and not self.writing._is_owned():
            with self.writing:
                while self.pending:
                    batch = self.pending[:]
                    del self.pending[:len(batch)]
                    # A large part is not copied.
                    self.write(batch if max(map(len, batch)) > PART else (b"".join(batch),))
                self.write(bulk)

    def write(self, parts):
        views = list(map(memoryview, parts))
        while views:
            done = 0
            try:
                done = writev(self.out, views[:512])
            except BlockingIOError:
                select([], [self.out], [])
            except OSError:
                self.end()
            while views and done >= len(views[0]):
                done -= len(views.pop(0))
            if done:
                views[0] = views[0][done:]

    # Bytes in

    def guard(self, job, *args):
        """Runs what one of the agent's own threads does."""
        try:
            job(*args)
        except BaseException as error:
            self.end(error)

    def read(self, mine):
        """Reads and serves until another thread has become the reader."""
        while True:
            buffer = self.buffer
            at = 0
            while len(buffer) - at >= 10:
                length, kind, flags, id = HEAD.unpack_from(buffer, at)
                if not 6 <= length <= LIMIT + 6:
                    raise ValueError("frame of %d bytes" % length)
                end = at + 4 + length
                if len(buffer) < end:
                    break
                payload = bytes(buffer[at + 10:end])
                at = end
                if kind == CALL and flags < 2:
                    # What has been served leaves the buffer first, since another thread may read on meanwhile.
                    del buffer[:at]
                    at = 0
                    if not self.call(mine, id, payload, flags):
                        return
                else:
                    self.control(kind, flags, id, payload)
            if at:
                del buffer[:at]
            self.flush()
            if not self.calls:
                sys.stdout, sys.stderr = self.descriptors.texts
            try:
                data = read(self.input, PART)
            except BlockingIOError:
                select([self.input], [], [])
                continue
            except OSError:
                data = b""
            if not data:
                self.end()
            self.silent = 0
            buffer += data

    def control(self, kind, flags, id, payload):
        if flags > {LOAD: 1, 7: 3, 9: 1}.get(kind, 0):
            raise ValueError("frame of kind %d with unknown flags %d" % (kind, flags))
        if kind == LOAD:
            name, source, file, package = decode(payload)
            if flags:
                import zlib
                source = zlib.decompressobj().decompress(source, LIMIT)
            self.sources.add(name, source, file, package)
        elif kind == CANCEL:
            # The watcher alone cancels.
            call = self.calls.get(id)
            if call:
                call.deadline = monotonic()
                self.deadlines.add(call)
                self.wake()
        elif 6 < kind < 10:
            # Those of a stream; one that has just ended may be on its way still.
            if id in self.streams:
                self.streams[id].take(kind, flags, payload)
        elif kind == PING:
            self.send(PONG, 0, 0, payload)
        elif kind == HELLO:
            hello = decode(payload)
            if hello["version"] != VERSION:
                self.refusal = "the controller speaks protocol %s, this agent %d" % (hello["version"], VERSION)
            self.limit = min(hello["frame_limit"] - 6, LIMIT)
            self.log_level = hello["log_level"]
            start_new_thread(self.guard, (self.beat, hello.get("heartbeat", 0) / 1000))
        elif kind == CLOSE:
            self.send(BYE, 0, 0, b"")
            self.flush()
            self.end()
        else:
            raise ValueError("frame of unknown kind %d" % kind)

    # Calls

    def call(self, mine, id, payload, flags):
        """Serves a call; false when another thread reads by now."""
        call = self.calls[id] = Call(id)
        self.served += 1
        try:
            if self.refusal:
                raise NoSuchFunction(self.refusal)
            name, deadline, args, kwargs, *streams = decode(payload)
            if flags or streams:
                from rmote.streams import bind
                bind(self, call, flags, args, kwargs, *streams or ({},))
            function = self.functions.get(name)
            if deadline:
                call.deadline = monotonic() + deadline / 1000
                self.deadlines.add(call)
        except Exception as error:
            self.fail(call, error, "agent")
            return True
        slow = function and function.slow
        if not slow:
            self.inline = call
        if self.dozing:
            self.wake()
        if slow:
            self.spawn(call, function, name, args, kwargs)
            return True
        self.run(call, function, name, args, kwargs)
        with self.lock:
            if self.reader == mine:
                self.inline = None
                return True
        self.flush()
        return False

    def run(self, call, function, name, args, kwargs):
        CURRENT.set(call)
        by, failed = "function", None
        try:
            if call.cancelled and name:
                raise Cancelled
            function = call.function = function or self.resolve(name)
            # The module comes with the first tool of the user's own; without one there is nothing to fit.
            if "rmote.arguments" in self.sources.table and (
                    function.convert or not (PLAIN.issuperset(map(type, args)) and PLAIN.issuperset(map(type, kwargs.values())))):
                by = "agent"
                from rmote.arguments import convert
                args, kwargs = convert(function, args, kwargs)
                by = "function"
            call.thread = thread = get_ident()
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
                from rmote.coroutines import Loop
                with self.lock:
                    if self.loop is None:
                        self.loop = Loop(self)
                        self.parked.release()
                self.loop.start(call, result)
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
        CURRENT.set(None)

    def finish(self, call, result):
        if call.results and result is call.results:
            # It goes on when the controller has taken some.
            return
        if call.killed:
            # The result may be of commands that were ended.
            return self.fail(call, Cancelled())
        try:
            payload = encode(result, self.limit)
        except BaseException as error:
            self.fail(call, error, "limit" if isinstance(error, TooLarge) else "agent")
        else:
            self.answer(RETURN, call, payload)

    def fail(self, call, error, by="function"):
        if self.forked:
            if not isinstance(error, SystemExit):
                sys.excepthook(type(error), error, error.__traceback__)
            # As sys.exit has it; what is no number ends in the guard, with 1.
            _exit(int(getattr(error, "code", 1) or 0))
        if call.cancelled:
            by = "cancelled"
        elif isinstance(error, NoSuchFunction) or type(error) is TypeError and error.__traceback__.tb_next is None:
            # A TypeError from outside every function: the arguments do not fit the signature.
            by = "agent"
        try:
            from rmote.failure import describe
            payload = encode(describe(error, by, self.sources), self.limit)
        except BaseException:
            kind = type.__dict__["__name__"].__get__(type(error))
            payload = encode({"by": by, "type": kind, "bases": [kind], "message": "it cannot be described"})
        self.answer(RAISE, call, payload)

    def answer(self, kind, call, payload):
        if self.forked:
            _exit(0)
        self.descriptors.drain()
        with self.printing:
            if call.printed:
                self.flush_printed(call)
            call.done = True
        for stream in call.streams:
            stream.end()
        self.calls.pop(call.id, None)
        if call.deadline:
            self.deadlines.discard(call)
        if call.groups:
            self.session.groups.update(call.groups)
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
        return self.functions.setdefault(name, function)

    def cancel(self, call):
        again = call.cancelled
        if not again:
            call.cancelled = True
            call.bell().release()
        # First this: what waits for a process is to raise when that has ended.
        if "rmote.interrupt" in self.sources.table:
            from rmote.interrupt import interrupt
            interrupt(self, call)
        if again:
            return
        for stream in call.streams:
            stream.notify()
        if self.loop:
            self.loop.cancel(call)
        if call.groups:
            call.killed = True
            from rmote.children import doom
            doom(*call.groups)

    # Threads

    def spawn(self, *job):
        with self.lock:
            self.jobs.append(job)
            if self.threads >= THREADS:
                return
            self.threads += 1
        try:
            start_new_thread(self.guard, (self.work,))
        except RuntimeError:
            self.work()

    def work(self):
        while True:
            with self.lock:
                if not self.jobs:
                    self.threads -= 1
                    return
                job = self.jobs.pop(0)
            start = monotonic()
            self.run(*job)
            self.flush()
            if monotonic() - start < TICK:
                # Perhaps it was only the machine that was slow.
                job[1].slow = False

    def beat(self, seconds):
        """Ends when nothing has come for three heartbeats. A thread of its own, since any other may be stuck in a write."""
        while seconds:
            sleep(seconds)
            # One at a time, however long the process was stopped.
            self.silent += 1
            if self.silent > 3 and not select([self.input], [], [], 0)[0]:
                self.end()

    def wake(self):
        if self.dozing:
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
            while self.held:
                self.flush_printed(self.held.pop())
            if quiet > QUIET_TICKS:
                # Who gives this thread something to do does so first, then looks whether it dozes.
                self.dozing = True
                if not (self.inline or self.pending or self.doomed or self.held):
                    if not self.calls:
                        self.descriptors.repair(True)
                    wait = 3600
                    for call in list(self.deadlines):
                        wait = min(wait, call.deadline - monotonic())
                    self.alarm.acquire(True, max(0, wait))
                    quiet = 0
                self.dozing = False
                seen = self.inline
            self.alarm.acquire(True, TICK)
            self.flush()
            self.descriptors.repair(False)
            now = monotonic()
            for call in list(self.deadlines):
                if call.deadline <= now:
                    self.deadlines.discard(call)
                    self.cancel(call)
            if self.doomed:
                from rmote.children import sweep
                sweep(now)
            with self.lock:
                if seen and self.inline is seen:
                    self.reader += 1
                    self.inline = None
                    try:
                        start_new_thread(self.guard, (self.read, self.reader))
                        if seen.function:
                            seen.function.slow = True
                    except RuntimeError:
                        self.reader -= 1
                        self.inline = seen
            quiet = quiet + 1 if served == self.served else 0

    # What calls print, log and start

    def sole(self):
        calls = list(self.calls)
        return calls[0] if len(calls) == 1 else 0

    def current(self):
        call = CURRENT.get(None)
        if call is None or call.done:
            call = self.calls.get(self.sole(), self.session)
        return call

    def output(self, id, number, data):
        for at in range(0, len(data), PART):
            self.send(OUTPUT, number - 1, id, data[at:at + PART])
        self.wake()

    def flush_printed(self, call):
        with self.printing:
            for number, held in list(call.printed.items()):
                data = bytes(held)
                del held[:len(data)]
                if data:
                    self.output(call.id, number, data)

    def log(self, level, logger, message):
        if not self.forked:
            self.send(LOG, 0, self.current().id, encode((level, logger, message[:PART])))
            self.wake()

    def fork(self):
        """In a forked child: the link is the parent's alone."""
        self.forked = True
        for number in (self.input, self.out, self.errors, self.descriptors.told, *self.descriptors.readers):
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
            if reason and select([], [self.errors], [], 0)[1]:
                write(self.errors, ("rmote agent: %.999r\n" % reason).encode("ascii", "replace"))
            start, told, signal, groups = monotonic(), set(), 0, {getpgrp()}
            while True:
                late = monotonic() - start
                # First this: what has been started by now is a call's, and nothing more is.
                busy = starting[:]
                # A command that ends now is no call's any more, but what it leaves is to end, too.
                groups.update(self.doomed, *[call.groups for call in [self.session, *self.calls.values()]])
                left = living(groups)
                # However slow the machine, KILL comes before this is given up.
                if late > 1.3 and signal == _signal.SIGKILL or not left and not busy:
                    break
                signal = _signal.SIGKILL if late > 1 else _signal.SIGTERM
                for pid in left:
                    if late > 1 or pid not in told:
                        told.add(pid)
                        try:
                            if pid in groups:
                                # A shell at a terminal ignores TERM.
                                kill(pid, _signal.SIGHUP)
                            kill(pid, signal)
                        except OSError:
                            pass
                sleep(0.01)
            for cleanup in list(self.cleanups):
                cleanup()
            # Where there is no /proc, the rest of the own group.
            signal_group(getpgrp(), _signal.SIGTERM)
        finally:
            _exit(reason is not None)


def fill():
    """Takes the low descriptors: 0 to 2 if they are closed, and those that a tool may close blindly."""
    low = [os.open(os.devnull, os.O_RDWR)]
    while low[-1] < 24:
        low.append(os.dup(low[-1]))
    return low


def free(low):
    for number in low:
        if number > 2:
            os.close(number)


def importable(module):
    try:
        __import__(module)
    except ImportError as error:
        if error.name and (module + ".").startswith(error.name + "."):
            return False
        raise
    return True


def signal_group(group, signal):
    """Whether the group is there."""
    try:
        killpg(group, signal)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def living(groups):
    """What is left of process groups and sessions, but for this process and zombies; as negative groups where there is no /proc."""
    left = []
    own = str(getpid())
    try:
        pids = listdir("/proc")
    except OSError:
        pids = []
    if own not in pids:
        return [-group for group in groups if group != getpgrp() and signal_group(group, 0)]
    for pid in pids:
        try:
            with open("/proc/%d/stat" % int(pid), "rb") as file:
                state, _, *ids = file.read().rpartition(b")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        # A shell's jobs are groups of their own.
        if not {*map(int, ids)}.isdisjoint(groups) and state not in b"ZX" and pid != own:
            left.append(int(pid))
    return left


def nap(seconds):
    """What `time.sleep` is: a cancellation ends it."""
    call = CURRENT.get(None)
    if not call or not 0 < seconds < 1e6:
        sleep(seconds)
    elif call.bell().acquire(True, seconds):
        raise Cancelled


def main(sources):
    global agent
    sys.modules["time"].sleep = nap
    if getpgrp() != getpid():
        # A terminal's Ctrl-C is the controller's to act on, and what calls start can be ended by group.
        os.setsid()
    agent = Agent(sources)
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
    # HUP and TERM end the agent in order; INT and ALRM are nothing to it, though a tool may cause them. Python ignores PIPE,
    # and all children would; what has a handler here is the default in them.
    for number in 1, 2, 13, 14, 15:
        _signal.signal(number, lambda number, _: number in (1, 15) and not agent.ending.locked() and agent.end())
    agent.send(HELLO, 0, 0, encode({
        "version": VERSION, "frame_limit": LIMIT + 6, "python": tuple(sys.version_info[:3]),
        "implementation": sys.implementation.name, "executable": sys.executable or "", "platform": sys.platform,
        "hostname": os.uname()[1], "pid": getpid()}))
    # Where the system's own is small, as with musl, a deep recursion would end the process.
    stack_size(1 << 23)
    for job in (agent.watch,), (agent.read, 0):
        agent.guard(start_new_thread, agent.guard, job)
    # Signal handlers, a tool's too, run in the main thread: all that is done here is the loop, from its first call on.
    while not agent.loop:
        try:
            agent.parked.acquire()
        except BaseException:
            pass
    agent.guard(agent.loop.run)
