"""Files and directories on the host."""
import errno
import os
import stat

from rmote.tools.edit import attributes_of, beside, change, ids_of, record, set_attributes
from rmote.values import Record


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

        return change(
            path,
            edit,
            create=create,
            mode=mode,
            owner=owner,
            group=group,
            backup=backup,
            validate=validate,
            check=check,
            secret=secret,
        )

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
        return change(
            path,
            lambda old: new,
            mode=mode,
            owner=owner,
            group=group,
            backup=backup,
            validate=validate,
            check=check,
            secret=secret,
        )

    @staticmethod
    def directory(path, *, mode=None, owner=None, group=None, parents=True, check=False):
        """Makes sure that a directory exists, and that it has the mode and the owner that are given.

        New directories have 0755 less the umask; mode and owner are those of the last one only. With `parents`
        those that are missing are made too.
        """
        ids = ids_of(mode, owner, group)
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
            diff = attributes_of(st, mode, *ids)
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
                    set_attributes(path, mode, *ids)
                except OSError:
                    if missing:
                        os.rmdir(path)
                    raise
        return record(diff)

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
            return record(diff)
        if stat.S_ISLNK(st.st_mode):
            old = os.readlink(path)
            if old == target:
                return record("")
            diff = "- %s -> %s\n" % (path, old) + diff
        elif stat.S_ISDIR(st.st_mode) or not force:
            raise FileExistsError(errno.EEXIST, "exists and is not a symbolic link", path)
        else:
            diff = "- %s\n" % path + diff
        if not check:
            temp = beside(path)
            os.symlink(target, temp)
            try:
                os.rename(temp, path)
            except OSError as e:
                os.unlink(temp)
                raise OSError(e.errno, e.strerror, path) from None
        return record(diff)

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
            return record("")
        if not stat.S_ISDIR(st.st_mode):
            if not check:
                os.unlink(path)
            return record("- %s\n" % path)
        _refuse_mounts(path)
        if not recursive and os.listdir(path):
            raise OSError(errno.ENOTEMPTY, "directory is not empty", path)
        if not check:
            if recursive:
                import shutil

                shutil.rmtree(path)
            else:
                os.rmdir(path)
        return record("- %s/\n" % path)

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
