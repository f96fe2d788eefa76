"""Programs of the host that tools run, and what it means when there are none."""
import os

from rmote import process
from rmote.failure import Unsupported
from rmote.tools.exec import CommandFailed, CommandTimedOut

# Where administrators' programs are, which a user's PATH may lack.
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def path():
    """The directories in which programs are looked for, the environment's first."""
    own = os.environ.get("PATH", "")
    return own + ":" + SYSTEM if own else SYSTEM


def find(name):
    """The path of a program, or None."""
    for folder in path().split(":"):
        full = os.path.join(folder or ".", name)
        if os.path.isfile(full) and os.access(full, os.X_OK):
            return full


def need(name, why):
    """The path of a program without which `why` cannot be: "units are started with it"."""
    found = find(name)
    if not found:
        raise Unsupported(name, why)
    return found


def run(*argv, ok=(0,), env=None, **options):
    """Runs a program whose output is read, so in the locale C unless `env` has another, and returns a `Finished`.

    An exit code that is not in `ok` (None: any is) raises `CommandFailed`, a `timeout` `CommandTimedOut`. No word of `argv`
    is secret: such things go to `input`.
    """
    full = dict({"LC_ALL": "C", "LANGUAGE": None, "PATH": path()}, **(env or {}))
    done = process.run(argv, env=full, **options)
    if done.timed_out:
        raise CommandTimedOut(done, options["timeout"])
    if ok is not None and done.code not in ok:
        raise CommandFailed(done)
    return done


def output(*argv, **options):
    """What a program prints, as text; it is run as `run` does."""
    return run(*argv, **options).stdout.decode("utf-8", "surrogateescape")


def check_name(what, name, pattern):
    """Refuses a name that is not all of a regular expression, before anything is done with it."""
    import re

    if not isinstance(name, str) or not re.match("(?:%s)\\Z" % pattern, name):
        raise ValueError("%s %r is refused: it is not of the form %s" % (what, name, pattern))
    return name
