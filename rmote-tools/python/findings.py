"""What facts are made of: files that are read, questions with a limit of time, and probes of which each may fail alone."""
import os

from rmote.values import Record

# Not those of the environment: a folder of a user's may be on a mount that is dead.
FOLDERS = "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin", "/run/current-system/sw/bin"
# The threads that still wait for an answer; they are not asked for it a second time.
stuck = {}


def section(name, fields, *probes):
    """A record of the fields that the probes know; None is what none of them does.

    A probe gives a dict. What an earlier one knows stays. One that raises is told in `error`, the others go on.
    """
    known = dict.fromkeys(fields)
    errors = []
    for probe in probes:
        try:
            for field, value in probe().items():
                if known[field] is None:
                    known[field] = value
        except Exception as e:
            errors.append(("%s: %s" % (type(e).__name__, e)).encode("utf-8", "backslashreplace").decode())
    available = any(value is not None for value in known.values())
    return Record(name, known, available=available, error="; ".join(errors) or None)


def text(path):
    """The text of a file; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "backslashreplace")
    except OSError:
        return None


def lines(path):
    """The lines of a file; none where it cannot be read."""
    return (text(path) or "").split("\n")


def word(path):
    """The text of a file without white space around it; None where there is none."""
    return (text(path) or "").strip("\0 \t\n") or None


def number(path):
    """The number that a file holds; None where there is none."""
    found = word(path)
    return int(found) if found and found.lstrip("-").isdigit() else None


def names(path):
    """The names in a directory, sorted; none where it cannot be read."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def assignments(path):
    """What a file sets as a shell does: `NAME=value`, with or without quotes."""
    import re

    found = {}
    for line in lines(path):
        name, sign, value = line.strip().partition("=")
        if not sign or name[:1] == "#":
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1] if value[0] == "'" else re.sub(r'\\(["$`\\])', r"\1", value[1:-1])
        found[name] = value
    return found


def program(name):
    """The path of a program of the system; None where there is none."""
    for folder in FOLDERS:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path


def ask(questions, seconds):
    """Calls functions that may never return, each in a thread of its own: a dict of what did within the time.

    `questions` has the functions by name. An answer is what the function returned, or the `OSError` that it raised.
    """
    import threading
    from time import monotonic

    answers = {}

    def answer(name, function):
        try:
            answers[name] = function()
        except OSError as e:
            answers[name] = e

    asked = []
    for name, function in questions.items():
        if name in stuck and stuck[name].is_alive():
            continue
        thread = threading.Thread(target=answer, args=(name, function), daemon=True, name="rmote-facts")
        thread.start()
        asked.append((name, thread))
    end = monotonic() + seconds
    for name, thread in asked:
        thread.join(max(0, end - monotonic()))
        if thread.is_alive():
            stuck[name] = thread
        else:
            stuck.pop(name, None)
    return dict(answers)
