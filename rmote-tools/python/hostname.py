"""The host's name and its table of other hosts' names."""
import errno
import os

from rmote.failure import Unsupported
from rmote.tools.edit import change
from rmote.tools.program import CommandFailed, CommandTimedOut, check_name, find, run
from rmote.values import Record

LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Underscores are in no host's own name, but in many tables.
ENTRY = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
FILE = "/etc/hostname"
HOSTS = "/etc/hosts"
KERNEL = "/proc/sys/kernel/hostname"
LONGEST = 64


class Hostname:
    """Sets the host's name, and keeps its table of hosts.

    The name is compared in the kernel and in `/etc/hostname`, each of which may differ. Files that are mounted on their
    own, as a container's are, are written in place, and `in_place` says so.
    """

    @staticmethod
    def get():
        """Tells the name that the kernel has."""
        return os.uname().nodename

    @staticmethod
    def set(name, *, runtime=True, persist=True, check=False):
        """Gives the host a name: in the kernel with `runtime`, in `/etc/hostname` with `persist`.

        A name is at most 64 characters long, of labels of letters, digits and hyphens (RFC 1123). The file is written
        first, since systemd takes the name from there, and gets its old content again where the kernel refuses the name.
        A host that lets nobody set it, such as most containers, is `Unsupported`. Comments of the file stay.
        """
        _check(name)
        if not (persist or runtime):
            raise ValueError("neither persist nor runtime: there is nothing to do")
        old = Hostname.get()
        diff = ""
        if runtime and old != name:
            _check_right(old)
            diff = "- %s\n+ %s\n" % (old, name)
        file = Record("Change", changed=False, diff="", in_place=False)
        if persist:
            before = _content(FILE)
            file = change(FILE, lambda content: _with_name(content, name), check=check)
        if diff and not check:
            try:
                _apply(name, old, persist)
            except BaseException as e:
                if file.changed:
                    _restore(before, e)
                raise
        changed = bool(diff or file.changed)
        return Record("HostnameResult", name=name, changed=changed, diff=diff + file.diff, in_place=file.in_place)

    @staticmethod
    def hosts_entry(address, *names, absent=False, exclusive=False, check=False):
        """Makes sure that `/etc/hosts` gives an address these names, and returns a `Change`.

        Names that no line of the address has are added to its first line, or to a new one. With `exclusive` its lines lose
        all other names, and lines of other addresses of the same kind lose these. With `absent` the address loses
        these names, or all where none are given. A line that has no names left is removed with its comment; all other
        lines and comments stay as they are. The first name of a line is its canonical one.
        """
        number = _number(address)
        for name in names:
            _check_entry(name)
        if not names and not absent:
            raise ValueError("no names are given for %s" % address)
        if absent and exclusive:
            raise ValueError("absent and exclusive exclude each other")
        return change(HOSTS, lambda content: _entries(content, address, number, names, absent, exclusive), check=check)


def _check(name):
    check_name("the name of a host", name, LABEL + r"(?:\.%s)*" % LABEL)
    if len(name) > LONGEST:
        raise ValueError("the name of a host has at most %d characters, not %d" % (LONGEST, len(name)))
    # It would be taken for an address.
    if name.rpartition(".")[2].isdigit() and "." in name:
        raise ValueError("the name of a host does not end in a number: %r" % name)


def _check_entry(name):
    check_name("the name of a host", name, ENTRY + r"(?:\.%s)*" % ENTRY)
    if len(name) > 253:
        raise ValueError("the name of a host has at most 253 characters, not %d" % len(name))


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _restore(before, error):
    try:
        if before is None:
            os.unlink(FILE)
        else:
            change(FILE, lambda content: before)
    except OSError as e:
        raise RuntimeError("%s; %s has the new name and keeps it: %s" % (error, FILE, e)) from error


def _with_name(content, name):
    """The content of the file with a name: its first line that is no comment."""
    lines = content.split(b"\n")
    named = [at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith(b"#")]
    if named and lines[named[0]].strip() == name.encode():
        return content
    if lines[-1]:
        lines.append(b"")
    if named:
        lines[named[0]] = name.encode()
    else:
        lines[-1:] = [name.encode(), b""]
    return b"\n".join(lines)


def _check_right(old):
    """Raises where it is known that nobody lets us set the name."""
    try:
        with open("/proc/self/status", "rb") as file:
            rights = [int(line.split()[1], 16) for line in file if line.startswith(b"CapEff:")]
    except OSError:
        return
    # CAP_SYS_ADMIN
    if rights and not rights[0] >> 21 & 1:
        raise _refused("the kernel keeps the name %s" % old)


def _refused(text):
    if os.geteuid():
        return PermissionError(errno.EPERM, text)
    return Unsupported("right to set the name (CAP_SYS_ADMIN)", text)


def _apply(name, old, persist):
    """Sets the name in the kernel, by whom those who watch it hear of it, if there is somebody."""
    told = []
    for way in (_by_systemd if persist else None, _by_call, _by_file, _by_program):
        try:
            if way:
                way(name)
        except (OSError, CommandFailed, CommandTimedOut) as e:
            told.append(str(e))
        if Hostname.get() == name:
            return
    raise _refused("the kernel keeps the name %s: %s" % (old, "; ".join(told)))


def _by_systemd(name):
    # It sets the kernel's name to that of the file, whatever it is asked for.
    program = os.path.isdir("/run/systemd/system") and find("hostnamectl")
    if program:
        run(program, "--no-ask-password", "--transient", "set-hostname", name, timeout=30)


def _by_call(name):
    import socket

    # PyPy has no such function.
    if hasattr(socket, "sethostname"):
        socket.sethostname(name)


def _by_file(name):
    fd = os.open(KERNEL, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, name.encode())
    finally:
        os.close(fd)


def _by_program(name):
    program = find("hostname")
    if program:
        run(program, name, timeout=30)


def _number(address):
    """What an address is, however it is written; the zone of a link's own address is a part of it."""
    import ipaddress

    if not isinstance(address, str):
        raise TypeError("an address is a str, not %s" % type(address).__name__)
    plain, sign, zone = address.partition("%")
    if sign:
        check_name("the zone of an address", zone, "[A-Za-z0-9_.-]+")
    return ipaddress.ip_address(plain), zone


def _words(line):
    """The address of a line, and its names; None where there is none."""
    end = line.find(b"#")
    words = line[: end if end >= 0 else len(line)].decode("utf-8", "surrogateescape").split()
    try:
        return _number(words[0]), words[1:]
    except (IndexError, ValueError):
        return None, []


def _entries(content, address, number, names, absent, exclusive):
    wanted = {name.lower(): name for name in names}
    lines = content.split(b"\n")
    words = [_words(line) for line in lines]
    found = {name.lower() for at, had in words if at == number for name in had}
    new = [] if absent else [name for lowered, name in wanted.items() if lowered not in found]
    kept = []
    for line, (at, had) in zip(lines, words):
        had = {name.lower() for name in had}
        lost = set()
        if at == number:
            if absent:
                lost = had.intersection(wanted) if names else had
            elif exclusive:
                lost = had.difference(wanted)
            added, new = new, []
        else:
            added = []
            if exclusive and at and at[0].version == number[0].version:
                lost = had.intersection(wanted)
        if lost and lost == had and not added:
            continue
        if lost or added:
            line = _with(_without(line, lost), added)
        kept.append(line)
    if new:
        if kept[-1:] != [b""]:
            kept.append(b"")
        kept[-1:] = [("%s\t%s" % (address, " ".join(new))).encode(), b""]
    return b"\n".join(kept)


def _split(line):
    """A line without its comment, and the comment with the white space before it."""
    end = line.find(b"#")
    body = (line if end < 0 else line[:end]).rstrip()
    return body, line[len(body) :]


def _with(line, names):
    body, rest = _split(line)
    return body + "".join(" " + name for name in names).encode() + rest


def _without(line, names):
    import re

    body, rest = _split(line)
    parts = re.split(rb"(\s+)", body)
    out = parts[0] or b"".join(parts[:3])
    for space, word in zip(parts[1 if parts[0] else 3 :: 2], parts[2 if parts[0] else 4 :: 2]):
        if word.decode("utf-8", "surrogateescape").lower() not in names:
            out += space + word
    return out + rest
