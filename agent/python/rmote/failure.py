"""Describes an exception as data: what `except`, a traceback and a person need of it, whatever its class does."""
import os

from rmote.wire import decode, encode

FRAMES = 64
CAUSES = 8
MESSAGE = 1 << 16


class Unsupported(NotImplementedError):
    """What this host cannot do: `missing` names what it lacks, such as a program."""

    def __init__(self, missing, why):
        NotImplementedError.__init__(self, missing, why)
        self.missing, self.why = missing, why

    def __str__(self):
        return "this host has no %s: %s" % (self.missing, self.why)


def describe(error, by, sources, depth=0):
    kind = type(error)
    described = {
        "by": "host" if by == "function" and issubclass(kind, Unsupported) else by,
        "type": text(lambda: kind.__qualname__),
        "module": text(lambda: kind.__module__),
        "bases": list(map(class_name, type.mro(kind)[:-1])),
        "message": message(error),
        "args": plain(lambda: list(error.args)),
        "traceback": frames(own(error, "__traceback__"), sources),
        # The members of an exception group are notes, too.
        "notes": (plain(lambda: list(map(str, error.__notes__))) or []) + (plain(lambda: [
            "holds %s: %s" % (class_name(type(member)), message(member)) for member, _ in zip(error.exceptions, range(CAUSES))]) or []),
    }
    if issubclass(kind, OSError):
        number = plain(lambda: error.errno)
        described["errno"] = number if type(number) is int else None
        described["filename"] = plain(lambda: os.fsdecode(error.filename))
    cause = own(error, "__cause__")
    described["explicit"] = cause is not None
    if cause is None and not own(error, "__suppress_context__"):
        cause = own(error, "__context__")
    if cause is not None and depth < CAUSES:
        described["cause"] = describe(cause, by, sources, depth + 1)
    return described


def own(error, name):
    """An attribute as Python itself keeps it."""
    return BaseException.__dict__[name].__get__(error)


def class_name(kind):
    name = text(lambda: kind.__qualname__)
    module = text(lambda: kind.__module__)
    return name if module == "builtins" else module + "." + name


def message(error):
    return text(lambda: str(error), "<no text: str() of it failed>")


def text(get, default=""):
    try:
        return str.__getitem__(get(), slice(MESSAGE))
    except BaseException:
        return default


def plain(get):
    """A copy of the value if it can travel and is small, else None."""
    try:
        return decode(bytes(encode(get(), MESSAGE)))
    except BaseException:
        return None


def frames(traceback, sources):
    walked = []
    while traceback is not None:
        walked.append((traceback.tb_frame.f_code, traceback.tb_lineno or 0))
        traceback = traceback.tb_next
    # The agent's own frames lead up to the function's first.
    while walked and walked[0][0].co_filename in ("rmote/agent.py", "rmote/coroutines.py"):
        del walked[0]
    if len(walked) > FRAMES:
        del walked[FRAMES // 2:-FRAMES // 2]
    # `linecache` would do, but costs 10 ms to import.
    known = {file: source for source, file, _ in list(sources.table.values())}
    files = {}
    described = []
    for code, line in walked:
        file = code.co_filename
        if file not in files:
            source = known.get(file, b"")
            try:
                if file not in known and os.path.isfile(file):
                    with open(file, "rb") as stream:
                        source = stream.read(1 << 22)
            except (OSError, ValueError):
                pass
            files[file] = source.split(b"\n")
        described.append((file, line, code.co_name, text(lambda: files[file][line - 1].decode("utf-8", "replace").strip()[:1000]) or None))
    return described
