"""What package managers are asked for, what they answer and how they fail, the same for all of them."""
from rmote.process import describe, line, tail
from rmote.tools import program
from rmote.values import Record

STATES = "present", "absent", "latest", "held"


class PackageError(RuntimeError):
    """What a package manager refuses or fails at.

    `kind` is "unknown", "no-version", "held", "conflict", "locked", "broken", "download", "signature", "interrupted" or
    "other". `packages` are those concerned, as far as the manager tells, `said` its own last lines, and `note` says what
    was done before.
    """

    note = ""

    def __init__(self, kind, text, packages=(), said=""):
        RuntimeError.__init__(self, kind, sorted(set(packages)), said)
        self.text = text
        # The same list: these travel.
        self.kind, self.packages, self.said = self.args

    def __str__(self):
        return "\n".join(filter(None, (self.text, self.said, self.note)))


def failed(done, signs):
    """The error of a command, of the first kind among `signs` whose mark is in what it said.

    A sign is a kind, the pattern that is its mark, and patterns whose groups are the packages concerned.
    """
    import re

    # What is in the way is among lines of progress.
    told = [one for one in done.stdout.splitlines() if one.strip() and not one.rstrip().endswith((b"...", b"]"))]
    told = b"\n".join(told)
    text = (told + b"\n" + done.stderr).decode("utf-8", "backslashreplace")
    kind, names = "other", []
    for sign, mark, *patterns in signs:
        if re.search(mark, text, re.M):
            kind = sign
            for found in [one for pattern in patterns for one in re.finditer(pattern, text, re.M)]:
                names += " ".join(found.groups("")).split()
            break
    if done.code is None or done.timed_out:
        kind = "interrupted"
    how = "timed out, " if done.timed_out else ""
    said = "\n".join(filter(None, (tail(told), tail(done.stderr))))
    return PackageError(kind, "%s: %s%s" % (line(done.args), how, describe(done)), names, said)


def run(signs, *argv, **options):
    """Runs a program as `program.run` does; what it fails at is a `PackageError`."""
    try:
        return program.run(*argv, **options)
    except (program.CommandFailed, program.CommandTimedOut) as e:
        raise failed(e.done, signs) from None


def output(signs, *argv, **options):
    """What a program prints, as text; it is run as `run` does."""
    return run(signs, *argv, **options).stdout.decode("utf-8", "surrogateescape")


def in_turn(steps):
    """Takes steps, each with a text of what it does; an error says which were taken before."""
    done = []
    for what, step in steps:
        try:
            step()
        except Exception as e:
            if not done:
                raise
            error = e if isinstance(e, PackageError) else PackageError("other", str(e))
            error.note = "before that was done: " + "; ".join(done)
            raise error from e.__cause__ if error is e else e
        done.append(what)


class Wanted:
    """One package as it is wanted: `state` is one of STATES, `version` a pin or ""."""

    def __init__(self, name, state, version):
        self.name, self.state, self.version = name, state, version


def wanted(items, state="present"):
    """The packages that are meant by what a caller gave: texts `name` or `name=version`, or maps with `name`, `state`, `version`.

    `state` holds for those that name none. Two that contradict each other are refused.
    """
    found = {}
    for item in items:
        if isinstance(item, str):
            name, _, version = item.partition("=")
            one = Wanted(name, state, version)
        else:
            fields = dict(item if isinstance(item, dict) else vars(item))
            one = Wanted(fields.pop("name"), fields.pop("state", None) or state, fields.pop("version", None) or "")
            if fields:
                raise TypeError("a package has no %s" % ", ".join(sorted(fields)))
        if not isinstance(one.name, str) or not isinstance(one.version, str):
            raise TypeError("name and version of a package are texts, not %r" % (item,))
        if one.state not in STATES:
            raise ValueError("a package is %s, not %r" % (" or ".join(STATES), one.state))
        if one.version and one.state in ("absent", "latest"):
            raise ValueError("package %s: a version with state %s makes no sense" % (one.name, one.state))
        known = found.setdefault(one.name, one)
        if (known.state, known.version) != (one.state, one.version):
            raise ValueError("package %s is wanted in two ways" % one.name)
    return list(found.values())


def result(name, changed, before, after, held=False, diff=""):
    """A `PackageResult`: the versions before and after, "" for none; with `check` what they would be, as far as can be told.

    `diff` is of the text in which its manager keeps what is held.
    """
    return Record("PackageResult", name=name, changed=changed, before=before, version=after, held=held, diff=diff)
