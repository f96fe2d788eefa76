import errno
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load, need

tree, blocks, incoming, receiver, sender = map(load, ("tree", "blocks", "incoming", "receiver", "sender"))
ROOT = os.geteuid() == 0
BIG = bytes(range(251)) * 1000


def sha(data):
    return hashlib.sha256(data).digest()


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = os.fsencode(os.path.realpath(tempfile.mkdtemp()))
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(os.umask, os.umask(0o022))
        self.handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None

    def tearDown(self):
        if self.handles:
            self.assertEqual(len(os.listdir("/proc/self/fd")), self.handles, "handles left open")

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, data=b"", mode=0o644, mtime=10 ** 18 + 1):
        if not os.path.isdir(os.path.dirname(self.path(name))):
            os.makedirs(os.path.dirname(self.path(name)))
        with open(self.path(name), "wb") as file:
            file.write(data)
        os.chmod(self.path(name), mode)
        os.utime(self.path(name), ns=(mtime, mtime))
        return self.path(name)

    def get(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def names(self, name=b"dst"):
        found = []
        for parent, directories, files in os.walk(self.path(name)):
            found += [os.path.relpath(os.path.join(parent, n), self.path(name)) for n in directories + files]
        return sorted(found)

    def receive(self, steps, to=b"dst", **options):
        """Runs a receiver against a generator that sees the answers so far."""
        answers = []
        options = dict({"modes": True, "times": True}, **options)
        for answer in receiver.receive(steps(answers), self.path(to), options):
            answers.append(answer)
        return answers

    def plain(self, entries, contents, to=b"dst", **options):
        """Sends entries and the content of those that are wanted; the codes and all else that was answered."""

        def steps(answers):
            yield "entries", 0, entries, {}, {}
            for id, code in enumerate(answers[0][2]):
                if code in "wubh" and not options.get("dry_run"):
                    data = contents[entries[id][0]]
                    yield "files", [(id, data, sha(data))]
            yield ("settle",)
            yield ("finish",)

        answers = self.receive(steps, to, **options)
        return answers[0][2], answers[1:]


def data(id, piece):
    return id.to_bytes(8, "little") + piece


def directory(path, mode=0o755, mtime=10 ** 18):
    return path, "directory", mode, mtime, 0, 0, 0, b""


def file(path, data=b"", mode=0o644, mtime=10 ** 18 + 1):
    return path, "file", mode, mtime, len(data), 0, 0, b""


def link(path, target):
    return path, "link", 0o777, 10 ** 18 + 2, len(target), 0, 0, target


class Handles(Case):
    def test_walk_goes_from_outside_in_and_follows_no_link(self):
        self.put(b"t/a/b/c")
        self.put(b"t/a\xff\n")
        os.symlink(b"/etc", self.path(b"t/link"))
        t = tree.Tree(self.path(b"t"))
        self.assertEqual([path for path, _ in t.walk()], [b"a", b"a\xff\n", b"link", b"a/b", b"a/b/c"])
        for inner in (b"link", b"link/ssh"):
            with self.assertRaises(OSError):
                t.directory(inner)
        self.assertIsNone(t.find(b"link/passwd"))
        t.close()

    def test_more_directories_than_handles(self):
        for i in range(3 * tree.HANDLES):
            self.put(b"t/%d/%d/f" % (i, i))
        t = tree.Tree(self.path(b"t"))
        for i in range(3 * tree.HANDLES):
            self.assertTrue(t.find(b"%d/%d/f" % (i, i)))
            self.assertLessEqual(len(t.handles), tree.HANDLES + 2)
        t.close()

    def test_what_takes_a_files_place_is_not_opened(self):
        self.put(b"t/f")
        t = tree.Tree(self.path(b"t"))
        for make in (os.mkfifo, lambda path: os.symlink("/etc/passwd", path)):
            os.unlink(self.path(b"t/f"))
            make(self.path(b"t/f"))
            with self.assertRaises(OSError):
                t.open(b"f")
        t.close()

    def test_excludes(self):
        excluded = tree.matcher([(rb"^(?:/?|.*/)[^/]*\.o$", False), (b"^build$", True)])
        self.assertTrue(excluded(b"a\n/x.o", False) and excluded(b"x.o", True) and excluded(b"build", True))
        self.assertFalse(excluded(b"build", False) or excluded(b"a.o\n", False) or excluded(b"build\n", True))
        self.assertIsNone(tree.matcher([]))


class Sums(Case):
    def test_block_sizes(self):
        sizes = [blocks.block_size(1 << n) for n in range(16, 42)]
        self.assertEqual(sizes, sorted(sizes))
        self.assertEqual((sizes[0], blocks.block_size(1 << 30), blocks.block_size(1 << 34)), (2048, 1 << 15, 1 << 17))
        self.assertLessEqual((1 << 50) // blocks.block_size(1 << 50), 1 << 20)

    def test_each_block_and_the_whole(self):
        data = BIG + b"tail"
        fd = os.open(self.put(b"f", data), os.O_RDONLY)
        whole = hashlib.sha256()
        found = b"".join(blocks.sums(fd, len(data), 4096, whole))
        want = b""
        for at in range(0, len(data), 4096):
            part = data[at : at + 4096]
            want += zlib.adler32(part).to_bytes(4, "little") + sha(part)[:16]
        self.assertEqual(found, want)
        self.assertEqual(whole.digest(), sha(data))
        found, size = blocks.digest(fd, 1000)
        self.assertEqual((found.digest(), size), (sha(data[:1000]), 1000))
        os.close(fd)

    def test_holes_are_numbers(self):
        path = self.put(b"f")
        with open(path, "r+b") as file:
            file.seek(1 << 20)
            file.write(b"x" * 5000)
            file.truncate(3 << 20)
        fd = os.open(path, os.O_RDONLY)
        pieces = list(blocks.pieces(fd, 3 << 20))
        os.close(fd)
        content = b"".join(bytes(piece) if isinstance(piece, int) else piece for piece in pieces)
        self.assertEqual(content, self.get(b"f"))
        if os.stat(path).st_blocks < 1000:
            self.assertLess(sum(len(p) for p in pieces if isinstance(p, bytes)), 1 << 18)


class Stop(BaseException):
    """What a cancelled copy meets, wherever it is."""


class Cancelled(Case):
    def steps(self, _):
        entries = [directory(b""), file(b"a", b"one"), file(b"b", b"two"), file(b"c", b"three")]
        yield "entries", 0, entries, {}, {}
        yield "files", [(1, b"one", sha(b"one"))]
        yield data(2, b"t")
        yield data(2, b"wo")
        yield "end", 2, sha(b"wrong")
        yield data(2, b"t")
        yield data(3, b"thr")
        yield ("settle",)
        yield "stop", 2
        yield data(3, b"ee")
        yield "end", 3, sha(b"three")
        yield ("settle",)
        yield ("finish",)

    def run_to(self, last):
        """Receives up to that many instructions of the code that handles files; whether that was all."""
        here = {incoming.__file__, receiver.__file__}
        left = [last]

        def trace(frame, event, arg):
            if frame.f_code.co_filename not in here:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            if event == "opcode":
                left[0] -= 1
                if left[0] == 0:
                    sys.settrace(None)
                    raise Stop
            return trace

        sys.settrace(trace)
        try:
            self.receive(self.steps)
        except Stop:
            return False
        finally:
            sys.settrace(None)
        return True

    def open_handles(self):
        # That of the listing itself is closed by then.
        return {int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)}

    def test_nothing_is_left_wherever_it_is_stopped(self):
        none = "this Python traces no single instructions"
        if sys.version_info < (3, 7) or sys.implementation.name != "cpython" or not self.handles:
            self.skipTest(none)
        handles = self.open_handles()
        for last in range(1, 100000):
            done = self.run_to(last)
            names = [name for name in self.names() if b".rmote-" in name]
            self.assertEqual(names, [], "stopped at instruction %d" % last)
            if os.path.isdir(self.path(b"dst")):
                shutil.rmtree(self.path(b"dst"))
            # Of a file that was opened when its number was not kept yet, the number is lost, and nothing else.
            for handle in self.open_handles() - handles:
                os.close(handle)
            if done:
                # Some that should do so do not.
                if last == 1:
                    self.skipTest(none)
                return
        self.fail("it has no end")


class Receive(Case):
    def test_a_tree_with_its_attributes(self):
        entries = [
            directory(b"", 0o750), directory(b"ro", 0o555), file(b"ro/f", b"data", 0o640), file(b"empty", b"", 0o600),
            file(b"caf\xe9\n", b"x", 0o755), link(b"l", b"/no/where\xff"), directory(b"none"),
        ]
        codes, answers = self.plain(entries, {b"ro/f": b"data", b"empty": b"", b"caf\xe9\n": b"x"}, sync=True)
        self.assertEqual(codes, "nnwwwnn")
        self.assertEqual(answers, [("settled", [2, 3, 4], [], []), ("idle",), ("finished", [])])
        self.assertEqual(self.names(), sorted(e[0] for e in entries[1:]))
        for path, kind, mode, mtime, *_ in entries:
            st = os.lstat(self.path(b"dst/" + path))
            self.assertEqual(st.st_mtime_ns, mtime)
            if kind != "link":
                self.assertEqual(stat.S_IMODE(st.st_mode), mode)
        self.assertEqual((self.get(b"dst/ro/f"), os.readlink(self.path(b"dst/l"))), (b"data", b"/no/where\xff"))
        self.addCleanup(os.chmod, self.path(b"dst/ro"), 0o755)
        # The second time there is nothing to do.
        self.assertEqual(self.plain(entries, {})[0], "=======")
        os.chmod(self.path(b"dst/empty"), 0o644)
        os.utime(self.path(b"dst/caf\xe9\n"), ns=(1, 1))
        self.assertEqual(self.plain(entries, {b"caf\xe9\n": b"y"})[0], "===au==")
        self.assertEqual(self.get(b"dst/caf\xe9\n"), b"y")

    def test_a_wrong_sum_is_asked_for_again(self):
        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"f", b"right")], {}, {}
            yield "files", [(1, b"wrong", sha(b"right"))]
            self.assertEqual(answers[-1], ("again", 1))
            self.assertEqual(self.names(), [])
            yield "files", [(1, b"right", sha(b"right"))]
            yield ("settle",)
            yield ("finish",)

        self.receive(steps)
        self.assertEqual((self.names(), self.get(b"dst/f")), ([b"f"], b"right"))

    def test_nothing_stays_of_a_broken_transfer_but_a_part(self):
        size = 2 << 20

        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"small", b"data"), file(b"big", bytes(4 << 20)), file(b"done", b"d")], {}, {}
            yield "files", [(3, b"d", sha(b"d"))]
            yield data(1, b"da")
            yield data(2, b"x" * size)
            raise OSError("the link broke")

        with self.assertRaises(OSError):
            self.receive(steps, resume=1 << 20)
        (part,) = self.names()
        self.assertEqual(len(self.get(b"dst/" + part)), size)
        self.assertEqual(stat.S_IMODE(os.stat(self.path(b"dst/" + part)).st_mode), 0o600)
        whole = b"x" * size + b"y" * size

        def again(answers):
            yield "entries", 0, [directory(b""), file(b"big", whole)], {}, {}
            self.assertEqual(answers[0][2][1], "b")
            yield "basis", 1
            self.assertEqual(answers[1:], [("basis", 1, size, sha(b"x" * size), 0, 0), ("summed", 1)])
            yield "resume", 1, True
            yield data(1, b"y" * size)
            yield "end", 1, sha(whole)
            yield ("settle",)
            yield ("finish",)

        self.receive(again, resume=1 << 20)
        self.assertEqual((self.names(), self.get(b"dst/big")), ([b"big"], whole))

    def test_a_part_that_does_not_fit_is_begun_anew(self):
        name = incoming.part_name(b"big", 3 << 20, 10 ** 18 + 1)
        for mode in (0o600, 0o644):
            self.put(b"dst/" + name, b"z" * (1 << 20), mode)
            whole = b"x" * (3 << 20)

            def steps(answers):
                yield "entries", 0, [directory(b""), file(b"big", whole)], {}, {}
                yield "basis", 1
                # What others may write to is not trusted.
                self.assertEqual(answers[1][2], 1 << 20 if mode == 0o600 else 0)
                yield "resume", 1, False
                yield data(1, whole)
                yield "end", 1, sha(whole)
                yield ("settle",)
                yield ("finish",)

            self.receive(steps, resume=1 << 20)
            self.assertEqual((self.names(), self.get(b"dst/big")), ([b"big"], whole))
            os.unlink(self.path(b"dst/big"))

    def test_copies_from_the_old_file(self):
        self.put(b"dst/f", BIG)
        new = BIG[5000:200000] + b"new" + BIG[:70000]

        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"f", new, mtime=5)], {}, {}
            self.assertEqual(answers[0][2][1], "b")
            yield "basis", 1
            fd = os.open(self.path(b"dst/f"), os.O_RDONLY)
            self.assertEqual(b"".join(a[2] for a in answers if a[0] == "sums"), b"".join(blocks.sums(fd, len(BIG), 2048)))
            os.close(fd)
            yield "copy", 1, 5000, 195000
            yield data(1, b"new")
            yield "copy", 1, 0, 70000
            yield "end", 1, sha(new)
            yield ("settle",)
            yield ("finish",)

        self.receive(steps)
        self.assertEqual(self.get(b"dst/f"), new)

    def test_holes_stay_holes(self):
        size = 8 << 20

        def steps(answers):
            yield "entries", 0, [directory(b""), file(b"f", bytes(size))], {}, {}
            yield data(1, b"x")
            yield "hole", 1, size - 1
            yield "end", 1, sha(b"x" + bytes(size - 1))
            yield ("settle",)
            yield ("finish",)

        self.receive(steps)
        self.assertEqual(self.get(b"dst/f"), b"x" + bytes(size - 1))
        self.assertLess(os.stat(self.path(b"dst/f")).st_blocks * 512, size // 4)

    def test_a_link_does_not_lead_out(self):
        outside = self.path(b"outside")
        os.mkdir(outside)
        entries = [directory(b""), link(b"a", outside), directory(b"a"), file(b"a/f", b"x"), file(b"b", b"x")]
        os.mkdir(self.path(b"dst"))
        os.symlink(os.path.join(outside, b"f"), self.path(b"dst/b"))
        codes, answers = self.plain(entries, {b"a/f": b"x", b"b": b"x"})
        self.assertEqual(codes[2:], "fww")
        self.assertEqual(os.listdir(outside), [])
        failed = [id for answer in answers if answer[0] == "settled" for id, _, _ in answer[3]]
        self.assertEqual(failed, [3])
        # A link where the file comes is replaced.
        self.assertFalse(os.path.islink(self.path(b"dst/b")))

    def test_what_is_in_the_way(self):
        self.put(b"dst/dir/inner")
        self.put(b"dst/file")
        self.put(b"dst/kept/secret.key")
        self.put(b"dst/kept/other")
        entries = [directory(b""), file(b"dir", b"1"), directory(b"file"), link(b"kept", b"x")]
        contents = {b"dir": b"1"}
        before = self.names()
        self.assertEqual(self.plain(entries, contents)[0][1:], "fff")
        self.assertEqual(self.names(), before)
        codes, answers = self.plain(entries, contents, delete=True, excludes=[(rb"^(?:/?|.*/)[^/]*\.key$", False)])
        self.assertEqual(codes[1:], "wnf")
        self.assertEqual(self.get(b"dst/dir"), b"1")
        self.assertTrue(os.path.isdir(self.path(b"dst/file")))
        self.assertEqual(self.names(), [b"dir", b"file", b"kept", b"kept/secret.key"])

    def test_dry_run_changes_nothing(self):
        entries = [directory(b""), directory(b"d"), file(b"d/f", b"x"), file(b"g", b"x"), link(b"l", b"x"), file(b"h", b"")]
        self.assertEqual(self.plain(entries, {}, dry_run=True)[0], "nnwwnw")
        self.assertFalse(os.path.exists(self.path(b"dst")))
        self.put(b"dst/g", b"y", mtime=3)
        self.put(b"dst/h", mode=0o600)
        before = os.stat(self.path(b"dst"))
        self.assertEqual(self.plain(entries, {}, dry_run=True)[0], "anwuna")
        self.assertEqual((os.stat(self.path(b"dst")), self.get(b"dst/g")), (before, b"y"))

    def test_modes_and_times_may_be_left_alone(self):
        self.put(b"dst/f", b"1", 0o600)
        entries = [directory(b"", 0o777), file(b"f", b"2", 0o666, mtime=5), file(b"g", b"2", 0o666, mtime=5)]
        os.chmod(self.path(b"dst"), 0o755)
        self.plain(entries, {b"f": b"2", b"g": b"2"}, modes=False, times=False)
        modes = [stat.S_IMODE(os.stat(self.path(name)).st_mode) for name in (b"dst", b"dst/f", b"dst/g")]
        self.assertEqual(modes[:1] + modes[2:], [0o755, 0o644])
        self.assertEqual(modes[1], 0o600)
        self.assertGreater(os.stat(self.path(b"dst/f")).st_mtime, 10)

    def test_checksums_decide(self):
        self.put(b"dst/same", b"abc", mtime=1)
        self.put(b"dst/other", b"abd")
        entries = [directory(b""), file(b"same", b"abc"), file(b"other", b"abc")]
        inode = os.stat(self.path(b"dst/same")).st_ino

        def steps(answers):
            yield "entries", 0, entries, {}, {}
            self.assertEqual((answers[0][2][1:], answers[0][4]), ("hh", {1: sha(b"abc"), 2: sha(b"abd")}))
            yield "keep", 1
            yield "files", [(2, b"abc", sha(b"abc"))]
            yield ("settle",)
            yield ("finish",)

        self.receive(steps, checksum=True)
        st = os.stat(self.path(b"dst/same"))
        self.assertEqual((st.st_ino, st.st_mtime_ns, self.get(b"dst/other")), (inode, 10 ** 18 + 1, b"abc"))

    def test_one_file_to_a_path_or_into_a_directory(self):
        entries = [file(b"", b"x")]
        self.plain(entries, {b"": b"x"}, b"f")
        self.assertEqual(self.get(b"f"), b"x")
        os.mkdir(self.path(b"d"))
        with self.assertRaises(IsADirectoryError):
            self.plain(entries, {b"": b"x"}, b"d")
        self.plain(entries, {b"": b"x"}, b"d", into=True, name=b"name")
        self.assertEqual(self.get(b"d/name"), b"x")
        for missing in (b"no/f", b"no/"):
            with self.assertRaises(OSError):
                self.plain(entries, {b"": b"x"}, missing)
        with self.assertRaises(NotADirectoryError):
            self.plain([directory(b"")], {}, b"f")
        # Through a link, as the user named it.
        os.symlink(b"f", self.path(b"l"))
        self.plain([file(b"", b"through")], {b"": b"through"}, b"l")
        self.assertTrue(os.path.islink(self.path(b"l")))
        self.assertEqual(self.get(b"f"), b"through")
        self.assertEqual(self.names(b"."), [b"d", b"d/name", b"f", b"l"])

    def test_delete_keeps_directories_that_are_not_empty(self):
        for name in (b"gone/a", b"gone/b", b"half/x", b"half/keep.key"):
            self.put(b"dst/" + name)

        def steps(answers):
            yield "entries", 0, [directory(b"")], {}, {}
            yield ("list",)
            names = [path for answer in answers if answer[0] == "names" for path, _ in answer[1]]
            self.assertEqual(names, [b"gone", b"half", b"gone/a", b"gone/b", b"half/x"])
            yield "delete", sorted(names, reverse=True)
            self.assertEqual(answers[-1], ("deleted", [b"half"], []))
            yield ("finish",)

        self.receive(steps, delete=True, excludes=[(rb"^(?:/?|.*/)[^/]*\.key$", False)])
        self.assertEqual(self.names(), [b"half", b"half/keep.key"])

    def test_a_full_disk_is_one_files_failure(self):
        need(self, ROOT and sys.platform == "linux", "only root can mount a small file system")
        os.mkdir(self.path(b"dst"))
        mounted = os.system("mount -t tmpfs -o size=1m tmpfs " + os.fsdecode(self.path(b"dst"))) == 0
        need(self, mounted, "a container may not mount")
        self.addCleanup(os.system, "umount " + os.fsdecode(self.path(b"dst")))
        data = b"x" * (2 << 20)
        entries = [directory(b""), file(b"big", data), file(b"small", b"x")]
        _, answers = self.plain(entries, {b"big": data, b"small": b"x"}, sync=True)
        failures = [failure for answer in answers if answer[0] == "settled" for failure in answer[3]]
        self.assertEqual([(id, number) for id, number, _ in failures], [(1, errno.ENOSPC)])
        self.assertEqual(self.names(), [b"small"])

    def test_a_mounted_file_is_written_in_place(self):
        need(self, ROOT and sys.platform == "linux", "only root can mount a file")
        self.put(b"dst/f", b"old content")
        self.put(b"below", b"old content")
        path = os.fsdecode(self.path(b"dst/f"))
        mounted = os.system("mount --bind %s %s" % (os.fsdecode(self.path(b"below")), path)) == 0
        need(self, mounted, "a container may not mount")
        self.addCleanup(os.system, "umount " + path)
        _, answers = self.plain([directory(b""), file(b"f", b"new", 0o600)], {b"f": b"new"}, sync=True)
        self.assertEqual(answers[0], ("settled", [1], [1], []))
        self.assertEqual((self.get(b"below"), os.stat(self.path(b"below")).st_mtime_ns), (b"new", 10 ** 18 + 1))
        self.assertEqual(self.names(), [b"f"])


class Send(Case):
    def send(self, script, root=b"src", **options):
        """Runs a sender; `script` gets each batch or idle and gives what to ask for, or None at the end."""
        got = []
        asked = []

        def messages():
            while asked:
                request = asked.pop(0)
                if request is None:
                    return
                yield request

        for item in sender.send(messages(), self.path(root), options):
            got.append(item)
            if item[0] in ("entries", "idle"):
                asked.append(script(item, got))
        return got

    def test_a_tree_and_its_content(self):
        self.put(b"src/a", b"small", 0o640)
        self.put(b"src/d/big", BIG)
        self.put(b"src/skip.o", b"x")
        os.symlink(b"a", self.path(b"src/l"))
        os.mkfifo(self.path(b"src/pipe"))

        def script(item, got):
            if item[0] == "idle":
                return None
            return [("whole", id, entry[0]) for id, entry in enumerate(item[2]) if entry[1] == "file"]

        got = self.send(script, excludes=[(rb"^(?:/?|.*/)[^/]*\.o$", False)])
        entries = got[0][2]
        kinds = {entry[0]: entry[1] for entry in entries}
        self.assertEqual(
            kinds, {b"": "directory", b"a": "file", b"d": "directory", b"l": "link", b"pipe": "special", b"d/big": "file"}
        )
        by_name = {entry[0]: (id, entry) for id, entry in enumerate(entries)}
        self.assertEqual(by_name[b"a"][1][2:5], (0o640, 10 ** 18 + 1, 5))
        self.assertEqual(by_name[b"l"][1][7], b"a")
        files = [f for item in got if item[0] == "files" for f in item[1]]
        self.assertEqual(files, [(by_name[b"a"][0], b"small", sha(b"small"))])
        data = b"".join(item[8:] for item in got if type(item) is bytes)
        self.assertEqual((data, got[-3 if got[-2][0] == "files" else -2][2]), (BIG, sha(BIG)))

    def test_sums_and_ranges(self):
        self.put(b"src", BIG)
        script = iter([[("sums", 0, b"")], [("ranges", 0, b"", [(5, 10), (200000, 51000)])], None])
        got = self.send(lambda item, got: next(script))
        kinds = [item[0] if type(item) is tuple else int.from_bytes(item[:8], "little") for item in got]
        self.assertEqual(kinds, ["entries", "basis", "sums", "summed", "idle", 0, 0, "end", "idle"])
        self.assertEqual((got[1][2:], got[3][2]), ((len(BIG), 2048), sha(BIG)))
        self.assertEqual([item[8:] for item in got if type(item) is bytes], [BIG[5:15], BIG[200000:]])

    def test_the_rest_of_a_part(self):
        self.put(b"src", BIG)
        for part, same in ((BIG[:1000], True), (b"x" * 1000, False), (BIG + b"x", False)):
            script = iter([[("rest", 0, b"", len(part), sha(part))], None])
            got = self.send(lambda item, got: next(script))
            self.assertEqual(got[1], ("resume", 0, same))
            data = b"".join(item[8:] for item in got if type(item) is bytes)
            self.assertEqual((data, got[-2]), (BIG[1000:] if same else BIG, ("end", 0, sha(BIG))))

    def test_failures_are_told_apart(self):
        self.put(b"src/f", b"x")
        self.put(b"src/g", b"x")
        script = iter([[("whole", 1, b"f"), ("whole", 7, b"gone"), ("hash", 2, b"g")], None])
        got = self.send(lambda item, got: next(script))
        self.assertEqual(got[1][:3], ("failed", 7, errno.ENOENT))
        self.assertIn(("hash", 2, sha(b"x")), got)
        self.assertIn(("files", [(1, b"x", sha(b"x"))]), got)
        with self.assertRaises(FileNotFoundError):
            self.send(lambda item, got: None, b"nothing")

    def test_more_files_than_a_batch(self):
        for i in range(sender.BATCH * 2):
            self.put(b"src/%03d" % i)
        got = self.send(lambda item, got: None if item[0] == "idle" else [])
        self.assertEqual([len(item[2]) for item in got if item[0] == "entries"], [sender.BATCH, sender.BATCH, 1])
        self.assertEqual([item[1] for item in got if item[0] == "entries"], [0, sender.BATCH, 2 * sender.BATCH])
        self.assertEqual(got[-1], ("idle",))


if __name__ == "__main__":
    unittest.main()
