"""Files on their way in: written beside their targets, then put in their places."""
import errno
import os
import stat

from rmote.tools.blocks import PART, ZEROS, Digest, digest

TEMP = b".rmote-"
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Less than this is sooner sent again than looked for.
LEAST = 1 << 20
THREADS = 8


def part_name(name, size, mtime):
    """What the part of a file is called that a broken transfer leaves behind."""
    return TEMP + Digest(b"%s/%d/%d" % (name, size, mtime)).hexdigest()[:24].encode() + b".part"


def close(file):
    """Closes a file once, even if a cancellation comes between: its number may be another's by then."""
    fd, file.fd = file.fd, None
    if fd is not None:
        os.close(fd)


class Part:
    """The part of a file that an earlier transfer left beside the target, if it is ours alone."""

    fd = None

    def __init__(self, tree, path, name):
        parent, _ = tree.locate(path)
        self.name = name
        try:
            fd = os.open(name, NEW & ~(os.O_CREAT | os.O_EXCL), dir_fd=parent)
        except OSError:
            return
        st = os.fstat(fd)
        if stat.S_ISREG(st.st_mode) and st.st_uid == os.geteuid() and st.st_nlink == 1 and not st.st_mode & 0o077:
            self.fd = fd
            self.digest, self.size = digest(fd)
        else:
            os.close(fd)

    def close(self):
        close(self)


class Incoming:
    """A file that is being written beside its target.

    With the name of a part it stays there when the transfer breaks.
    """

    fd = None

    def __init__(self, tree, path, attributes, part_name=None):
        self.tree, self.path, self.attributes = tree, path, attributes
        self.digest = Digest()
        self.lasting = bool(part_name)
        self.size = 0
        # Without the target's name: it may be as long as names can be.
        self.name = part_name or TEMP + os.urandom(8).hex().encode()

    def begin(self, part=None):
        """Makes the file; whoever is to remove it must know it before, since a cancellation may come at any moment."""
        if part:
            # Its bytes so far are what this file begins with.
            self.fd, part.fd = part.fd, None
            self.digest, self.size = part.digest, part.size
            os.ftruncate(self.fd, self.size)
            os.lseek(self.fd, self.size, os.SEEK_SET)
            return
        parent, _ = self.tree.locate(self.path)
        if self.lasting:
            try:
                os.unlink(self.name, dir_fd=parent)
            except FileNotFoundError:
                pass
        self.fd = os.open(self.name, NEW, 0o600, dir_fd=parent)

    def write(self, data):
        self.digest.update(data)
        self.size += len(data)
        done = os.write(self.fd, data)
        while done < len(data):
            done += os.write(self.fd, memoryview(data)[done:])

    def hole(self, size):
        self.size += size
        os.lseek(self.fd, self.size, os.SEEK_SET)
        while size:
            self.digest.update(ZEROS[:size])
            size -= min(size, PART)

    def finish(self):
        """Gives the file its attributes. Its length too, which a hole at the end does not."""
        st = os.fstat(self.fd)
        if st.st_size != self.size:
            os.ftruncate(self.fd, self.size)
        self.attributes.set(self.fd, st)

    def place(self, clear=None):
        """Puts it in the target's place; true if that had to be written in place.

        `clear` removes a directory that is in the way.
        """
        parent, name = self.tree.locate(self.path)
        try:
            try:
                os.rename(self.name, name, src_dir_fd=parent, dst_dir_fd=parent)
            except OSError as e:
                if e.errno in (errno.EISDIR, errno.ENOTEMPTY) and clear and clear(self.path):
                    parent, name = self.tree.locate(self.path)
                    os.rename(self.name, name, src_dir_fd=parent, dst_dir_fd=parent)
                # A file that is mounted on its own cannot be replaced.
                elif e.errno in (errno.EBUSY, errno.EXDEV):
                    self.overwrite(parent, name)
                    self.discard()
                    return True
                else:
                    raise
        except OSError:
            self.discard()
            raise
        self.close()
        return False

    def overwrite(self, parent, name):
        fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            os.lseek(self.fd, 0, os.SEEK_SET)
            while True:
                data = os.read(self.fd, PART)
                if not data:
                    break
                while data:
                    data = data[os.write(fd, data) :]
            os.ftruncate(fd, self.size)
            self.attributes.set(fd, os.fstat(fd))
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, broken=False):
        """Removes its name, unless the transfer broke and the next one can go on from here."""
        if not (broken and self.lasting and self.size >= LEAST):
            try:
                parent, _ = self.tree.locate(self.path)
                os.unlink(self.name, dir_fd=parent)
            except OSError:
                pass

    def close(self):
        close(self)

    def discard(self):
        self.remove()
        self.close()


class Attributes:
    """What a thing is to have beside its content; None where it keeps what it has."""

    def __init__(self, size, mode, mtime, uid, gid):
        self.size, self.mode, self.mtime, self.uid, self.gid = size, mode, mtime, uid, gid

    def differ(self, st):
        link = stat.S_ISLNK(st.st_mode)
        return (
            not link and self.mode not in (None, stat.S_IMODE(st.st_mode))
            or self.mtime not in (None, st.st_mtime_ns)
            or self.uid not in (None, st.st_uid)
            or self.gid not in (None, st.st_gid)
        )

    def set(self, fd, st):
        """Sets what differs from `st`."""
        if self.uid not in (None, st.st_uid) or self.gid not in (None, st.st_gid):
            # First: it clears the setuid bit.
            os.fchown(fd, -1 if self.uid is None else self.uid, -1 if self.gid is None else self.gid)
            st = None
        if self.mode is not None and not (st and self.mode == stat.S_IMODE(st.st_mode)):
            os.fchmod(fd, self.mode)
        if self.mtime is not None:
            os.utime(fd, ns=(self.mtime, self.mtime))

    def set_link(self, name, parent):
        """The same for a symbolic link, which has no mode."""
        there = {"dir_fd": parent, "follow_symlinks": False}
        if self.uid is not None or self.gid is not None:
            os.chown(name, -1 if self.uid is None else self.uid, -1 if self.gid is None else self.gid, **there)
        if self.mtime is not None:
            os.utime(name, ns=(self.mtime, self.mtime), **there)


def sync(files):
    """Brings files to the disk, several at once: the file system then writes its journal once for many."""
    files = list(files)
    errors = {}

    def work():
        while files:
            try:
                file = files.pop()
            except IndexError:
                return
            try:
                os.fsync(file.fd)
            except OSError as e:
                errors[file] = e

    if len(files) > 1:
        from threading import Thread

        threads = [Thread(target=work) for _ in range(min(THREADS, len(files)) - 1)]
        for thread in threads:
            thread.start()
    else:
        threads = []
    work()
    for thread in threads:
        thread.join()
    return errors
