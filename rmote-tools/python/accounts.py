"""Users and groups of this host's own files, which its tools can change, told from those of other name services."""
import errno
import os
from types import SimpleNamespace

from rmote.tools import program

PASSWD, GROUP, SHADOW = "/etc/passwd", "/etc/group", "/etc/shadow"
# What the tools of all distributions take, less numbers, which other programs would read as ids.
NAME = r"[0-9]*[A-Za-z_][A-Za-z0-9_.-]*\$?"
LONGEST = 32
IDS = (1 << 32) - 1


def check_name(what, name):
    """Refuses what is no name of a user or a group."""
    if len(program.check_name(what, name, NAME)) > LONGEST:
        raise ValueError("%s %r is refused: it is longer than %d characters" % (what, name, LONGEST))
    return name


def check_id(what, number):
    """Refuses what is no number of a user or a group."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("%s is a number, not %r" % (what, number))
    if not 0 <= number < IDS:
        raise ValueError("%s %d is not between 0 and %d" % (what, number, IDS - 1))


def check_text(what, text):
    """Refuses what would end its field or its line."""
    if not isinstance(text, str):
        raise TypeError("%s is a text, not %r" % (what, text))
    if any(c == ":" or c < " " or c == "\x7f" for c in text):
        raise ValueError("%s %r is refused: it has a colon or a control character" % (what, text))


def check_path(what, path):
    """Refuses what is no absolute path, or one with `..`, and gives it without a final slash."""
    check_text(what, path)
    if path[:1] != "/" or ".." in path.split("/"):
        raise ValueError("%s %r is refused: it is not absolute, or has '..'" % (what, path))
    return path.rstrip("/") or "/"


def check_list(what, names):
    """Refuses one name where a list of them belongs."""
    if isinstance(names, (str, bytes)):
        raise TypeError("%s are a list, not a text" % what)


def check_hash(password):
    """Refuses what is no crypt hash, without a word of it."""
    import re

    if password is not None and not (isinstance(password, str) and re.match(r"(?:\*|\$[0-9a-z-]+\$[!-9;-~]*\$[!-9;-~]+)\Z", password)):
        raise ValueError("the password is refused: it is no crypt hash, such as $6$..., nor *")


def _rows(path, fields):
    with open(path, "rb") as file:
        text = file.read().decode("utf-8", "surrogateescape")
    rows = (line.split(":") for line in text.split("\n") if line[:1] not in ("", "#", "+", "-"))
    return [row for row in rows if len(row) >= fields]


def _foreign(what, name, path):
    return LookupError(
        "%s %s is not in %s but comes from another name service (LDAP, sssd, systemd): it cannot be changed on this host"
        % (what, name, path)
    )


def users():
    """The users of this host's own file."""
    return [
        SimpleNamespace(name=row[0], uid=int(row[2]), gid=int(row[3]), comment=row[4], home=row[5], shell=row[6])
        for row in _rows(PASSWD, 7)
        if row[2].isdigit() and row[3].isdigit()
    ]


def user(name):
    """One of them, or None; a user of another name service is an error."""
    import pwd

    for found in users():
        if found.name == name:
            return found
    try:
        pwd.getpwnam(name)
    except KeyError:
        return None
    raise _foreign("user", name, PASSWD)


def shadow(name):
    """The password field of a user, and the day on which the account ends, -1 for never."""
    for row in _rows(SHADOW, 8):
        if row[0] == name:
            return row[1], int(row[7] or -1)
    return "", -1


def groups():
    """The groups of this host's own file."""
    return [
        SimpleNamespace(name=row[0], gid=int(row[2]), members=[name for name in row[3].split(",") if name])
        for row in _rows(GROUP, 4)
        if row[2].isdigit()
    ]


def group(name):
    """One of them, or None; a group of another name service is an error."""
    import grp

    for found in groups():
        if found.name == name:
            return found
    try:
        grp.getgrnam(name)
    except KeyError:
        return None
    raise _foreign("group", name, GROUP)


def gid_of(wanted):
    """The number of a group of any name service, given by its name or number."""
    import grp

    try:
        if isinstance(wanted, str) and not wanted.isdigit():
            return grp.getgrnam(check_name("group", wanted)).gr_gid
        check_id("gid", wanted if not isinstance(wanted, str) else int(wanted))
        return grp.getgrgid(int(wanted)).gr_gid
    except KeyError:
        raise LookupError("no such group: %s" % wanted) from None


def day_of(date):
    """A date as the day since 1970 that it is; -1 for "never"."""
    if date == "never":
        return -1
    import datetime

    program.check_name("expires", date, "[0-9]{4}-[0-9]{2}-[0-9]{2}|never")
    day = (datetime.date(*map(int, date.split("-"))) - datetime.date(1970, 1, 1)).days
    if day < 1:
        raise ValueError("expires %s is refused: it is not after 1970-01-01" % date)
    return day


def date_of(day):
    if day < 0:
        return "never"
    import datetime

    return str(datetime.date(1970, 1, 1) + datetime.timedelta(day))


def run(name, *argv, input=None):
    """Runs a program that changes a user; processes of that user, which keep it from doing so, are named."""
    try:
        program.run(*argv, input=input)
    except program.CommandFailed as e:
        if e.returncode != 8:
            raise
        busy = processes(name)
        text = "%s changes nothing while user %s has processes: %s" % (os.path.basename(argv[0]), name, busy)
        raise OSError(errno.EBUSY, text) from e


def processes(name):
    """The first processes of a user, as text; those of other containers, which the tools leave aside, are left out."""
    uid = user(name).uid
    here = os.stat("/")
    found = []
    for pid in sorted(int(pid) for pid in os.listdir("/proc") if pid.isdigit()):
        try:
            if os.path.samestat(os.stat("/proc/%d/root" % pid), here):
                with open("/proc/%d/status" % pid, "rb") as file:
                    lines = file.read().decode("utf-8", "replace").split("\n")
                fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
                if str(uid) in fields["Uid"].split():
                    found.append("%d (%s)" % (pid, fields["Name"]))
        except OSError:
            pass
    return ", ".join(found[:5] + ["and others"] * (len(found) > 5)) or "they have ended since"


def run_steps(steps):
    """Runs pairs of a text and a function; an error behind the first step says which were done and which were not."""
    for at, (text, step) in enumerate(steps):
        try:
            step()
        except Exception as e:
            if not at:
                raise
            done, left = ("; ".join(text for text, _ in part) for part in (steps[:at], steps[at:]))
            raise RuntimeError("done: %s; not done: %s: %s" % (done, left, e)) from e
