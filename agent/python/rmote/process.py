"""Commands on the host: each in a process group of its own, with bounded output."""
import errno
import os

LIMIT = 16 << 20
GRACE = 2.0  # seconds between TERM and KILL
LINGER = 0.5  # seconds that a pipe may stay open after the command itself ended
CHUNK = 1 << 16
DEBUG = 10


class Finished:
    """What is known of a command that ended, or that was given up.

    `code` is the exit code and `signal` the number of the signal that ended it: one of them is None.
    Both are None where even KILL did not end it. `stdout` is the head and `stderr` the tail of what it
    printed, at most the limit of each.
    """

    def __init__(self, args):
        self.args = args
        self.code = self.signal = None
        self.stdout = self.stderr = b""
        self.truncated = self.held = self.timed_out = False


def run(argv, *, input=None, env=None, clear_env=False, cwd=None, timeout=None, limit=LIMIT, stdout=True):
    """Runs a command to its end and returns a `Finished`.

    `env` is laid over the agent's environment, or over an empty one with `clear_env`; a value of None
    removes the name. At `timeout` seconds the group gets TERM, and KILL after a grace. Processes that the
    command left in the background keep running, and hold the call for half a second at most (`held`).
    With `stdout=False` the standard output goes to the null device.
    """
    import select
    import signal
    import subprocess
    from time import monotonic

    from rmote import agent, children

    began = monotonic()
    if isinstance(input, str):
        input = input.encode("utf-8", "surrogateescape")
    out, err = bytearray(), bytearray()
    poll = select.poll()
    pipes = {}
    linger = None
    kills = [signal.SIGKILL, signal.SIGTERM]
    end = None if timeout is None else monotonic() + timeout
    child = None
    try:
        given = subprocess.DEVNULL if input is None else subprocess.PIPE
        taken = subprocess.PIPE if stdout else subprocess.DEVNULL
        child = start(argv, env=env, clear_env=clear_env, cwd=cwd, stdin=given, stdout=taken, stderr=subprocess.PIPE)
        done = Finished(child.args)
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                pipes[pipe.fileno()] = pipe
                os.set_blocking(pipe.fileno(), False)
                poll.register(pipe, select.POLLOUT if pipe is child.stdin else select.POLLIN)
        left = memoryview(input or b"")
        delay = 1
        while True:
            if pipes or child.returncode is not None:
                # The end of the command itself is no event on the pipes where others hold them.
                ready = poll.poll(delay)
                delay = 1 if ready else min(2 * delay, 50)
            else:
                ready = ()
                try:
                    child.wait(None if end is None else max(0, end - monotonic()))
                except subprocess.TimeoutExpired:
                    pass
            for fd, _ in ready:
                pipe = pipes[fd]
                try:
                    if pipe is child.stdin:
                        left = left[os.write(fd, left[:CHUNK]) :] if left else left
                        if left:
                            continue
                    else:
                        data = os.read(fd, CHUNK)
                        if data:
                            if pipe is child.stdout:
                                fits = data[: limit - len(out)]
                                out += fits
                                done.truncated |= len(fits) < len(data)
                            else:
                                err += data
                                if len(err) > limit:
                                    del err[: len(err) - limit]
                                    done.truncated = True
                            continue
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    pass
                poll.unregister(fd)
                del pipes[fd]
                pipe.close()
            now = monotonic()
            if child.poll() is not None and (len(kills) != 1 or not children.living([child.pid])):
                if not any(pipe is not child.stdin for pipe in pipes.values()):
                    break
                if linger is None:
                    linger = now + LINGER
                elif now >= linger:
                    done.held = True
                    break
            elif end is not None and now >= end:
                done.timed_out = True
                if not kills:
                    break
                children.signal_group(child.pid, kills.pop())
                end = now + GRACE
    except BaseException:
        if child:
            stop(child)
        raise
    finally:
        if child:
            children.release(child.pid)
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe and not pipe.closed:
                    if done.held and pipe is not child.stdin:
                        _drain(pipe)
                    else:
                        pipe.close()
    children.check()
    done.stdout, done.stderr = bytes(out), bytes(err)
    code = child.returncode
    if code is not None and code < 0:
        done.signal = -code
    else:
        done.code = code
    trace("%d ended: %s, after %.3f s", child.pid, describe(done), monotonic() - began)
    return done


def start(argv, *, env=None, clear_env=False, cwd=None, **options):
    """Starts a command in a session of its own, which is the current call's: a `Popen`.

    `env` and `clear_env` are as for `run`. Whoever calls it calls `children.release` with its number at its end.
    """
    from rmote import agent, children

    if isinstance(argv, (str, bytes)):
        raise TypeError("a command is a list of words")
    argv = [os.fspath(arg) for arg in argv]
    if not argv:
        raise ValueError("no command given")
    full = {} if clear_env else dict(os.environ)
    for name, value in (env or {}).items():
        if value is None:
            full.pop(name, None)
        else:
            full[name] = value
    # The end of the link waits for what is being started.
    agent.starting.append(1)
    try:
        if agent.agent and agent.agent.ending.locked():
            raise InterruptedError("the link has ended")
        child = _start(argv, env=full, cwd=cwd, bufsize=0, start_new_session=True, **options)
        try:
            children.adopt(child.pid)
        except BaseException:
            stop(child)
            children.release(child.pid)
            for pipe in filter(None, (child.stdin, child.stdout, child.stderr)):
                pipe.close()
            raise
    finally:
        agent.starting.pop()
    trace("%d started: %s", child.pid, line(argv))
    return child


def trace(message, *args):
    """Logs what becomes of a command, if that is wanted, and without Python's `logging`. What it reads is not shown."""
    from rmote.agent import agent

    if agent and agent.log_level <= DEBUG:
        from rmote.logs import send

        send(DEBUG, "rmote.process", message % args)


def line(args):
    """The words of a command as a shell would read them, cut where it gets long."""
    from shlex import quote

    text = " ".join(quote(os.fsdecode(arg)) for arg in args)
    return text if len(text) < 1000 else text[:1000] + "..."


def describe(done):
    """The end of a command in words: "exit code 2", "killed by signal SIGKILL"."""
    if done.code is not None:
        return "exit code %d" % done.code
    if done.signal is None:
        return "still running, KILL did not end it"
    import signal

    try:
        return "killed by signal " + signal.Signals(done.signal).name
    except ValueError:
        return "killed by signal %d" % done.signal


def tail(stderr, lines=20, size=4096):
    """The last lines of an output, as clean text."""
    text = stderr[-size:].decode("utf-8", "backslashreplace").rstrip()
    return "\n".join(text.split("\n")[-lines:])


def _start(argv, **options):
    import subprocess

    try:
        return subprocess.Popen(argv, **options)
    except (FileNotFoundError, PermissionError) as e:
        name, cwd = os.fsdecode(argv[0]), options["cwd"]
        path = [os.fsdecode(folder) for folder in os.get_exec_path(options["env"])]
        if cwd is not None and not os.path.isdir(cwd):
            raise
        # A folder of PATH that may not be read hides that the program is in none.
        if e.errno != errno.ENOENT and ("/" in name or any(os.path.exists(os.path.join(x, name)) for x in path)):
            raise
        if "/" in name:
            what = "no such program" if not os.path.exists(name) else "the interpreter in its first line is missing"
        else:
            what = "no such program in PATH (%s)" % ":".join(path)
        raise FileNotFoundError(errno.ENOENT, what, name) from None


def stop(child):
    """Ends the group of a call that was cancelled or failed."""
    import signal
    import subprocess

    from rmote.children import signal_group

    for number in (signal.SIGTERM, signal.SIGKILL):
        signal_group(child.pid, number)
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass


def _drain(pipe):
    """Reads on for processes that outlive their call: a closed pipe would kill them at their next write."""
    import threading

    def drain():
        with pipe:
            while os.read(pipe.fileno(), CHUNK):
                pass

    os.set_blocking(pipe.fileno(), True)
    threading.Thread(target=drain, daemon=True, name="rmote-drain").start()
