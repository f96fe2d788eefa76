"""A command whose streams are carried while it runs, through pipes or through a terminal."""
import os
import signal
import subprocess
from _thread import allocate_lock, start_new_thread
from select import POLLIN, POLLOUT, poll
from time import monotonic, sleep

from rmote import agent, children
from rmote.process import CHUNK, GRACE, LINGER, start, stop
from rmote.values import Record


def spawn(argv, stdin=None, stdout=None, stderr=None, control=None, started=None, *, env=None, clear_env=False, cwd=None, pty=None):
    """Runs a command and returns how it ended.

    `stdin` gives bytes, `stdout` and `stderr` take them and may block, which holds the command up as a full pipe does;
    None is the null device. `control` gives `("signal", number)`, for the command's process group, and
    `("resize", rows, columns)`; `started` is sent the process id. With `pty`, a map of `term`, `rows` and `columns`, all
    its streams are one terminal, and what it prints goes to `stdout`. Without `argv` it is the user's login shell. `env`,
    `clear_env` and `cwd` are as for `Exec.command`. Processes that the command leaves in the background keep running, and
    hold the call for half a second at most (`held`); those of a call that is cancelled end with it.
    """
    call = agent.agent and agent.agent.current()
    options = dict(env=env, clear_env=clear_env, cwd=cwd)
    if argv is None:
        options["executable"] = login_shell()
        argv = ["-" + os.path.basename(options["executable"])]
    if pty:
        child = on_terminal(argv, stdin, stdout, pty, options)
    else:
        kinds = [subprocess.DEVNULL if stream is None else subprocess.PIPE for stream in (stdin, stdout, stderr)]
        process = start(argv, stdin=kinds[0], stdout=kinds[1], stderr=kinds[2], **options)
        child = Child(process, (process.stdin, stdin), (process.stdout, stdout), (process.stderr, stderr))
    process = child.process
    try:
        child.begin(control)
        if started is not None:
            started.send(process.pid)
        process.wait()
        child.end()
        for pump in child.pumps:
            pump.acquire()
    except BaseException:
        stop(process)
        raise
    finally:
        if call and call.cancelled:
            child.sweep()
        child.end()
        children.release(process.pid)
    if call and call.cancelled:
        raise InterruptedError("the call was cancelled")
    if child.error:
        raise child.error
    code = process.returncode
    return Record("Ended", code=None if code < 0 else code, signal=-code if code < 0 else None, held=child.held)


def login_shell():
    """The path of the user's own shell."""
    import pwd

    path = os.environ.get("SHELL")
    if not path:
        try:
            path = pwd.getpwuid(os.getuid()).pw_shell
        except KeyError:
            pass
    return path if path and os.access(path, os.X_OK) else "/bin/sh"


def on_terminal(argv, stdin, stdout, pty, options):
    """Starts a command with a terminal of its own."""
    import fcntl
    import sys
    import termios
    from functools import partial

    options["env"] = dict({"TERM": pty["term"]}, **options["env"] or {})
    master, slave = os.openpty()
    # Each thread closes its own.
    terminal, reader, writer = (os.fdopen(fd, "r+b", 0) for fd in (master, os.dup(master), os.dup(master)))
    try:
        resize(terminal, pty["rows"], pty["columns"])
        if sys.platform == "linux":
            # IUTF8, so that erasing takes a whole letter; the module has no name for it.
            modes = termios.tcgetattr(slave)
            modes[0] |= 0o40000
            termios.tcsetattr(slave, termios.TCSANOW, modes)
        # Between fork and exec runs this one system call and no Python, so locks that other threads hold do not matter.
        control = partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0)
        process = start(argv, stdin=slave, stdout=slave, stderr=slave, preexec_fn=control, **options)
    except BaseException:
        for file in terminal, reader, writer:
            file.close()
        raise
    finally:
        os.close(slave)
    return Child(process, (writer, stdin), (reader, stdout), terminal=terminal)


def resize(terminal, rows, columns):
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Child:
    """A command that runs, and the threads that carry its streams."""

    error = None
    ended = held = False

    def __init__(self, process, stdin, *outputs, terminal=None):
        self.process, self.stdin, self.outputs, self.terminal = process, stdin, outputs, terminal
        self.lock = allocate_lock()
        self.pumps = []
        # The threads wait for an end of this pipe beside their own files; the last of them closes it.
        self.woken, self.wake = os.pipe()
        self.users = 1

    def begin(self, control):
        """Starts the threads."""
        for file, sink in self.outputs:
            if file:
                pump = allocate_lock()
                pump.acquire()
                self.pumps.append(pump)
                self.thread(self.forward, file, sink, pump)
        file, source = self.stdin
        if source is not None:
            self.thread(self.feed, file, source)
        elif file:
            file.close()
        if control is not None:
            self.thread(self.obey, None, control)

    def end(self):
        """Says that the command has ended."""
        with self.lock:
            if not self.ended:
                self.ended = True
                os.close(self.wake)
                if self.terminal:
                    self.terminal.close()
                self.leave()

    def leave(self):
        self.users -= 1
        if not self.users:
            os.close(self.woken)

    def thread(self, *job):
        with self.lock:
            self.users += 1
        start_new_thread(self.guard, job)

    def guard(self, job, file, *args):
        """Runs what a thread does."""
        try:
            job(file, *args)
        except BaseException as error:
            # A call that was cancelled, or is over, interrupts its streams.
            if not isinstance(error, InterruptedError):
                self.error = error
                self.signal(signal.SIGTERM)
        finally:
            if file:
                file.close()
            with self.lock:
                self.leave()

    def signal(self, number):
        with self.lock:
            if not self.ended:
                children.signal_group(self.process.pid, number)

    def events(self, file, event):
        """What a thread waits for: its file, or the command's end."""
        events = poll()
        events.register(file, event)
        events.register(self.woken, POLLIN)
        return events

    def forward(self, file, sink, pump):
        """Carries what is printed, until nobody can print any more or the command has ended and a grace is over."""
        import fcntl
        import struct
        import termios

        events = self.events(file, POLLIN)
        wait = left = None
        try:
            while True:
                ready = [fd for fd, _ in events.poll(wait)]
                if self.ended and left is None:
                    events.unregister(self.woken)
                    # The command itself has printed no more than this.
                    left, = struct.unpack("i", fcntl.ioctl(file, termios.FIONREAD, bytes(4)))
                    end = monotonic() + LINGER
                if file.fileno() in ready:
                    data = self.read(file)
                    if data == b"":
                        if sink is not None:
                            sink.close()
                        return
                    if data and sink is not None:
                        sink.write(data)
                    if left:
                        left -= len(data or b"")
                if wait == 0:
                    self.held = True
                    break
                if left is not None and left <= 0:
                    wait = max(0, int(1000 * (end - monotonic())))
        finally:
            pump.release()
        # A closed pipe would kill those who still write to it.
        while events.poll() and self.read(file) != b"":
            pass

    def read(self, file):
        """Some bytes, none at the end; None if there are none yet."""
        try:
            return os.read(file.fileno(), CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            # How a terminal ends.
            return b""

    def feed(self, file, source):
        """Carries what the command reads, until it reads no more."""
        events = self.events(file, POLLOUT)
        os.set_blocking(file.fileno(), False)
        last = b"\n"
        try:
            for data in source:
                if not self.write(events, file, data):
                    return
                last = data[-1:] or last
        except BaseException as error:
            # What was cut off must not look whole: the command sees no end of it before its own.
            if not isinstance(error, InterruptedError):
                self.error = error
                self.signal(signal.SIGTERM)
            events.unregister(file)
            events.poll()
            return
        if self.terminal:
            self.write(events, file, self.end_of_file(file) * (1 if last == b"\n" else 2))

    def write(self, events, file, data):
        """Writes all of it; false when nobody reads any more."""
        view = memoryview(data)
        while len(view):
            events.poll()
            if self.ended:
                return False
            try:
                view = view[os.write(file.fileno(), view[:CHUNK]):]
            except BlockingIOError:
                pass
            except OSError:
                return False
        return True

    def end_of_file(self, file):
        """The character that means the end to who reads lines from the terminal; nothing where none does."""
        import termios

        modes = termios.tcgetattr(file)
        return modes[6][termios.VEOF] if modes[3] & termios.ICANON else b""

    def obey(self, _, control):
        """Does what the controller asks for beside the streams."""
        try:
            for what, *values in control:
                if what == "signal":
                    self.signal(*values)
                elif what == "resize" and self.terminal:
                    with self.lock:
                        if not self.ended:
                            resize(self.terminal, *values)
        except InterruptedError:
            if self.terminal and not self.ended:
                # As when the line is cut. A shell that ignores TERM ends so, with its jobs, which are groups of their own.
                self.signal_session(signal.SIGHUP, signal.SIGCONT)

    def signal_session(self, *numbers):
        """Sends signals to all that is left of the command's session, and says whether there was anything."""
        left = children.living([self.process.pid])
        for pid in left:
            for number in numbers:
                try:
                    os.kill(pid, number)
                except OSError:
                    pass
        return left

    def sweep(self):
        """Ends what a command whose call was cancelled has left behind."""
        end = monotonic() + GRACE
        self.signal_session(signal.SIGTERM)
        while self.signal_session():
            if monotonic() > end:
                self.signal_session(signal.SIGKILL)
                break
            sleep(0.02)
