"""Describes an exception as data: what `except`, a traceback and a person need of it."""
import os
import sys

from rmote.wire import NotData, TooLarge, encode

FRAMES = 64
CAUSES = 8
MESSAGE = 1 << 16


def describe(error, by, sources, depth=0):
    kind = type(error)
    described = {
        "by": by,
        "type": kind.__qualname__,
        "module": kind.__module__ or "",
        "bases": [class_name(base) for base in kind.__mro__ if base is not object],
        "message": message(error),
        "args": plain(list(getattr(error, "args", ()))),
        "traceback": frames(error.__traceback__, sources),
        "notes": [str(note)[:MESSAGE] for note in plain(getattr(error, "__notes__", None)) or ()],
    }
    if isinstance(error, OSError):
        described["errno"] = error.errno if isinstance(error.errno, int) else None
        name = error.filename
        described["filename"] = os.fsdecode(name) if isinstance(name, (str, bytes)) else None
    # The members of an exception group.
    for member in getattr(error, "exceptions", ())[:CAUSES]:
        described["notes"].append("holds %s: %s" % (type(member).__name__, message(member)))
    cause = error.__cause__
    described["explicit"] = cause is not None
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if cause is not None and depth < CAUSES:
        described["cause"] = describe(cause, by, sources, depth + 1)
    return described


def class_name(kind):
    return kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)


def message(error):
    try:
        text = str(error)
    except BaseException:
        return "<no text: str() of it failed>"
    return text if len(text) < MESSAGE else text[:MESSAGE] + "..."


def plain(value):
    """The value if it can travel and is small, else None."""
    try:
        encode(value, MESSAGE)
    except (NotData, TooLarge, RecursionError):
        return None
    return value


def frames(traceback, sources):
    walked = []
    while traceback is not None:
        walked.append((traceback.tb_frame.f_code, traceback.tb_lineno))
        traceback = traceback.tb_next
    # The agent's own frames lead up to the function's first.
    while walked and walked[0][0].co_filename in ("rmote/agent.py", "rmote/coroutines.py"):
        del walked[0]
    if len(walked) > FRAMES:
        del walked[FRAMES // 2:-FRAMES // 2]
    return [(code.co_filename, line or 0, code.co_name, source_line(code.co_filename, line, sources)) for code, line in walked]


def source_line(file, line, sources):
    """One line of a source. `linecache` would do, but costs 10 ms to import."""
    text = None
    for source, name, _ in list(sources.table.values()):
        if name == file:
            text = source
    try:
        if text is None:
            with open(file, "rb") as stream:
                text = stream.read(1 << 22)
        return text.split(b"\n")[line - 1].decode("utf-8", "replace").strip()[:1000]
    except (OSError, IndexError, TypeError, ValueError):
        return None
