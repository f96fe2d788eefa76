"""Commands on the host."""
import subprocess

from rmote.process import LIMIT, describe, line, run, tail
from rmote.values import Record


class CommandFailed(subprocess.CalledProcessError):
    """A command that ended with another exit code than 0, or by a signal."""

    def __init__(self, done):
        code = -done.signal if done.signal else done.code
        subprocess.CalledProcessError.__init__(self, code, done.args, done.stdout, done.stderr)
        self.done = done
        self.args = code, done.args

    def __str__(self):
        return "%s: %s%s" % (line(self.done.args), describe(self.done), _quoted(self.done.stderr))


class CommandTimedOut(subprocess.TimeoutExpired, TimeoutError):
    """A command that was stopped since it took too long; `stdout` and `stderr` hold what it printed so far."""

    def __init__(self, done, timeout):
        subprocess.TimeoutExpired.__init__(self, done.args, timeout, done.stdout, done.stderr)
        self.done = done
        self.args = done.args, timeout

    def __str__(self):
        text = "%s: timed out after %g s, %s%s"
        return text % (line(self.done.args), self.timeout, describe(self.done), _quoted(self.done.stderr))


def _quoted(stderr):
    text = tail(stderr)
    return "\n" + text if text else ""


def _run(argv, check, env, clear_env, cwd, stdin, timeout, limit):
    import os

    done = run(argv, input=stdin, env=env, clear_env=clear_env, cwd=cwd, timeout=timeout, limit=limit)
    if done.timed_out:
        raise CommandTimedOut(done, timeout)
    if check and done.code != 0:
        raise CommandFailed(done)
    return Record(
        "Completed",
        args=[os.fsdecode(arg) for arg in done.args],
        code=done.code,
        signal=done.signal,
        stdout=done.stdout,
        stderr=done.stderr,
        truncated=done.truncated,
        held=done.held,
    )


class Exec:
    """Runs commands and shell expressions."""

    @staticmethod
    def command(*args, check=True, env=None, clear_env=False, cwd=None, stdin=None, timeout=None, limit=LIMIT):
        """Runs a program with its arguments.

        `env` is laid over the agent's environment, or over an empty one with `clear_env`. Of standard output the
        first and of standard error the last `limit` bytes are kept (`truncated`). After `timeout` seconds the
        command and what it started are stopped. Processes that it leaves in the background keep running; `held`
        says that they still had its output open.
        """
        return _run(args, check, env, clear_env, cwd, stdin, timeout, limit)

    @staticmethod
    def shell(expression, *, check=True, env=None, clear_env=False, cwd=None, stdin=None, timeout=None, limit=LIMIT):
        """Runs an expression with `/bin/sh -c`, as `command` does."""
        return _run(("/bin/sh", "-c", expression), check, env, clear_env, cwd, stdin, timeout, limit)
