"""What tool files that were written for rmote 0.3 import."""
import sys

from rmote import agent
from rmote.agent import Cancelled  # noqa: F401


def cancelled():
    """Whether the current call was cancelled, or is past its deadline.

    Python code is interrupted by `Cancelled` anyway, which is no `Exception`; this is for what catches it, and for work
    in native code that is done in pieces. A thread that a tool has started has no call: there, it is about the session's
    only call in flight, and false when there are several.
    """
    return bool(agent.agent and agent.agent.current().cancelled)


class Tool:
    """The base of a tool: a class whose methods are called from afar."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            raise TypeError("%s is a Tool and has no use for an __init__: no instance of it is kept" % cls.__name__)


def process(
    *cmd, stdin=None, capture_output=False, text=False, env=None, shell=False, check=False, cwd=None, timeout=None
):
    """Runs a command and returns its `subprocess.CompletedProcess`.

    `env` replaces the whole environment. With `shell` the first word is the expression. Without `capture_output`
    both streams are thrown away, but the end of standard error is a note on the error that `check` raises.
    """
    import subprocess

    from rmote.process import run, tail

    limit = 1 << 27 if capture_output else 1 << 16
    done = run(
        ("/bin/sh", "-c") + cmd if shell else cmd,
        input=stdin,
        env=env,
        clear_env=env is not None,
        cwd=cwd,
        timeout=timeout,
        limit=limit,
        stdout=capture_output,
    )
    out = err = None
    if capture_output:
        if done.truncated:
            raise ValueError("%r printed more than %d MiB" % (cmd[0], limit >> 20))
        out, err = done.stdout, done.stderr
        if text:
            out, err = _text(out), _text(err)
    if done.timed_out:
        error = subprocess.TimeoutExpired(cmd, timeout, out, err)
    else:
        code = -done.signal if done.signal else done.code
        if not check or not code:
            return subprocess.CompletedProcess(cmd, code, out, err)
        error = subprocess.CalledProcessError(code, cmd, out, err)
    if not capture_output and done.stderr:
        error.__notes__ = ["stderr: " + tail(done.stderr)]
    raise error


def _text(data):
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


class _Protocol(type(sys)):
    """Loads what few tools use when it is asked for; Python 3.6 knows no `__getattr__` of a module."""

    def __getattr__(self, name):
        if name in ("Template", "render_template"):
            from rmote import template as module
        elif name == "Unsupported":
            from rmote import failure as module
        else:
            raise AttributeError("module %r has no attribute %r" % (self.__name__, name))
        value = getattr(module, name)
        setattr(self, name, value)
        return value


sys.modules[__name__].__class__ = _Protocol
