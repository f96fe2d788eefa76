"""The sending side of a copy on the host."""
import errno
import os
import stat

from rmote.tools.blocks import PIECE, ZEROS, Digest, block_size, digest, pieces, read, sums
from rmote.tools.tree import Tree, matcher

BATCH = 256
WINDOW = 8
SMALL = 1 << 15
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def send(messages, root, options):
    """Tells what is there, and sends what the controller asks for."""
    sender = Sender(root, options)
    try:
        waiting = 0
        batches = sender.batches()
        while True:
            # Each batch lets the controller send one message, and so does it that there is nothing to do.
            while batches and waiting < WINDOW:
                batch = next(batches, None)
                if batch:
                    yield batch
                    waiting += 1
                else:
                    batches = None
            if not waiting:
                yield ("idle",)
                waiting += 1
            requests = next(messages, None)
            waiting -= 1
            if requests is None:
                return
            for answer in sender.serve(requests):
                yield answer
    finally:
        sender.close()


class Sender:
    def __init__(self, root, options):
        path = os.fsencode(root)
        # The root itself may be a link, as the source of a command.
        st = os.stat(path)
        self.options = options
        self.excluded = matcher(options.get("excludes"))
        if stat.S_ISDIR(st.st_mode):
            self.tree = Tree(path)
        elif stat.S_ISREG(st.st_mode):
            path = os.path.realpath(path)
            self.tree = Tree(os.path.dirname(path), os.path.basename(path))
        else:
            raise OSError(errno.EINVAL, "neither a regular file nor a directory", root)
        self.users, self.groups = {}, {}
        self.failures = []

    def close(self):
        self.tree.close()

    def batches(self):
        first = 0
        entries = [entry(self.tree, b"", self.tree.stat(b""))]
        for path, st in () if self.tree.name else self.tree.walk(self.excluded, self.fail):
            if len(entries) >= BATCH:
                yield self.batch(first, entries)
                first += len(entries)
                entries = []
            try:
                entries.append(entry(self.tree, path, st))
            except OSError as e:
                self.fail(path, e)
        yield self.batch(first, entries)

    def batch(self, first, entries):
        users, groups = {}, {}
        if self.options.get("owners"):
            import grp
            import pwd

            for known, new, index, lookup in ((self.users, users, 5, pwd.getpwuid), (self.groups, groups, 6, grp.getgrgid)):
                for number in {e[index] for e in entries}.difference(known):
                    try:
                        known[number] = new[number] = lookup(number)[0]
                    except KeyError:
                        known[number] = None
        failures, self.failures = self.failures, []
        return "entries", first, entries, users, groups, failures

    def fail(self, path, e):
        self.failures.append((path, e.errno, e.strerror or str(e)))

    def serve(self, requests):
        """Answers what the controller asks for; small files go together."""
        files = []
        size = 0
        for request in requests:
            kind, id, path = request[:3]
            try:
                fd = self.tree.open(path)
                try:
                    if kind == "whole" and os.fstat(fd).st_size <= SMALL:
                        whole = os.pread(fd, SMALL, 0)
                        files.append((id, whole, Digest(whole).digest()))
                        size += len(whole) + 64
                    else:
                        for answer in getattr(self, kind)(fd, id, *request[3:]):
                            yield answer
                finally:
                    os.close(fd)
            except OSError as e:
                yield "failed", id, e.errno, e.strerror or str(e)
            if size > 4 * SMALL:
                yield "files", files
                files = []
                size = 0
        if files:
            yield "files", files

    def whole(self, fd, id, offset=0, whole=None):
        whole = whole or Digest()
        for piece in pieces(fd, os.fstat(fd).st_size, offset):
            if isinstance(piece, int):
                yield "hole", id, piece
                while piece:
                    whole.update(ZEROS[:piece])
                    piece -= min(piece, len(ZEROS))
            else:
                whole.update(piece)
                yield data(id, piece)
        yield "end", id, whole.digest()

    def rest(self, fd, id, size, sum):
        """What follows the part that the controller has, if that is how the file begins; else all of it."""
        whole, found = digest(fd, size)
        same = found == size and whole.digest() == sum
        yield "resume", id, same
        for answer in self.whole(fd, id, size, whole) if same else self.whole(fd, id):
            yield answer

    def sums(self, fd, id):
        size = os.fstat(fd).st_size
        block = block_size(size)
        whole = Digest()
        yield "basis", id, size, block
        for part in sums(fd, size, block, whole):
            yield "sums", id, part
        yield "summed", id, whole.digest()

    def ranges(self, fd, id, ranges):
        for offset, size in ranges:
            while size > 0:
                piece = read(fd, min(size, PIECE), offset)
                if not piece:
                    raise OSError(errno.EIO, "the file was cut while it was read")
                yield data(id, piece)
                offset += len(piece)
                size -= len(piece)
        yield "end", id, b""

    def hash(self, fd, id):
        yield "hash", id, digest(fd)[0].digest()


def data(id, piece):
    """Content of a file as it travels: as bytes, which no encoder has to look at."""
    return id.to_bytes(8, "little") + piece


def entry(tree, path, st):
    kind = KINDS.get(stat.S_IFMT(st.st_mode), "special")
    target = b""
    if kind == "link":
        fd, name = tree.locate(path)
        target = os.readlink(name, dir_fd=fd)
    links = st.st_nlink if kind == "file" else 1
    return path, kind, stat.S_IMODE(st.st_mode), st.st_mtime_ns, st.st_size, st.st_uid, st.st_gid, target, links
