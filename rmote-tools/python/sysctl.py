"""Settings of the kernel."""
import errno
import os

from rmote.failure import Unsupported
from rmote.tools.edit import change, unified
from rmote.tools.program import check_name
from rmote.values import Record

PROC = "/proc/sys"
FOLDER = "/etc/sysctl.d"
# Those of interfaces may hold nearly anything, but nothing that means something in the file or in a path.
PART = r"[A-Za-z0-9_:@+~][A-Za-z0-9_.:@+~-]*"
NAME = "99-rmote.conf"


class SysctlError(RuntimeError):
    """A setting that did not become what was asked for; the text says what was changed and what was not."""


class Sysctl:
    """Sets parameters of the kernel, now and at boot.

    A key is written as sysctl(8) has it: `net.ipv4.ip_forward`, `net/ipv4/ip_forward`; a dot in the name of an interface
    is a slash there, and the other way round: `net.ipv4.conf.eth0/100.forwarding`, `net/ipv4/conf/eth0.100/forwarding`.
    Values are compared by their fields, whatever white space parts them. What is to hold at boot is a line in
    `/etc/sysctl.d/NAME`; of that file all other lines stay as they are. Each method but `get` returns `SysctlResult`s.
    A key that the kernel does not have is an error before anything is written. Where `/proc/sys` cannot be written, as in
    most containers, a value that is to change is `Unsupported`.
    """

    @staticmethod
    def get(key):
        """Tells a value as the kernel has it, with single spaces between its fields."""
        return _read(_Key(key))

    @staticmethod
    def present(key, value, *, name=NAME, persist=True, runtime=True, check=False):
        """Makes sure that a key has a value: in the kernel with `runtime`, at boot with `persist`.

        The value is set in the kernel first and then written to the file. Where that fails, the old one is set again.
        A value that the kernel takes as another one is a `SysctlError`, and the old one is set again. Without `runtime`
        only the file is changed, and the key need not be known to the kernel that runs.
        """
        return Sysctl.converge({key: value}, name=name, persist=persist, runtime=runtime, check=check)[0]

    @staticmethod
    def converge(params, *, name=NAME, persist=True, runtime=True, check=False):
        """Makes sure of several keys, a dict of values; all are checked before the first is set. See `present`."""
        path = _path(name)
        wanted = [(_Key(key), _value(key, value)) for key, value in params.items()]
        if len({key.parts for key, _ in wanted}) < len(wanted):
            raise ValueError("a key is given twice")
        if not (persist or runtime):
            raise ValueError("neither persist nor runtime: there is nothing to do")
        now = {key: _read(key) if runtime else _look(key) for key, _ in wanted}
        changing = [(key, value) for key, value in wanted if runtime and now[key] != value]
        for key, _ in changing:
            key.check_writable()
        diffs = {}

        def edit(content):
            for key, value in wanted:
                new = _set(content, key, value)
                diffs[key] = unified(path, content, new) if new != content else ""
                content = new
            return content

        planned = persist and wanted and _plan(path, edit)
        if not check:
            done = []
            try:
                for key, value in changing:
                    done.append(key)
                    _write(key, value)
                if planned:
                    _persist(path, edit)
            except BaseException as e:
                told = _undo(done, now)
                if told and isinstance(e, Exception):
                    raise SysctlError("%s; %s; %s is as before" % (e, "; ".join(told), path)) from e
                raise
        results = []
        for key, value in wanted:
            diff = diffs.get(key, "")
            if (key, value) in changing:
                diff = "- %s = %s\n+ %s = %s\n" % (key.name, now[key], key.name, value) + diff
            value = value if runtime else now[key]
            results.append(Record("SysctlResult", key=key.name, value=value, changed=bool(diff), diff=diff))
        return results

    @staticmethod
    def absent(key, *, name=NAME, check=False):
        """Makes sure that a file sets a key no more. The kernel keeps the value that it has until the next boot."""
        path = _path(name)
        key = _Key(key)
        value = _look(key)
        diff = ""
        if os.path.exists(path):
            diff = change(path, lambda old: _unset(old, key), check=check).diff
        return Record("SysctlResult", key=key.name, value=value, changed=bool(diff), diff=diff)


class _Key:
    """A key: its parts, whichever way it was written."""

    def __init__(self, text):
        if not isinstance(text, str):
            raise TypeError("a key is a str, not %s" % type(text).__name__)
        self.parts = tuple(_parts(text))
        for part in self.parts:
            check_name("the part of a key %r" % text, part, PART)
        self.name = ".".join(part.replace(".", "/") for part in self.parts)
        self.path = "/".join((PROC,) + self.parts)

    def check_writable(self):
        """Raises if the value cannot be changed, without doing so."""
        try:
            st = os.stat(self.path)
            if not st.st_mode & 0o222:
                raise PermissionError(errno.EPERM, "the kernel lets nobody set it", self.path)
            # Opened for writing it is not changed yet.
            os.close(os.open(self.path, os.O_WRONLY | os.O_CLOEXEC))
        except OSError as e:
            raise _lacking(e) from None


def _parts(text):
    """What comes first, a dot or a slash, parts the key, and the other one stands for it."""
    at = min((text.find(mark) for mark in "./" if mark in text), default=-1)
    if at >= 0 and text[at] == "/":
        return text.split("/")
    return [part.replace("/", ".") for part in text.split(".")]


def _lacking(e):
    if e.errno == errno.EROFS:
        return Unsupported(PROC + " that can be written", "it is mounted read-only, as it is in containers")
    return e


def _value(key, value):
    if isinstance(value, int):
        value = str(int(value))
    if not isinstance(value, str):
        raise TypeError("the value of %s is text or a number, not %s" % (key, type(value).__name__))
    if not value.strip() or any(letter < " " and letter != "\t" or letter == "\x7f" for letter in value):
        raise ValueError("the value of %s is refused: it is empty or has control characters: %r" % (key, value))
    return " ".join(value.split())


def _path(name):
    check_name("the name of a file", name, r"[A-Za-z0-9_@][A-Za-z0-9_.@-]*\.conf")
    return os.path.join(FOLDER, name)


def _read(key):
    try:
        with open(key.path, "rb") as file:
            return " ".join(file.read().decode("utf-8", "backslashreplace").split())
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.isdir(PROC):
            raise Unsupported(PROC, "the kernel's settings are read and written there") from None
        raise LookupError("the kernel has no key %s" % key.name) from None
    except IsADirectoryError:
        raise LookupError("%s is no key but a group of keys" % key.name) from None


def _look(key):
    """The value, or None where it cannot be known."""
    try:
        return _read(key)
    except (OSError, LookupError, Unsupported):
        return None


def _put(key, value):
    fd = os.open(key.path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        # At once: each write is a value of its own.
        os.write(fd, (value + "\n").encode("utf-8", "surrogateescape"))
    finally:
        os.close(fd)


def _write(key, value):
    try:
        _put(key, value)
    except OSError as e:
        if e.errno in (errno.EINVAL, errno.ERANGE):
            raise SysctlError("the kernel refuses the value %r for %s" % (value, key.name)) from None
        raise OSError(e.errno, e.strerror, key.path) from None
    now = _read(key)
    if now != value:
        raise SysctlError("the kernel took the value %r for %s as %r" % (value, key.name, now))


def _undo(done, old):
    """Sets the old values again; tells what became of those that were set."""
    told = []
    for key in reversed(done):
        try:
            if _read(key) != old[key]:
                _put(key, old[key])
                told.append("%s was set back to %s" % (key.name, old[key]))
        except OSError as e:
            told.append("%s is %s and could not be set back to %s: %s" % (key.name, _look(key), old[key], e.strerror))
    return told


def _plan(path, edit):
    """Whether the file is to change; raises if it cannot be written."""
    folder = os.path.dirname(path)
    if os.path.isdir(folder):
        if not change(path, edit, check=True).changed:
            return False
        path = os.path.realpath(path)
        folder = path if os.path.exists(path) else os.path.dirname(path)
    else:
        edit(b"")
        folder = os.path.dirname(folder)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "cannot be written", path)
    return True


def _persist(path, edit):
    try:
        os.mkdir(os.path.dirname(path), 0o755)
    except FileExistsError:
        pass
    change(path, edit)


def _setting(line):
    """What a line sets, as a match of what is before the value, the value and the rest; None if it sets nothing."""
    import re

    found = re.match(rb"(\s*-?\s*([^\s=#;][^=]*?)\s*=\s*)(.*?)(\s*)\Z", line, re.S)
    return found and (tuple(_parts(found.group(2).decode("utf-8", "surrogateescape"))), found)


def _set(content, key, value):
    """The content of a file with one line that sets the key: the last one, which is what counts, or a new one."""
    lines = content.split(b"\n")
    new = value.encode("utf-8", "surrogateescape")
    for at in reversed(range(len(lines))):
        setting = _setting(lines[at])
        if setting and setting[0] == key.parts:
            before, _, old, after = setting[1].groups()
            if old.split() != new.split():
                lines[at] = before + new + after
            return b"\n".join(lines)
    if lines[-1]:
        lines.append(b"")
    lines[-1:] = [key.name.encode() + b" = " + new, b""]
    return b"\n".join(lines)


def _unset(content, key):
    lines = content.split(b"\n")
    return b"\n".join(line for line in lines if (_setting(line) or [None])[0] != key.parts)
