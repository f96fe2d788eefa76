"""Accounts and groups of the host, and who is logged in."""
import os

from rmote.tools.findings import section, text
from rmote.values import Record

FIELDS = "accounts", "groups", "logins"
UTMP = "/run/utmp", "/var/run/utmp"
# A record is 384 bytes, or 400 where times have 64 bits. The layout: type, process, terminal, id, user, host, and from
# a place that differs the time.
LAYOUTS = (384, "=hxxi32s4x32s256s", "=i", 340), (400, "=hxxi32s4x32s256s", "=q", 344)
USER_PROCESS = 7
TYPES = 10


def users():
    return section("UserFacts", FIELDS, _accounts, _groups, _logins)


def _rows(path, fields):
    """The lines of a database; lines of NIS and broken ones are none."""
    for line in (text(path) or "").split("\n"):
        row = line.split(":")
        if len(row) == fields and row[0][:1] not in ("", "#", "+", "-"):
            yield row


def _is_id(text):
    return text.isdecimal() and int(text) < 1 << 32


def _accounts():
    found = []
    for name, _, uid, gid, comment, home, shell in _rows("/etc/passwd", 7):
        if _is_id(uid) and _is_id(gid):
            found.append(
                Record("Account", name=name, uid=int(uid), gid=int(gid), comment=comment, home=home, shell=shell)
            )
    return {"accounts": found or None}


def _groups():
    found = []
    for name, _, gid, members in _rows("/etc/group", 4):
        if _is_id(gid):
            found.append(
                Record("AccountGroup", name=name, gid=int(gid), members=[m for m in members.split(",") if m])
            )
    return {"groups": found or None}


def _logins():
    for path in UTMP:
        try:
            with open(path, "rb") as file:
                data = file.read(1 << 22)
        except OSError:
            continue
        return {"logins": [login for login in _records(data) if _lives(login.pid)]}
    return {}


def _records(data):
    import struct

    for size, layout, time_layout, time_at in LAYOUTS:
        if len(data) % size:
            continue
        found = []
        for at in range(0, len(data), size):
            kind, pid, terminal, user, host = struct.unpack_from(layout, data, at)
            if not 0 <= kind < TYPES or pid < 0:
                break
            if kind == USER_PROCESS:
                terminal, user, host = (
                    part.split(b"\0")[0].decode("utf-8", "backslashreplace") for part in (terminal, user, host)
                )
                since = struct.unpack_from(time_layout, data, at + time_at)[0]
                found.append(Record("Login", user=user, terminal=terminal, host=host or None, since=since, pid=pid))
        else:
            return found
    raise ValueError("the records of who is logged in are of an unknown form")


def _lives(pid):
    # A login that broke off leaves its record behind.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
