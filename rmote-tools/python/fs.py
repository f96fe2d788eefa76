"""Files and directories on the host."""
import errno
import os
import stat

from rmote.values import Record

DIFF = 1 << 16
LINES = 10000
SIZE = 1 << 27
TEMP = ".rmote-"
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FileSystem:
    """Reads and changes files and directories.

    What changes something returns a `Change`: whether it did, a unified diff, the path of the backup, and whether
    a file had to be written in place. With `check` nothing is written, and the answer is as it would be.
    """

    @staticmethod
    def read_bytes(path, *, offset=0, length=None):
        """Reads a file, or `length` bytes of it from `offset` on."""
        if offset < 0 or length is not None and length < 0:
            raise ValueError("offset and length are at least 0")
        with open(path, "rb") as file:
            if offset:
                file.seek(offset)
            if length is None:
                return file.read()
            # In parts: read(n) sets n bytes aside, however short the file is.
            parts = []
            while length:
                part = file.read(min(length, 1 << 20))
                if not part:
                    break
                parts.append(part)
                length -= len(part)
            return b"".join(parts)

    @staticmethod
    def read_str(path, *, encoding="utf-8"):
        """Reads a text file, with its line ends as they are; other bytes than `encoding` allows are an error."""
        try:
            return FileSystem.read_bytes(path).decode(encoding)
        except UnicodeDecodeError as e:
            # That error would carry the whole file along.
            text = "%s: not %s: %s at byte %d" % (path, e.encoding, e.reason, e.start)
        raise UnicodeError(text)

    @staticmethod
    def glob(path, pattern):
        """Lists the paths below a directory that match a pattern, sorted.

        `*` and `?` match dot files too, `**` is any number of directories and follows no symbolic links, a final
        `/` or `**` leaves directories only. A directory that is missing or cannot be read has no matches.
        """
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        if not parts or pattern[0] == "/" or ".." in parts:
            raise ValueError("pattern must be relative and without '..': %r" % pattern)
        if any("**" in part and part != "**" for part in parts):
            raise ValueError("'**' must be a whole part of the pattern: %r" % pattern)
        if pattern[-1] == "/" or parts[-1] == "**":
            parts.append("")
        found = set()
        _glob(path, [p for p, q in zip(parts, [None] + parts) if p != "**" or q != p], found)
        return sorted(found)

    @staticmethod
    def line_in_file(
        path,
        line,
        *,
        regexp=None,
        strip=False,
        create=False,
        match="first",
        mode=None,
        owner=None,
        group=None,
        backup=False,
        validate=None,
        check=False,
        secret=False
    ):
        """Makes sure that a line is in a file.

        Without `regexp` the line is appended unless it is there. With it, the first line in which it is found
        becomes `line`, unless `line` is there already; with `match="all"` each of them does; where none is found
        the line is appended if it is not there. `strip` ignores white space around lines when they are compared.
        The other options are those of `write`; a missing file is an error without `create`.
        """
        if "\n" in line or "\r" in line:
            raise ValueError("a line cannot hold line ends")
        if match not in ("first", "all"):
            raise ValueError("match is 'first' or 'all', not %r" % (match,))
        if regexp is not None:
            import re

            try:
                regexp = re.compile(regexp)
            except re.error as e:
                raise ValueError("bad regexp %r: %s" % (regexp, e)) from None
        want = line.encode("utf-8", "surrogateescape")

        def body(raw):
            return raw[:-1] if raw[-1:] == b"\r" else raw

        def same(raw):
            return raw.strip() == want.strip() if strip else body(raw) == want

        def edit(old):
            lines = old.split(b"\n")
            last = lines.pop()
            if last:
                lines.append(last)
            present = any(map(same, lines))
            hits = []
            if regexp and (match == "all" or not present):
                hits = [i for i, raw in enumerate(lines) if regexp.search(body(raw).decode("utf-8", "surrogateescape"))]
            for i in hits if match == "all" else hits[:1]:
                if not same(lines[i]):
                    lines[i] = want + lines[i][len(body(lines[i])) :]
            if not hits and not present:
                end = lines[0][len(body(lines[0])) :] if lines else b""
                if last and body(last) == last:
                    lines[-1] += end
                lines.append(want + end)
                last = b""
            return b"\n".join(lines) + (b"\n" if lines and not (last and lines[-1]) else b"")

        return _change(path, edit, create, mode, owner, group, backup, validate, check, secret)

    @staticmethod
    def write(
        path,
        content,
        *,
        mode=None,
        owner=None,
        group=None,
        backup=False,
        validate=None,
        check=False,
        secret=False
    ):
        """Makes a file hold `content`, text (as UTF-8) or bytes.

        The file is replaced at once, by a rename: it has the old content or the new one. Mode and owner stay, or
        become what is given; a new file has 0644 less the umask. A symbolic link is followed. `backup` leaves a
        copy beside the file. `validate` is a command, a list or text for the shell, in which `{}` or `%s` stands
        for the path of the new content; unless it succeeds, nothing changes. `secret` keeps the content out of
        the diff.
        """
        new = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else bytes(memoryview(content))
        return _change(path, lambda old: new, True, mode, owner, group, backup, validate, check, secret)

    @staticmethod
    def directory(path, *, mode=None, owner=None, group=None, parents=True, check=False):
        """Makes sure that a directory exists, and that it has the mode and the owner that are given.

        New directories have 0755 less the umask; mode and owner are those of the last one only. With `parents`
        those that are missing are made too.
        """
        ids = _ids(mode, owner, group)
        path = _clean(path)
        missing = []
        at = path
        while not os.path.lexists(at) and (parents or not missing):
            missing.append(at)
            at = os.path.dirname(at) or "."
        try:
            st = os.stat(at)
        except FileNotFoundError:
            st = None
            if not os.path.lexists(at):
                raise
        if not st or not stat.S_ISDIR(st.st_mode):
            raise OSError(errno.ENOTDIR if missing else errno.EEXIST, "exists and is not a directory", at)
        diff = "".join("+ %s/\n" % new for new in reversed(missing))
        if not missing:
            diff = _attributes(st, mode, *ids)
        if not check:
            for new in reversed(missing):
                try:
                    os.mkdir(new, 0o755 if mode is None or new != path else 0o700)
                except FileExistsError:
                    # Another call was faster.
                    if not os.path.isdir(new):
                        raise
            if diff:
                try:
                    _set(path, mode, *ids)
                except OSError:
                    if missing:
                        os.rmdir(path)
                    raise
        return _record(diff)

    @staticmethod
    def symlink(path, target, *, force=False, check=False):
        """Makes sure that `path` is a symbolic link to `target`.

        A link to something else is replaced. A file is replaced only with `force`, a directory never.
        """
        path = _clean(path)
        diff = "+ %s -> %s\n" % (path, target)
        try:
            st = os.lstat(path)
        except FileNotFoundError:
            os.stat(os.path.dirname(path) or ".")
            if not check:
                os.symlink(target, path)
            return _record(diff)
        if stat.S_ISLNK(st.st_mode):
            old = os.readlink(path)
            if old == target:
                return _record("")
            diff = "- %s -> %s\n" % (path, old) + diff
        elif stat.S_ISDIR(st.st_mode) or not force:
            raise FileExistsError(errno.EEXIST, "exists and is not a symbolic link", path)
        else:
            diff = "- %s\n" % path + diff
        if not check:
            temp = _beside(path)
            os.symlink(target, temp)
            try:
                os.rename(temp, path)
            except OSError as e:
                os.unlink(temp)
                raise OSError(e.errno, e.strerror, path) from None
        return _record(diff)

    @staticmethod
    def absent(path, *, recursive=False, check=False):
        """Makes sure that nothing is at a path.

        A symbolic link is removed, not what it points to. A directory must be empty, unless `recursive`; one that
        is a mount point or has one below is refused, and so is the root.
        """
        path = _clean(path)
        if os.path.basename(path) in ("", ".", ".."):
            raise ValueError("refused to remove %r" % path)
        try:
            st = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return _record("")
        if not stat.S_ISDIR(st.st_mode):
            if not check:
                os.unlink(path)
            return _record("- %s\n" % path)
        _refuse_mounts(path)
        if not recursive and os.listdir(path):
            raise OSError(errno.ENOTEMPTY, "directory is not empty", path)
        if not check:
            if recursive:
                import shutil

                shutil.rmtree(path)
            else:
                os.rmdir(path)
        return _record("- %s/\n" % path)

    @staticmethod
    def stat(path, *, follow=False):
        """Tells what is at a path; of a symbolic link itself, unless `follow`."""
        try:
            st = (os.stat if follow else os.lstat)(path)
        except (FileNotFoundError, NotADirectoryError):
            st = None
        mode = st.st_mode if st else 0
        link = stat.S_ISLNK(mode)
        return Record(
            "Stat",
            path=path,
            exists=bool(st),
            size=st.st_size if st else 0,
            mode=stat.S_IMODE(mode),
            uid=st.st_uid if st else 0,
            gid=st.st_gid if st else 0,
            mtime=st.st_mtime if st else 0.0,
            is_file=stat.S_ISREG(mode),
            is_dir=stat.S_ISDIR(mode),
            is_symlink=link,
            link_target=os.readlink(path) if link else None,
        )


def _record(diff, backup=None, in_place=False):
    # Names that are not UTF-8 are escaped.
    text = diff.encode("utf-8", "backslashreplace").decode()
    return Record("Change", changed=bool(diff), diff=text, backup=backup, in_place=in_place)


def _clean(path):
    if not path:
        raise ValueError("the path is empty")
    return path.rstrip("/") or "/"


def _scan(path):
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _glob(path, parts, found):
    if not parts:
        found.add(path)
        return
    head, rest = parts[0], parts[1:]
    if not head:
        if os.path.isdir(path):
            found.add(path)
    elif head == "**":
        below = [path]
        while below:
            path = below.pop()
            _glob(path, rest, found)
            below += [os.path.join(path, e.name) for e in _scan(path) if e.is_dir(follow_symlinks=False)]
    elif not set("*?[").intersection(head):
        path = os.path.join(path, head)
        if os.path.lexists(path):
            _glob(path, rest, found)
    else:
        from fnmatch import fnmatchcase

        for e in _scan(path):
            if fnmatchcase(e.name, head):
                _glob(os.path.join(path, e.name), rest, found)


def _ids(mode, owner, group):
    if mode is not None and not 0 <= mode <= 0o7777:
        raise ValueError("mode %o is not between 0 and 7777" % mode)
    try:
        if isinstance(owner, str):
            import pwd

            owner = pwd.getpwnam(owner).pw_uid
        if isinstance(group, str):
            import grp

            group = grp.getgrnam(group).gr_gid
    except KeyError as e:
        raise LookupError("no such user or group: %s" % e) from None
    return -1 if owner is None else owner, -1 if group is None else group


def _attributes(st, mode, uid, gid):
    """What will change in mode and owner, as lines of a diff."""
    now = stat.S_IMODE(st.st_mode)
    diff = ""
    if mode not in (None, now):
        diff = "- mode %04o\n+ mode %04o\n" % (now, mode)
    for name, old, new in (("owner", st.st_uid, uid), ("group", st.st_gid, gid)):
        if new not in (-1, old):
            diff += "- %s %d\n+ %s %d\n" % (name, old, name, new)
    return diff


def _set(path, mode, uid, gid):
    # The owner first: a change of owner clears the setuid bit.
    if (uid, gid) != (-1, -1):
        os.chown(path, uid, gid)
    if mode is not None:
        os.chmod(path, mode)


def _beside(path):
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


def _change(path, edit, create, mode, owner, group, backup, validate, check, secret):
    """Makes the content of a file `edit(content)`."""
    ids = _ids(mode, owner, group)
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
        attributes = _attributes(st, mode, *ids) if st else ""
        diff = attributes
        if not st or new != old:
            diff += _diff(path, old, new, secret) or "+ %s\n" % path
        if check or not diff:
            return _record(diff)
        if diff == attributes:
            _set(real, mode, *ids)
            return _record(diff)
        return _replace(path, real, st, old, new, mode, ids, backup, validate, diff)
    except OSError as e:
        # Errors of descriptors name no file, others the temporary one.
        if e.filename is None or TEMP in str(e.filename):
            raise OSError(e.errno, e.strerror, path) from None
        raise


def _replace(path, real, st, old, new, mode, ids, backup, validate, diff):
    temp = _beside(real)
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
        _set(real, mode, *ids)
    try:
        fd = os.open(os.path.dirname(real) or ".", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        # Not every file system can do this, and the file is in place.
        pass
    return _record(diff, saved, bool(in_place))


def _diff(path, old, new, secret):
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


def _refuse_mounts(path):
    real = os.path.realpath(path)
    mounts = [real] if os.path.ismount(real) else []
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            # White space in the names is written as octal escapes.
            mounts += [os.fsdecode(line.split()[4].decode("unicode_escape").encode("latin-1")) for line in file]
    except OSError:
        pass
    for mount in mounts:
        if (mount + "/").startswith(real + "/"):
            raise OSError(errno.EBUSY, "%s is a mount point" % mount, path)
