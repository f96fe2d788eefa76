"""Directories as handles, and what is in them."""
import errno
import os
import re
import stat

HANDLES = 64
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without waiting for the other end of a pipe that has taken a file's place.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def child(path, name):
    return path + b"/" + name if path else name


class Tree:
    """The directory, or the one file in it, that a copy reads or writes.

    Paths are bytes, relative to the root and without `..`; the root itself is the empty path. No symbolic link is
    followed below the root, whoever puts one there and whenever.
    """

    def __init__(self, directory, name=None):
        # Without a name the root is the directory, else that one thing in it.
        self.name = name
        self.handles = {b"": os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)}

    def directory(self, path):
        """The handle of a directory, which is good until the next one is asked for."""
        fd = self.handles.get(path)
        if fd is not None:
            return fd
        if len(self.handles) >= HANDLES:
            for other in [other for other in self.handles if other]:
                os.close(self.handles.pop(other))
        at = len(path)
        while path[:at] not in self.handles:
            at = max(path.rfind(b"/", 0, at), 0)
        while at < len(path):
            end = path.find(b"/", at + 1)
            end = len(path) if end < 0 else end
            name = path[at:end].lstrip(b"/")
            self.handles[path[:end]] = os.open(name, DIRECTORY, dir_fd=self.handles[path[:at]])
            at = end
        return self.handles[path]

    def locate(self, path):
        """The handle of the directory that a thing is in, and its name there."""
        if not path:
            return self.handles[b""], self.name or b"."
        parent, _, name = path.rpartition(b"/")
        return self.directory(parent), name

    def stat(self, path):
        fd, name = self.locate(path)
        return os.stat(name, dir_fd=fd, follow_symlinks=False)

    def find(self, path):
        """What is there, or None."""
        try:
            return self.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as e:
            # A symbolic link where a directory would be.
            if e.errno != errno.ELOOP:
                raise
            return None

    def open(self, path):
        """A regular file, to be read."""
        fd, name = self.locate(path)
        fd = os.open(name, READ, dir_fd=fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file any more")
        return fd

    def forget(self, path):
        """Closes the handles of a directory that is about to go, and of those below it."""
        for other in [other for other in self.handles if other == path or other.startswith(path + b"/")]:
            os.close(self.handles.pop(other))

    def close(self):
        for fd in self.handles.values():
            os.close(fd)
        self.handles = {}

    def walk(self, excludes=None, failed=None):
        """All that is below the root, as pairs of path and status; a directory before what is in it.

        What is excluded is left out with all below it. A directory that cannot be read is given to `failed`.
        """
        below = [b""]
        while below:
            parent = below.pop()
            found = []
            try:
                for name in sorted(map(os.fsencode, os.listdir(self.directory(parent)))):
                    path = child(parent, name)
                    st = self.find(path)
                    if st and not (excludes and excludes(path, stat.S_ISDIR(st.st_mode))):
                        found.append((path, st))
            except OSError as e:
                if failed:
                    failed(parent, e)
                continue
            for item in found:
                yield item
            below += [path for path, st in reversed(found) if stat.S_ISDIR(st.st_mode)]

    def remove(self, path, excludes=None):
        """Removes a file, or a directory with all in it but what is excluded; false when something had to stay."""
        fd, name = self.locate(path)
        if not stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=fd)
            return True
        whole = True
        for inner in map(os.fsencode, os.listdir(self.directory(path))):
            inner = child(path, inner)
            st = self.find(inner)
            if st and excludes and excludes(inner, stat.S_ISDIR(st.st_mode)):
                whole = False
            elif st:
                whole = self.remove(inner, excludes) and whole
        if whole:
            self.forget(path)
            fd, name = self.locate(path)
            os.rmdir(name, dir_fd=fd)
        return whole


def matcher(patterns):
    """Whether a path is excluded, by regular expressions with whether each is for directories only."""
    if not patterns:
        return None
    every, directories = ([re.compile(p, re.DOTALL) for p, only in patterns if only in which] for which in ((False,), (False, True)))

    def excluded(path, is_directory):
        return any(pattern.fullmatch(path) for pattern in (directories if is_directory else every))

    return excluded
