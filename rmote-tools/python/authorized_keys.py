"""Keys that may log in as a user: the file, which that user may have tampered with, and its lines."""
import errno
import os
import stat

from _thread import allocate_lock

from rmote.tools import accounts, edit, homes

SIZE = 1 << 22
# Two calls at once would each write what the other has not read.
_lock = allocate_lock()


def _options(line):
    """How long the options at a line's begin are: up to the first blank outside of quotes."""
    quoted = False
    at = 0
    while at < len(line) and (quoted or line[at] not in b" \t"):
        if line[at : at + 2] == b'\\"':
            at += 1
        elif line[at] == 34:
            quoted = not quoted
        at += 1
    return at


def _blob(kind, text):
    """The bytes of a key, if they are whole and of the type that the line says."""
    from base64 import b64decode, b64encode

    try:
        blob = b64decode(text, validate=True)
    except ValueError:
        return None
    parts = []
    at = 0
    while at < len(blob):
        length = int.from_bytes(blob[at : at + 4], "big")
        parts.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
        if b"-cert-" in kind:
            # Of other parts than texts.
            at = max(at, len(blob))
    whole = at == len(blob) > 4 + len(kind) and b64encode(blob) == text
    return blob if whole and parts[0] == kind else None


def parse(line):
    """Options, type and blob of a line, or None where it is no key."""
    line = line.strip()
    if line[:1] in (b"", b"#"):
        return None
    for start in 0, _options(line):
        words = line[start:].split(None, 2)
        blob = _blob(*words[:2]) if len(words) > 1 else None
        if blob:
            return line[:start], words[0], blob


def check(key):
    """A key as its line and what `parse` says of it. Errors do not show it: what is no key may be a secret."""
    if not isinstance(key, str):
        raise TypeError("a key is a text")
    line = key.strip(" \t\r\n").encode("utf-8", "surrogateescape")
    if any(c < 32 and c != 9 or c == 127 for c in line):
        raise ValueError("the key is refused: it has a control character, or is more than one line")
    parsed = parse(line)
    if not parsed:
        raise ValueError("the key is refused: it is not of the form [options] type base64 [comment], or it is cut")
    return line, parsed


def edited(old, keys, exclusive, absent):
    """The content with these keys, or without them; keys that are there keep their options where none are given."""
    wanted = {parsed[1:]: (line, parsed[0]) for line, parsed in keys}
    placed = set()
    lines = old.split(b"\n")
    if not lines[-1]:
        lines.pop()
    new = []
    for line in lines:
        parsed = parse(line)
        identity = parsed and parsed[1:]
        if identity not in wanted:
            if not exclusive or line.strip()[:1] in (b"", b"#"):
                new.append(line)
            continue
        if absent:
            continue
        whole, options = wanted[identity]
        if options:
            # A second line of the key would let in whom the options of the first keep out.
            if identity in placed:
                continue
            if options != parsed[0]:
                line = whole
        placed.add(identity)
        new.append(line)
    if not absent:
        new += [line for identity, (line, _) in wanted.items() if identity not in placed]
    return old if new == lines else b"".join(line + b"\n" for line in new)


def change(name, keys, exclusive=False, absent=False, check_only=False):
    """Edits the file of a user, and gives a `Change`.

    No symbolic link is followed from the home on, and nothing is touched that belongs to another.
    """
    import pwd

    accounts.check_name("user", name)
    if exclusive and absent:
        raise ValueError("exclusive and absent together make no sense")
    keys = [check(key) for key in keys]
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise LookupError("no such user: %s" % name) from None
    with _lock:
        home = homes.enter(user.pw_dir, user.pw_dir)
        try:
            _refuse_others(home, user, user.pw_dir, 0)
            return _change_in(home, user, keys, exclusive, absent, check_only)
        finally:
            os.close(home)


def _refuse_others(fd, user, path, *more):
    st = os.fstat(fd)
    if st.st_uid not in (user.pw_uid,) + more:
        raise PermissionError(errno.EPERM, "refused: it belongs to uid %d, not to %s" % (st.st_uid, user.pw_name), path)
    return st


def _change_in(home, user, keys, exclusive, absent, check_only):
    folder = os.path.join(user.pw_dir, ".ssh")
    path = os.path.join(folder, "authorized_keys")
    ssh, old, st = None, b"", None
    diff = ""
    try:
        try:
            ssh = homes.enter(".ssh", folder, home)
        except FileNotFoundError:
            diff = "+ %s/\n" % folder
        else:
            diff = edit.attributes_of(_refuse_others(ssh, user, folder), 0o700, -1, -1)
            diff = diff and "  %s/\n" % folder + diff
            old, st = _read(ssh, user, path)
        new = edited(old, keys, exclusive, absent)
        if absent and new == old:
            return edit.record("")
        if st is None:
            diff += edit.unified(path, b"", new) or "+ %s\n" % path
        else:
            diff += edit.unified(path, old, new) + edit.attributes_of(st, 0o600, user.pw_uid, -1)
        if diff and not check_only:
            if ssh is None:
                ssh = homes.make_directory(".ssh", folder, home)
                os.fchown(ssh, user.pw_uid, user.pw_gid)
            os.fchmod(ssh, 0o700)
            _write(ssh, new, user, path)
            os.fsync(ssh)
        return edit.record(diff)
    finally:
        if ssh is not None:
            os.close(ssh)


def _read(ssh, user, path):
    try:
        fd = os.open("authorized_keys", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=ssh)
    except FileNotFoundError:
        return b"", None
    except OSError as e:
        text = "refused: it is a symbolic link" if e.errno == errno.ELOOP else e.strerror
        raise OSError(e.errno, text, path) from None
    try:
        st = os.fstat(fd)
        # What the user could not read, such as a link to a file of root, must not become the user's.
        _refuse_others(fd, user, path, *([0] if st.st_mode & 0o004 else []))
        if not stat.S_ISREG(st.st_mode):
            raise OSError(errno.EINVAL, "refused: it is no regular file", path)
        with open(fd, "rb", closefd=False) as file:
            data = file.read(SIZE + 1)
        if len(data) > SIZE:
            raise OSError(errno.EFBIG, "refused: it is larger than %d MiB" % (SIZE >> 20), path)
        return data, st
    finally:
        os.close(fd)


def _write(ssh, data, user, path):
    temp = edit.TEMP + os.urandom(8).hex()
    try:
        fd = os.open(temp, edit.NEW, 0o600, dir_fd=ssh)
        try:
            with open(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fchown(fd, user.pw_uid, user.pw_gid)
                os.fchmod(fd, 0o600)
                os.fsync(fd)
            os.rename(temp, "authorized_keys", src_dir_fd=ssh, dst_dir_fd=ssh)
        except BaseException:
            os.unlink(temp, dir_fd=ssh)
            raise
    except OSError as e:
        raise OSError(e.errno, e.strerror, path) from None
