"""Edits of files: each at once or not at all, with a diff, and nothing but that with `check`."""
import errno
import os
import stat

from rmote.values import Record

DIFF = 1 << 16
LINES = 10000
SIZE = 1 << 27
TEMP = ".rmote-"
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def record(diff, backup=None, in_place=False):
    """A `Change`: whether something did, which is so when there is a diff."""
    # Names that are not UTF-8 are escaped.
    text = diff.encode("utf-8", "backslashreplace").decode()
    return Record("Change", changed=bool(diff), diff=text, backup=backup, in_place=in_place)


def _number(name, known):
    """The number of a user or group; as with chown, digits are a number where no name has them."""
    try:
        return known(name)[2]
    except KeyError:
        if not name.isdecimal():
            raise
        return int(name)


def ids_of(mode, owner, group):
    """The numbers of owner and group, -1 for one that stays; `mode` is only checked."""
    if mode is not None and not 0 <= mode <= 0o7777:
        raise ValueError("mode %o is not between 0 and 7777" % mode)
    try:
        if isinstance(owner, str):
            import pwd

            owner = _number(owner, pwd.getpwnam)
        if isinstance(group, str):
            import grp

            group = _number(group, grp.getgrnam)
    except (KeyError, UnicodeEncodeError) as e:
        # The latter where the locale has no such letter.
        raise LookupError("no such user or group: %s" % e) from None
    return -1 if owner is None else owner, -1 if group is None else group


def attributes_of(st, mode, uid, gid):
    """What will change in mode and owner, as lines of a diff."""
    now = stat.S_IMODE(st.st_mode)
    diff = ""
    if mode not in (None, now):
        diff = "- mode %04o\n+ mode %04o\n" % (now, mode)
    for name, old, new in (("owner", st.st_uid, uid), ("group", st.st_gid, gid)):
        if new not in (-1, old):
            diff += "- %s %d\n+ %s %d\n" % (name, old, name, new)
    return diff


def set_attributes(path, mode, uid, gid):
    # The owner first: a change of owner clears the setuid bit.
    if (uid, gid) != (-1, -1):
        os.chown(path, uid, gid)
    if mode is not None:
        os.chmod(path, mode)


def beside(path):
    """A new name in the directory of a path."""
    # Without a part of the name: it may be as long as names can be.
    return os.path.join(os.path.dirname(path), TEMP + os.urandom(8).hex())


def _fill(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _create(path, data, mode, ids, like):
    """Makes a file that has its attributes before its content; leaves nothing behind when it fails."""
    fd = os.open(path, NEW, 0o644 if mode is None else 0o600)
    try:
        # Access lists and security labels.
        for name in os.listxattr(like) if like and hasattr(os, "listxattr") else ():
            try:
                os.setxattr(fd, name, os.getxattr(like, name))
            except OSError:
                pass
        if ids != (-1, -1):
            os.fchown(fd, *ids)
        if mode is not None:
            os.fchmod(fd, mode)
        _fill(fd, data)
        # Writing clears the setuid bit.
        if mode is not None and mode > 0o777:
            os.fchmod(fd, mode)
        os.fsync(fd)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(fd)


def _overwrite(path, old, new):
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            _fill(fd, new)
        except OSError:
            # The blocks of the old content are still the file's: it fits.
            os.lseek(fd, 0, 0)
            _fill(fd, old)
            new = old
            raise
        finally:
            os.ftruncate(fd, len(new))
            os.fsync(fd)
    finally:
        os.close(fd)


def _validator(validate):
    """The command as a function of the path, checked now so that a mistake is found before the first write."""
    if validate is None:
        return None
    words = [validate] if isinstance(validate, str) else list(validate)
    mark = "{}" if any("{}" in word for word in words) else "%s"
    if not any(mark in word for word in words):
        raise ValueError("validate has no {} or %%s for the path: %r" % (validate,))

    def run(path):
        from rmote import process

        if isinstance(validate, str):
            from shlex import quote

            argv = ["/bin/sh", "-c", validate.replace(mark, quote(path))]
        else:
            argv = [word.replace(mark, path) for word in words]
        done = process.run(argv, limit=DIFF)
        if done.code != 0:
            text = process.tail(done.stderr) or process.tail(done.stdout)
            raise ValueError("validate: %s: %s" % (process.describe(done), text))

    return run


def change(
    path, edit, *, create=True, mode=None, owner=None, group=None, backup=False, validate=None, check=False, secret=False, folder=None
):
    """Makes the content of a file `edit(content)`, as `FileSystem.write` does; a missing one is empty, or an error.

    The new file is made in `folder`, on the same file system, where it must not be seen beside the old one.
    """
    ids = ids_of(mode, owner, group)
    validate = _validator(validate)
    try:
        try:
            st = os.stat(path)
        except FileNotFoundError as e:
            if os.path.islink(path):
                raise OSError(e.errno, "dangling symbolic link to %r" % os.readlink(path), path) from None
            if not create:
                raise
            os.stat(os.path.dirname(path) or ".")
            st = None
        real = os.path.realpath(path) if os.path.islink(path) else path
        old = b""
        if st:
            if not stat.S_ISREG(st.st_mode):
                raise OSError(errno.EISDIR if stat.S_ISDIR(st.st_mode) else errno.EINVAL, "not a regular file", path)
            if st.st_size > SIZE:
                raise OSError(errno.EFBIG, "larger than %d MiB" % (SIZE >> 20), path)
            with open(real, "rb") as file:
                old = file.read()
        new = edit(old)
        attributes = attributes_of(st, mode, *ids) if st else ""
        diff = attributes
        if not st or new != old:
            diff += unified(path, old, new, secret) or "+ %s\n" % path
        if check or not diff:
            return record(diff)
        if diff == attributes:
            set_attributes(real, mode, *ids)
            return record(diff)
        return _replace(path, real, st, old, new, mode, ids, backup, validate, diff, folder)
    except OSError as e:
        # Errors of descriptors name no file, others the temporary one.
        if e.filename is None or TEMP in str(e.filename):
            raise OSError(e.errno, e.strerror, path) from None
        raise


def _replace(path, real, st, old, new, mode, ids, backup, validate, diff, folder):
    temp = beside(os.path.join(folder, "") if folder else real)
    saved = None
    in_place = False
    keep, own = mode, ids
    if st:
        keep, own = stat.S_IMODE(st.st_mode), (st.st_uid, st.st_gid)
        user = os.geteuid()
        # Who is not root can give no file away: another's file keeps its owner only where it is.
        in_place = user and (
            ids[0] < 0 and st.st_uid != user or ids[1] < 0 and st.st_gid not in os.getgroups() + [os.getegid()]
        )
    try:
        if in_place:
            _create(temp, new, 0o600, (-1, -1), None)
        else:
            ids = tuple(old_id if new_id < 0 else new_id for new_id, old_id in zip(ids, own))
            _create(temp, new, keep if mode is None else mode, ids, st and real)
        if validate:
            validate(temp)
        if backup and st:
            import time

            now = time.time()
            name = "%s.%s.%06dZ~" % (real, time.strftime("%Y%m%dT%H%M%S", time.gmtime(now)), now % 1 * 1e6)
            _create(name, old, keep, (-1, -1) if in_place else own, real)
            saved = name
        try:
            if not in_place:
                os.rename(temp, real)
        except OSError as e:
            # A file that is mounted on its own cannot be replaced.
            if not st or e.errno not in (errno.EBUSY, errno.EXDEV):
                raise
            in_place = True
        if in_place:
            _overwrite(real, old, new)
    except BaseException:
        if saved:
            os.unlink(saved)
        raise
    finally:
        if os.path.lexists(temp):
            os.unlink(temp)
    if in_place:
        set_attributes(real, mode, *ids)
    try:
        fd = os.open(os.path.dirname(real) or ".", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        # Not every file system can do this, and the file is in place.
        pass
    return record(diff, saved, bool(in_place))


def unified(path, old, new, secret=False):
    """The difference of two contents as text."""
    if secret:
        return "(content hidden)\n"
    if b"\0" in old or b"\0" in new:
        return "(binary content: %d bytes become %d)\n" % (len(old), len(new))
    a, b = old.split(b"\n"), new.split(b"\n")
    for lines in a, b:
        if lines[-1]:
            lines[-1] += b"\n\\ No newline at end of file"
        else:
            lines.pop()
    most = min(len(a), len(b))
    head = tail = 0
    while head < most and a[head] == b[head]:
        head += 1
    while tail < most - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    # difflib is slow on long files: it gets what differs and the context of it.
    head = max(0, head - 3)
    a, b = ([x.decode("utf-8", "backslashreplace") for x in y[head : len(y) - max(0, tail - 3)]] for y in (a, b))
    if len(a) + len(b) > LINES:
        return "(%d lines become %d: too many for a diff)\n" % (len(a), len(b))
    from difflib import unified_diff

    out = []
    for line in unified_diff(a, b, path, path, lineterm=""):
        if line[0] == "@":
            words = line.split()
            for i in (1, 2):
                first, comma, count = words[i].partition(",")
                words[i] = "%s%d%s%s" % (first[0], int(first[1:]) + head, comma, count)
            line = " ".join(words)
        out.append(line + "\n")
    text = "".join(out)
    return text if len(text) <= DIFF else text[:DIFF] + "\n(cut: %d characters in all)\n" % len(text)
