"""The receiving side of a copy on the host."""
import errno
import os
import stat

import rmote.agent
from rmote.tools.blocks import DELTA, PART, ZEROS, block_size, digest, read, sums
from rmote.tools.incoming import TEMP, Attributes, Incoming, Part, part_name, sync
from rmote.tools.tree import Tree, matcher

# So many files are synced and put in their places together.
PENDING = 64
PENDING_SIZE = 1 << 24
NAMES = 512


def receive(messages, root, options):
    """Makes what the controller describes, and answers each message as it is done."""
    receiver = Receiver(root, options)
    agent = rmote.agent.agent
    if agent:
        agent.cleanups.add(receiver.leave)
    try:
        for message in messages:
            if type(message) is bytes:
                # Content of a file: its number, then bytes that are not copied once more.
                answers = receiver.on_data(int.from_bytes(message[:8], "little"), memoryview(message)[8:])
            else:
                answers = getattr(receiver, "on_" + message[0])(*message[1:])
            for answer in answers:
                yield answer
        receiver.complete = True
    finally:
        if agent:
            agent.cleanups.discard(receiver.leave)
        receiver.close()


class Wanted:
    """A file whose content is on its way."""

    part = old = None

    def __init__(self, id, path, attributes, part_name):
        self.id, self.path, self.attributes, self.part_name = id, path, attributes, part_name

    def close(self):
        if self.part:
            self.part.close()
        old, self.old = self.old, None
        if old is not None:
            os.close(old)


class Receiver:
    """Makes what the controller describes, in the order of its messages."""

    complete = made_root = False

    def __init__(self, root, options):
        self.root = os.fsdecode(root)
        get = options.get
        self.dry, self.fsync, self.checksum, self.delete = get("dry_run"), get("sync"), get("checksum"), get("delete")
        self.modes, self.times, self.ignore_times = get("modes"), get("times"), get("ignore_times")
        self.whole, self.resume = get("whole"), get("resume")
        self.owners = get("owners") and os.geteuid() == 0
        self.into, self.name = get("into"), get("name")
        self.excluded = matcher(get("excludes"))
        self.umask = os.umask(0o077)
        os.umask(self.umask)
        self.users, self.groups = {}, {}
        self.tree = None
        self.wanted = {}
        self.open = {}
        self.pending = []
        self.pending_size = 0
        # What directories get when nothing more changes in them.
        self.directories = []
        self.touched = set()

    # What is there and what is wanted

    def on_entries(self, first, entries, users, groups):
        """Does what can be done at once, and answers with one letter an entry.

        = as it should be, a attributes changed, n made anew; a file's content is wanted: w there is none, u another
        one, b there is something to build on, h it may be the same by its sum; f failed.
        """
        self.name_owners(users, groups)
        codes, failures, sums_of = [], [], {}
        for id, entry in enumerate(entries, first):
            try:
                code = self.consider(id, *entry)
                if code == "h":
                    fd = self.tree.open(entry[0])
                    try:
                        sums_of[id] = digest(fd)[0].digest()
                    finally:
                        os.close(fd)
            except OSError as e:
                if not entry[0]:
                    raise
                code = "f"
                failures.append((id, e.errno, e.strerror or str(e)))
            codes.append(code)
        yield "answer", first, "".join(codes), failures, sums_of

    def name_owners(self, users, groups):
        if self.owners:
            import grp
            import pwd

            for known, named, lookup in ((self.users, users, pwd.getpwnam), (self.groups, groups, grp.getgrnam)):
                for number, name in named.items():
                    try:
                        known[number] = lookup(name)[2]
                    except KeyError:
                        known[number] = number

    def consider(self, id, path, kind, mode, mtime, size, uid, gid, target):
        if not path:
            self.find_root(kind)
        st = self.tree and self.tree.find(path)
        if not self.modes:
            mode = mode & ~self.umask if st is None or stat.S_IFMT(st.st_mode) == stat.S_IFLNK else None
        owner = (self.users.get(uid, uid), self.groups.get(gid, gid)) if self.owners else (None, None)
        attributes = Attributes(size, mode, mtime if self.times else None, *owner)
        if kind == "directory":
            return self.make_directory(path, st, attributes)
        if st and stat.S_ISDIR(st.st_mode) and not self.delete:
            raise OSError(errno.EISDIR, "a directory is in the way")
        if kind == "link":
            return self.make_link(path, st, attributes, target)
        code = "w"
        if st and stat.S_ISREG(st.st_mode):
            code = "u"
            if st.st_size == size:
                if self.checksum:
                    code = "h"
                elif st.st_mtime_ns == mtime and not self.ignore_times:
                    try:
                        return self.adjust(path, st, attributes)
                    except PermissionError:
                        # It cannot even be opened: it is replaced.
                        pass
            if code == "u" and not self.whole and min(st.st_size, size) >= DELTA:
                code = "b"
        part = None
        if self.resume is not None and size >= self.resume:
            part = part_name(os.path.basename(path) or self.tree and self.tree.name or b"", size, mtime)
            if code != "h" and self.has(path, part):
                code = "b"
        if not self.dry:
            self.wanted[id] = Wanted(id, path, attributes, part)
        return code

    def has(self, path, name):
        try:
            fd, _ = self.tree.locate(path)
            os.stat(name, dir_fd=fd, follow_symlinks=False)
            return True
        except (OSError, AttributeError):
            # There is not even a directory in a dry run.
            return False

    def find_root(self, kind):
        """Opens the directory that all goes to, or the one that the file goes to."""
        root = self.root
        if self.into and os.path.isdir(root) and self.name not in (b"", b".", b".."):
            root = os.path.join(root, os.fsdecode(self.name))
        if kind == "directory":
            if not os.path.isdir(root):
                if os.path.lexists(root):
                    raise OSError(errno.ENOTDIR, "not a directory", root)
                if self.dry:
                    os.stat(os.path.dirname(root.rstrip("/")) or ".")
                    return
                os.mkdir(root, 0o700)
                self.made_root = True
            self.tree = Tree(root)
            return
        if os.path.isdir(root):
            raise OSError(errno.EISDIR, "is a directory", root)
        if root.endswith("/"):
            raise OSError(errno.ENOTDIR, "not a directory", root)
        if os.path.islink(root):
            root = os.path.realpath(root)
        self.tree = Tree(os.path.dirname(root) or ".", os.fsencode(os.path.basename(root)))

    def make_directory(self, path, st, attributes):
        code = "="
        if st is None or not stat.S_ISDIR(st.st_mode):
            if st and not self.delete:
                raise OSError(errno.ENOTDIR, "something else than a directory is in the way")
            code = "n"
            if not self.dry:
                parent, name = self.tree.locate(path)
                if st:
                    os.unlink(name, dir_fd=parent)
                # To be written to until all is in it.
                os.mkdir(name, 0o700, dir_fd=parent)
                self.touch(path)
        elif self.made_root and not path:
            code = "n"
        elif attributes.differ(st):
            code = "a"
        if not self.dry:
            if st and code != "n" and os.geteuid() and st.st_uid == os.geteuid() and st.st_mode & 0o700 != 0o700:
                parent, name = self.tree.locate(path)
                os.chmod(name, stat.S_IMODE(st.st_mode) | 0o700, dir_fd=parent)
                if attributes.mode is None:
                    attributes.mode = stat.S_IMODE(st.st_mode)
            self.directories.append((path, attributes))
        return code

    def make_link(self, path, st, attributes, target):
        parent, name = self.tree.locate(path) if self.tree else (None, path)
        if st and stat.S_ISLNK(st.st_mode) and os.fsencode(os.readlink(name, dir_fd=parent)) == target:
            if not attributes.differ(st):
                return "="
            if not self.dry:
                attributes.set_link(name, parent)
            return "a"
        if not self.dry:
            temp = TEMP + os.urandom(8).hex().encode()
            os.symlink(target, temp, dir_fd=parent)
            try:
                attributes.set_link(temp, parent)
                if st and stat.S_ISDIR(st.st_mode):
                    self.clear(path)
                    parent, name = self.tree.locate(path)
                os.rename(temp, name, src_dir_fd=parent, dst_dir_fd=parent)
            except OSError:
                os.unlink(temp, dir_fd=parent)
                raise
            self.touch(path)
        return "n"

    def adjust(self, path, st, attributes):
        """Gives a file that has the right content its attributes."""
        if not attributes.differ(st):
            return "="
        if not self.dry:
            fd = self.tree.open(path)
            try:
                attributes.set(fd, os.fstat(fd))
            finally:
                os.close(fd)
        return "a"

    def clear(self, path):
        """Removes a directory that is in the way, for which `delete` has to be set."""
        if self.delete and not self.tree.remove(path, self.excluded):
            raise OSError(errno.ENOTEMPTY, "a directory with excluded files is in the way")
        return self.delete

    def touch(self, path):
        self.touched.add(path.rpartition(b"/")[0])

    # Content

    def on_files(self, files):
        """Small files, whole."""
        for id, data, sum in files:
            for answer in self.on_data(id, data):
                yield answer
            for answer in self.on_end(id, sum):
                yield answer

    def on_basis(self, id):
        """Tells what a file can be built on: the part of an earlier transfer, and the blocks of what is there."""
        wanted = self.wanted[id]
        size = block = length = 0
        sum = b""
        if wanted.part_name:
            wanted.part = Part(self.tree, wanted.path, wanted.part_name)
            if wanted.part.fd is not None:
                length, sum = wanted.part.size, wanted.part.digest.digest()
        try:
            if not self.whole:
                wanted.old = self.tree.open(wanted.path)
                size = os.fstat(wanted.old).st_size
                block = block_size(size)
        except OSError:
            pass
        yield "basis", id, length, sum, size, block
        if block:
            for part in sums(wanted.old, size, block):
                yield "sums", id, part
        yield "summed", id

    def incoming(self, id):
        file = self.open.get(id)
        if file is None:
            wanted = self.wanted[id]
            file = self.open[id] = Incoming(self.tree, wanted.path, wanted.attributes, wanted.part_name)
            file.begin(wanted.part)
        return file

    def on_resume(self, id, same):
        """Says whether the part of an earlier transfer is how the file begins."""
        part = self.wanted[id].part
        if part and not same:
            part.close()
        if not same:
            self.wanted[id].part = None
        return ()

    def on_data(self, id, data):
        return self.take(id, lambda file: file.write(data))

    def on_hole(self, id, size):
        return self.take(id, lambda file: file.hole(size))

    def on_copy(self, id, offset, size):
        """Takes bytes from the file that is there."""

        def copy(file):
            at, end = offset, offset + size
            old = self.wanted[id].old
            st = os.fstat(old)
            sparse = st.st_blocks * 512 < st.st_size
            while at < end:
                data = read(old, min(PART, end - at), at)
                if not data:
                    break
                if sparse and data == ZEROS[: len(data)]:
                    file.hole(len(data))
                else:
                    file.write(data)
                at += len(data)

        return self.take(id, copy)

    def take(self, id, step):
        """Does a step of a file; after one that failed the rest of the file is let go by."""
        if id in self.wanted:
            try:
                step(self.incoming(id))
            except OSError as e:
                return [self.failed(id, e)]
        return ()

    def on_end(self, id, sum):
        """The file is whole if its sum is right."""
        wanted = self.wanted.get(id)
        if not wanted:
            return
        try:
            file = self.incoming(id)
            if file.digest.digest() != sum:
                file.discard()
                del self.open[id]
                wanted.close()
                yield "again", id
                return
            file.finish()
        except OSError as e:
            yield self.failed(id, e)
            return
        # In this order: it is always in one of the two, from which `leave` removes it.
        self.pending.append((id, file))
        del self.open[id]
        wanted.close()
        self.pending_size += file.size
        if len(self.pending) >= PENDING or self.pending_size >= PENDING_SIZE:
            yield self.settle()

    def on_keep(self, id):
        """Its content is right as it is."""
        wanted = self.wanted.pop(id)
        try:
            self.adjust(wanted.path, self.tree.stat(wanted.path), wanted.attributes)
            yield "settled", [id], [], []
        except OSError as e:
            yield self.failed(id, e)

    def on_stop(self, id):
        """The controller cannot go on with a file."""
        file = self.open.get(id)
        if file:
            file.discard()
            del self.open[id]
        wanted = self.wanted.pop(id, None)
        if wanted:
            wanted.close()
        return ()

    def failed(self, id, e):
        self.on_stop(id)
        return "settled", [], [], [(id, e.errno, e.strerror or str(e))]

    def settle(self):
        """Puts what is whole in its place."""
        errors = sync(file for _, file in self.pending) if self.fsync else {}
        done, in_place, failures = [], [], []
        for id, file in self.pending:
            try:
                if file in errors:
                    file.discard()
                    raise errors[file]
                if file.place(self.clear if self.delete else None):
                    in_place.append(id)
                self.touch(file.path)
                done.append(id)
            except OSError as e:
                failures.append((id, e.errno, e.strerror or str(e)))
            self.wanted.pop(id, None)
        self.pending, self.pending_size = [], 0
        return "settled", done, in_place, failures

    def on_settle(self):
        yield self.settle()
        yield ("idle",)

    # The end

    def on_list(self):
        """Names all that is there, for the controller to say what goes."""
        names = []
        for path, st in self.tree.walk(self.excluded) if self.tree and not self.tree.name else ():
            names.append((path, stat.S_ISDIR(st.st_mode)))
            if len(names) == NAMES:
                yield "names", names
                names = []
        yield "names", names
        yield ("idle",)

    def on_delete(self, paths):
        """Removes what the controller does not have; a directory that is not empty stays, for what is excluded."""
        kept, failures = [], []
        for path in paths:
            try:
                fd, name = self.tree.locate(path)
                if not stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                    os.unlink(name, dir_fd=fd)
                else:
                    self.tree.forget(path)
                    os.rmdir(name, dir_fd=fd)
                self.touch(path)
            except FileNotFoundError:
                pass
            except OSError as e:
                if e.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    kept.append(path)
                else:
                    failures.append((path, e.errno, e.strerror or str(e)))
        yield "deleted", kept, failures

    def on_finish(self):
        """Gives directories their attributes, the innermost first, and brings their names to the disk."""
        failures = []
        for path, attributes in reversed(self.directories):
            try:
                fd = self.tree.directory(path)
                if self.fsync and path in self.touched:
                    os.fsync(fd)
                st = os.fstat(fd)
                if attributes.differ(st):
                    attributes.set(fd, st)
            except OSError as e:
                failures.append((path, e.errno, e.strerror or str(e)))
        if self.fsync and self.tree and self.tree.name:
            os.fsync(self.tree.directory(b""))
        yield "finished", failures

    def leave(self):
        """Removes what must not stay behind; another thread may be at work on it."""
        for _, file in self.pending[:]:
            file.remove()
        for file in list(self.open.values()):
            file.remove(broken=not self.complete)

    def close(self):
        """Leaves nothing behind, but for parts that the next transfer can go on from."""
        self.leave()
        for _, file in self.pending:
            file.close()
        for file in self.open.values():
            file.close()
        for wanted in self.wanted.values():
            wanted.close()
        if self.tree:
            self.tree.close()
